"""Writes the held-out evaluation set: PNG scenes and scenes.json with the truth and questions of every task.

    python make_eval.py FOLDER

Seeds start at 50,000; training uses seeds from 1,000,000 on.
"""

import json
import os
import random
import sys

import answers
from PIL import Image
from world import outline, polygon, render, sample_scene

FIRST_SEED = 50_000
QUOTA = {"both": 80, "objects": 34, "texts": 6}
NOISY = 6


def rounded(values):
    return [round(float(v), 2) for v in values]


def group_of(truth):
    return "both" if truth.objects and truth.texts else "objects" if truth.objects else "texts"


def make_questions(truth, rng):
    """At least one question of every applicable task, or None where an answer would repeat a run of tokens."""
    out = []

    def add(task, segments, expected, text=None, region=None):
        question = {"task": task, "text": text, "region": region, "segments": segments}
        ids, _ = answers.encode_segments(segments)
        if not answers.acceptable([2, 0, *ids, 2]):
            return False
        record = {"task": task, "text": text, "region": region and rounded(region)}
        out.append({**record, "answer": answers.raw_answer(question), **expected})
        return True

    def boxes(items, labels):
        return {"labels": labels, "bboxes": [rounded(i["bbox"]) for i in items]}

    objects, texts = truth.objects, truth.texts
    for task, function in answers.PLAIN.items():
        if not answers.applicable(truth, task):
            continue
        expected = {
            "<OD>": lambda: boxes(objects, [o["shape"] for o in objects]),
            "<DENSE_REGION_CAPTION>": lambda: boxes(objects, [o["label"] for o in objects]),
            "<REGION_PROPOSAL>": lambda: boxes(objects + texts, [""] * len(objects + texts)),
            "<OCR_WITH_REGION>": lambda: {
                "labels": [t["text"] for t in texts], "quads": [rounded(t["quad"]) for t in texts],
            },
        }.get(task, dict)()
        if not add(task, function(truth), expected):
            return None
    if objects:
        text, segments = answers.grounding(truth, objects)
        labels = [answers.phrase_text(o) for o in objects]
        if not add("<CAPTION_TO_PHRASE_GROUNDING>", segments, boxes(objects, labels), text):
            return None
    possible = answers.possible_queries(truth)
    for count in (1, 2):
        for _ in range(10):
            queries = rng.sample(possible, min(count, len(possible)))
            text, segments = answers.open_vocabulary(truth, queries)
            found = [(q, i) for q in queries for i in answers.matches(truth, q)]
            expected = boxes([i for _, i in found], [q for q, _ in found])
            if add("<OPEN_VOCABULARY_DETECTION>", segments, expected, text):
                break
    if objects:
        expressions = answers.referring_expressions(truth)
        for text, item in rng.sample(expressions, min(2, len(expressions))):
            if not add(
                "<REFERRING_EXPRESSION_SEGMENTATION>", truth.polygon(item), {"object": objects.index(item)}, text
            ):
                return None
        item = rng.choice(objects)
        if not add("<REGION_TO_SEGMENTATION>", truth.polygon(item), {"object": objects.index(item)}, None, item["bbox"]):
            return None
    for kind in (objects, texts):
        if kind:
            item = rng.choice(kind)
            add("<REGION_TO_CATEGORY>", answers.region_category(truth, item), {}, None, item["bbox"])
            add("<REGION_TO_DESCRIPTION>", answers.region_description(truth, item), {}, None, item["bbox"])
    for item in texts:
        if not add("<REGION_TO_OCR>", truth.spelled(item), {}, None, item["bbox"]):
            return None
    return out


def main():
    folder = sys.argv[1]
    os.makedirs(os.path.join(folder, "images"), exist_ok=True)
    left, noisy = dict(QUOTA), 0
    scenes, seed = [], FIRST_SEED
    while any(left.values()):
        seed += 1
        scene = sample_scene(seed)
        truth = answers.Truth(scene)
        group = group_of(truth)
        loud = scene["noise"] > 0
        if not left[group] or not answers.spellable(truth) or loud and noisy == NOISY:
            continue
        if loud and scene["width"] * scene["height"] > 110_000:
            continue
        questions = make_questions(truth, random.Random(seed))
        if questions is None:
            continue
        left[group] -= 1
        noisy += loud
        name = f"images/{len(scenes):03d}.png"
        Image.fromarray(render(scene)).save(os.path.join(folder, name), optimize=True)
        scenes.append({
            "file": name, "width": truth.width, "height": truth.height, "seed": seed,
            "background": {k: scene["background"][k] for k in ("kind", "color")},
            "noise": scene["noise"], "blur": round(scene["blur"], 2),
            "objects": [
                {
                    "label": o["label"], "shape": o["shape"], "color": o["color"], "size": o["size"],
                    "bbox": rounded(o["bbox"]), "polygon": rounded(polygon(o).flatten()),
                    "outline": rounded(outline(o).flatten()),
                }
                for o in truth.objects
            ],
            "texts": [{k: t[k] if k == "text" else rounded(t[k]) for k in ("text", "bbox", "quad")} for t in truth.texts],
            "questions": questions,
        })
    with open(os.path.join(folder, "scenes.json"), "w") as file:
        file.write('{"scenes":[\n' + ",\n".join(json.dumps(s, separators=(",", ":")) for s in scenes) + "\n]}\n")
    tasks = [t for s in scenes for t in {q["task"] for q in s["questions"]}]
    print(len(scenes), "scenes", {t: tasks.count(t) for t in answers.TASKS}, sum(len(s["questions"]) for s in scenes))


if __name__ == "__main__":
    main()
