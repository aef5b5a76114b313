"""Reads what the examples of florence-export and florence-layout wrote to OUT, with the libraries that others read such
files with, and compares the formats with each other. Ends with an error where anything differs that may not.

    python check.py OUT
"""

import contextlib
import io
import json
import logging
import math
import pathlib
import subprocess
import sys
import unittest.mock
import warnings
import xml.etree.ElementTree as etree

import numpy as np

warnings.simplefilter("ignore")  # supervision would like OpenCV
import supervision
import yaml
from markdown_it import MarkdownIt
from PIL import Image
from pycocotools import mask as masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

# LabelMe's reader needs none of these; the package imports them.
for name in ["onnxruntime", "PyQt5", "PyQt5.QtCore", "PyQt5.QtGui", "PyQt5.QtWidgets", "imgviz", "imgviz.io", "tifffile"]:
    sys.modules.setdefault(name, unittest.mock.MagicMock())
from labelme import _label_file as labelme  # noqa: E402

OUT = pathlib.Path(sys.argv[1])
problems = []


def expect(holds, what):
    if not holds:
        problems.append(what)


def quietly(function, *arguments, **options):
    with contextlib.redirect_stdout(io.StringIO()):
        return function(*arguments, **options)


def blank_images(coco):
    """The readers want images to be there."""
    for folder in [OUT / "images", OUT / "labelme"]:
        folder.mkdir(exist_ok=True)
        for image in coco.imgs.values():
            Image.new("RGB", (image["width"], image["height"])).save(folder / image["file_name"], quality=10)


def found(coco):
    """The annotations of each image, in their order."""
    return [(image, coco.loadAnns(sorted(coco.getAnnIds([image["id"]])))) for image in coco.imgs.values()]


def check_coco():
    polygons, counts, compressed = [quietly(COCO, OUT / f"{name}.json") for name in ["polygons", "counts", "compressed"]]
    equal, empty, furthest = 0, set(), 0.0
    for number, annotation in polygons.anns.items():
        drawn = polygons.annToRLE(annotation)
        spelt = counts.annToRLE(counts.anns[number])
        written = compressed.anns[number]["segmentation"]
        same = drawn == spelt == written | {"counts": written["counts"].encode()}
        equal += same
        expect(same, f"annotation {number}: polygons and counts differ")
        image = polygons.imgs[annotation["image_id"]]
        pixels = masks.decode(drawn)
        expect(pixels.shape == (image["height"], image["width"]), f"annotation {number}: size of its mask")
        expect(int(masks.area(drawn)) == int(pixels.sum()), f"annotation {number}: area of its mask")
        x, y, width, height = annotation["bbox"]
        expect(min(x, y) >= 0 and min(width, height) > 0, f"annotation {number}: box {annotation['bbox']}")
        expect(x + width <= image["width"] + 1e-3 and y + height <= image["height"] + 1e-3, f"annotation {number}: box too large")
        if pixels.any():
            left, top, across, down = masks.toBbox(drawn)
            inside = left >= x - 1 and top >= y - 1 and left + across <= x + width + 1 and top + down <= y + height + 1
            expect(inside, f"annotation {number}: its mask reaches outside of its box")
        else:
            empty.add(number)
        outline = sum(
            math.dist(part[index : index + 2], (part[index + 2 :] + part)[:2])
            for part in annotation["segmentation"]
            for index in range(0, len(part), 2)
        )
        away = abs(annotation["area"] - int(pixels.sum())) / (outline + 1)
        furthest = max(furthest, away)
        expect(away < 1, f"annotation {number}: area {annotation['area']} of {int(pixels.sum())} pixels")
    total = len(polygons.anns)
    print(f"COCO: {len(polygons.imgs)} images, {total} annotations; masks of polygons, counts and compressed counts equal")
    print(f"  bit for bit: {equal} of {total}; without a pixel: {len(empty)}; area at most {furthest:.2f} pixels off per pixel of outline")

    for kind, name, annotations in [("bbox", "result_boxes", polygons), ("segm", "result_masks", compressed)]:
        listed = json.loads((OUT / f"{name}.json").read_text(encoding="utf-8"))
        # What has no pixel overlaps nothing, not even itself: it is no result.
        left_out = empty if kind == "segm" else set()
        truth = COCO()
        kept = [annotation for annotation in annotations.dataset["annotations"] if annotation["id"] not in left_out]
        expect(len(listed) == len(kept), f"{name}: {len(listed)} of {len(kept)} results")
        truth.dataset = annotations.dataset | {"annotations": kept}
        quietly(truth.createIndex)
        results = quietly(truth.loadRes, listed)
        evaluation = COCOeval(truth, results, kind)
        for step in [evaluation.evaluate, evaluation.accumulate, evaluation.summarize]:
            quietly(step)
        print(f"  {name}.json evaluated against its {len(kept)} annotations: AP {evaluation.stats[0]:.4f}")
        expect(evaluation.stats[0] > 0.9999, f"{name}: AP {evaluation.stats[0]}")
    return polygons


def check_yolo(polygons):
    names = [category["name"] for category in polygons.loadCats(polygons.getCatIds())]
    for task in ["detect", "segment"]:
        data = yaml.safe_load((OUT / task / "data.yaml").read_text(encoding="utf-8"))
        expect(list(data["names"].values()) == names and list(data["names"]) == list(range(len(names))), f"{task}: names {data['names']}")
        read = supervision.DetectionDataset.from_yolo(
            str(OUT / "images"), str(OUT / task / "labels"), str(OUT / task / "data.yaml"), force_masks=False
        )
        expect(read.classes == names, f"{task}: classes {read.classes}")
        count, furthest, moved, single = 0, 0.0, 0.0, 0
        for image, annotations in found(polygons):
            detections = read.annotations[str(OUT / "images" / image["file_name"])]
            expect(len(detections) == len(annotations), f"{task} {image['id']}: {len(detections)} of {len(annotations)}")
            lines = (OUT / task / "labels" / f"{image['id']:06}.txt").read_text().splitlines()
            for annotation, box, category, line in zip(annotations, detections.xyxy, detections.class_id, lines):
                count += 1
                expect(category + 1 == annotation["category_id"], f"{task} {annotation['id']}: class {category}")
                x, y, width, height = annotation["bbox"]
                away = float(np.abs(box - [x, y, x + width, y + height]).max())
                furthest = max(furthest, away)
                expect(away < 0.001, f"{task} {annotation['id']}: box {away} off")
                shares = np.array(line.split()[1:], dtype=float)
                expect(((shares >= 0) & (shares <= 1)).all(), f"{task} {annotation['id']}: shares")
                if task == "segment" and len(annotation["segmentation"]) == 1:
                    single += 1
                    corners = shares.reshape(-1, 2) * [image["width"], image["height"]]
                    away = float(np.abs(corners.ravel() - annotation["segmentation"][0]).max())
                    moved = max(moved, away)
                    expect(away < 0.001, f"{task} {annotation['id']}: corners {away} off")
        print(f"YOLO {task} (supervision {supervision.__version__}): {count} labels, boxes at most {furthest:.6f} pixels off COCO's")
        if task == "segment":
            print(f"  {single} outlines in one part: corners at most {moved:.6f} pixels off")


def check_labelme(polygons):
    shapes = 0
    for image, annotations in found(polygons):
        path = OUT / "labelme" / f"{image['id']:06}.json"
        read = labelme.read_label_file(str(path))
        expect(read.image_path == image["file_name"], f"{path}: image {read.image_path}")
        shapes += len(read.shapes)
        rest = list(read.shapes)
        groups = set()
        for annotation in annotations:
            label = polygons.cats[annotation["category_id"]]["name"]
            parts = annotation["segmentation"]
            mine, rest = rest[: len(parts)], rest[len(parts) :]
            expect(all(shape["label"] == label for shape in mine), f"{path}: labels of {annotation['id']}")
            group = {shape["group_id"] for shape in mine}
            expect(len(group) == 1 and (group == {None}) == (len(parts) == 1), f"{path}: groups {group}")
            expect(group == {None} or not group & groups, f"{path}: group {group} again")
            groups |= group
            for shape, part in zip(mine, parts):
                points = shape["points"]
                if shape["shape_type"] == "rectangle":
                    (x1, y1), (x2, y2) = points
                    points = [[x1, y1], [x2, y1], [x2, y2], [x1, y2]]
                expect([n for point in points for n in point] == part, f"{path}: points of {annotation['id']}")
                expect(shape["other_data"].get("score") == annotation.get("score"), f"{path}: score of {annotation['id']}")
        expect(not rest, f"{path}: {len(rest)} shapes more")
    print(f"LabelMe (its own reader, {labelme.__version__}): {shapes} shapes, points, labels and scores equal to COCO's")


def check_voc(polygons):
    boxes = 0
    for image, annotations in found(polygons):
        path = OUT / "voc" / f"{image['id']:06}.xml"
        root = etree.parse(path).getroot()
        expect(root.findtext("filename") == image["file_name"], f"{path}: name")
        expect([int(root.findtext(f"size/{side}")) for side in ["width", "height"]] == [image["width"], image["height"]], f"{path}: size")
        objects = root.findall("object")
        expect(len(objects) == len(annotations), f"{path}: {len(objects)} of {len(annotations)}")
        for element, annotation in zip(objects, annotations):
            boxes += 1
            label = polygons.cats[annotation["category_id"]]["name"].replace("\x07", "\ufffd") or "object"
            expect(element.findtext("name") == label, f"{path}: {element.findtext('name')!r} is not {label!r}")
            edges = [int(element.findtext(f"bndbox/{edge}")) for edge in ["xmin", "ymin", "xmax", "ymax"]]
            expect(1 <= edges[0] <= edges[2] <= image["width"] and 1 <= edges[1] <= edges[3] <= image["height"], f"{path}: {edges}")
            x, y, width, height = annotation["bbox"]
            # COCO's width has lost its last bits.
            low = [math.floor(x) + 1, math.floor(y) + 1, math.ceil(x + width - 1e-4), math.ceil(y + height - 1e-4)]
            high = [math.floor(x) + 1, math.floor(y) + 1, math.ceil(x + width + 1e-4), math.ceil(y + height + 1e-4)]
            expect(all(a <= b <= c for a, b, c in zip(low, edges, high)), f"{path}: {edges} for {annotation['bbox']}")
    print(f"Pascal VOC (xml.etree): {boxes} boxes")


def check_supervision(polygons):
    """The other readers of supervision: how much they find."""
    total = len(polygons.anns)
    images = str(OUT / "images")
    coco = supervision.DetectionDataset.from_coco(images, str(OUT / "polygons.json"), force_masks=True)
    voc = supervision.DetectionDataset.from_pascal_voc(images, str(OUT / "voc"))
    for name, read in [("COCO", coco), ("Pascal VOC", voc)]:
        count = sum(len(detections) for detections in read.annotations.values())
        print(f"{name} (supervision): {count} of {total} annotations")
        expect(count == total, f"supervision: {count} of {total} of {name}")


def plain(text):
    return " ".join(text.split())


def check_pages():
    """hOCR by hocr-tools, Markdown by markdown-it: the lines and paragraphs that the page has, and nothing else."""
    tools = pathlib.Path(sys.executable).parent
    markdown = MarkdownIt("commonmark")
    lines = paragraphs = 0
    for path in sorted((OUT / "pages").glob("*.json")):
        truth = json.loads(path.read_text(encoding="utf-8"))
        hocr = path.with_suffix(".hocr")
        told = subprocess.run([sys.executable, tools / "hocr-check", "-o", hocr], capture_output=True, text=True, check=True)
        faults = [line for line in told.stderr.splitlines() if not line.startswith("ok")]
        expect(not faults, f"{hocr}: {faults}")
        read = subprocess.run([sys.executable, tools / "hocr-lines", hocr], capture_output=True, text=True, check=True)
        expect(read.stdout.splitlines() == [plain(line) for line in truth["lines"]], f"{hocr}: {read.stdout}")
        lines += len(truth["lines"])
        blocks = [
            "".join(child.content if child.type in ("text", "text_special") else " " for child in token.children)
            for token in markdown.parse(path.with_suffix(".md").read_text(encoding="utf-8"))
            if token.type == "inline"
        ]
        shown, meant = [plain(block) for block in blocks], [plain(text) for text in truth["paragraphs"]]
        expect(shown == meant, f"{path}: {shown} is not {meant}")
        paragraphs += len(meant)
    print(f"hOCR (hocr-tools): {lines} lines; Markdown (markdown-it-py): {paragraphs} paragraphs")


logging.disable()
with contextlib.suppress(ImportError):
    from loguru import logger

    logger.remove()
polygons = check_coco()
blank_images(polygons)
check_yolo(polygons)
check_labelme(polygons)
check_voc(polygons)
check_supervision(polygons)
check_pages()
for problem in problems[:20]:
    print("DIFFERENT:", problem)
print(f"{len(problems)} differences")
sys.exit(bool(problems))
