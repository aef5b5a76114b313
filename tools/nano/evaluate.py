"""Measures a checkpoint on the evaluation set with the reference's default generation (3 beams, full precision).

    python evaluate.py CHECKPOINT EVAL [--scenes N] [--errors FILE]
"""

import argparse
import json
import os
import re
from collections import defaultdict

import cv2
import numpy as np
import torch

from reference import Reference, load_scenes, plain


def iou(a, b):
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - w * h
    return w * h / union


def matched(labels, boxes, true_labels, true_boxes, threshold):
    """Greedy matching of boxes with the same label; returns the number of pairs."""
    pairs = sorted(
        (
            (iou(b, t), i, j)
            for i, (b, l) in enumerate(zip(boxes, labels))
            for j, (t, m) in enumerate(zip(true_boxes, true_labels)) if l == m
        ),
        reverse=True,
    )
    used_a, used_b = set(), set()
    for value, i, j in pairs:
        if value >= threshold and i not in used_a and j not in used_b:
            used_a.add(i)
            used_b.add(j)
    return len(used_a)


def edits(a, b):
    """Levenshtein distance."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def mask_of(polygons, width, height):
    canvas = np.zeros((height, width), np.uint8)
    for points in polygons:
        if len(points) >= 6:
            cv2.fillPoly(canvas, [np.round(np.array(points, float).reshape(-1, 2) * 16).astype(np.int32)], 1, shift=4)
    return canvas.astype(bool)


def mask_iou(polygons, truth, width, height):
    a, b = mask_of(polygons, width, height), mask_of([truth], width, height)
    union = (a | b).sum()
    return float((a & b).sum() / union) if union else 0.0


def caption_facts(text):
    """Counts and attribute words of a longer caption: (list of counts and background words, list of phrases)."""
    counts = re.findall(r"shows (\w+)|on a (\w+) (\w+) background|text in (\w+) place|is (no) text", text)
    counts = [w for group in counts for w in group if w]
    listed = re.search(r": (.*?)\.", text)
    phrases = re.split(r", | and ", listed.group(1)) if listed else []
    return counts, [p.split() for p in phrases]


class Meter:
    def __init__(self):
        self.sums = defaultdict(lambda: [0.0, 0.0])

    def add(self, name, value, weight=1.0):
        self.sums[name][0] += value
        self.sums[name][1] += weight

    def table(self):
        return {k: round(v[0] / v[1], 4) if v[1] else None for k, v in self.sums.items()}


def score(meter, scene, question, parsed, text):
    """Adds one answer to the meter; returns whether it is right."""
    task = question["task"]
    name = task.strip("<>").lower()
    answer = plain(text)
    exact = answer == question["answer"]
    meter.add(f"{name} exact string", exact)
    size = (scene["width"], scene["height"])
    if task in ("<OD>", "<DENSE_REGION_CAPTION>", "<REGION_PROPOSAL>"):
        labels, boxes = parsed["labels"], parsed["bboxes"]
        good = True
        for threshold in (0.5, 0.75):
            pairs = matched(labels, boxes, question["labels"], question["bboxes"], threshold)
            meter.add(f"{name} precision @{threshold}", pairs, len(boxes))
            meter.add(f"{name} recall @{threshold}", pairs, len(question["bboxes"]))
            good = good and pairs == len(boxes) == len(question["bboxes"])
        return good
    if task in ("<CAPTION_TO_PHRASE_GROUNDING>", "<OPEN_VOCABULARY_DETECTION>"):
        labels = parsed["labels"] if "labels" in parsed else parsed["bboxes_labels"]
        pairs = matched(labels, parsed["bboxes"], question["labels"], question["bboxes"], 0.5)
        most = max(len(labels), len(question["labels"]))
        meter.add(f"{name} accuracy @0.5", pairs, most)
        return pairs == most
    if task in ("<REFERRING_EXPRESSION_SEGMENTATION>", "<REGION_TO_SEGMENTATION>"):
        polygons = [p for instance in parsed["polygons"] for p in instance]
        value = mask_iou(polygons, scene["objects"][question["object"]]["outline"], *size)
        meter.add(f"{name} mean IoU", value)
        return value > 0.75
    if task == "<OCR_WITH_REGION>":
        for threshold in (0.5, 0.75):
            quads = [[q[0], q[1], q[4], q[5]] for q in parsed["quad_boxes"]]
            true = [[q[0], q[1], q[4], q[5]] for q in question["quads"]]
            any_label = [""] * max(len(quads), len(true))
            pairs = matched(any_label, quads, any_label, true, threshold)
            meter.add(f"{name} quads precision @{threshold}", pairs, len(quads))
            meter.add(f"{name} quads recall @{threshold}", pairs, len(true))
        said, true = " ".join(parsed["labels"]), " ".join(question["labels"])
        meter.add(f"{name} CER", edits(said, true), len(true))
        return said == true
    if task in ("<OCR>", "<REGION_TO_OCR>"):
        meter.add(f"{name} CER", edits(parsed, question["answer"]), len(question["answer"]))
        return exact
    if task in ("<DETAILED_CAPTION>", "<MORE_DETAILED_CAPTION>"):
        said, true = caption_facts(parsed), caption_facts(question["answer"])
        for a, b in zip(said[0] + [None] * len(true[0]), true[0]):
            meter.add(f"{name} counts and background", a == b)
        for i, phrase in enumerate(true[1]):
            other = said[1][i] if i < len(said[1]) else []
            for a, b in zip(other + [None] * len(phrase), phrase):
                meter.add(f"{name} attributes", a == b)
    return exact


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("checkpoint")
    parser.add_argument("eval")
    parser.add_argument("--scenes", type=int, default=10**9)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--errors", help="write wrong answers here")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    reference, meter, wrong = Reference(args.checkpoint), Meter(), []
    scenes = load_scenes(args.eval)
    for scene in scenes[:: max(1, len(scenes) // args.scenes)]:
        prompts = [reference.prompt(scene, q)[1] for q in scene["questions"]]
        ids = reference.generate(reference.pixels(os.path.join(args.eval, scene["file"])), prompts)
        for question, row in zip(scene["questions"], ids.tolist()):
            text = reference.text(row)
            parsed = reference.parse(text, question["task"], (scene["width"], scene["height"]))
            if not score(meter, scene, question, parsed, text):
                record = {k: question[k] for k in ("task", "text", "region", "answer")}
                wrong.append({"file": scene["file"], **record, "said": plain(text)})
    if args.errors:
        with open(args.errors, "w") as file:
            file.write("\n".join(json.dumps(w) for w in wrong) + "\n")
    print(json.dumps(meter.table(), indent=1))


if __name__ == "__main__":
    main()
