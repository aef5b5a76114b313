"""Asks pycocotools what it makes of seeded polygons, boxes and masks, for florence-postprocess/tests/geometry.rs."""

import json
import pathlib
import random

import numpy as np
from pycocotools import mask as coco

OUT = pathlib.Path(__file__).parents[2] / "florence-postprocess/tests/data/pycocotools.json"


def spelling(rle):
    return rle["counts"].decode()


def ring(random, width, height, kind):
    """A polygon as COCO lists it; kinds differ in where the corners lie."""
    count = random.choice([3, 3, 4, 5, 6, 8, 12, 20])
    points = []
    for _ in range(count):
        x, y = random.random(), random.random()
        if kind == "inside":
            point = (x * width, y * height)
        elif kind == "whole":
            point = (random.randint(0, width), random.randint(0, height))
        elif kind == "ties":  # between two lines of the grid of five a pixel
            point = (random.randint(0, width * 10) / 10, random.randint(0, height * 10) / 10)
        elif kind == "outside":
            point = ((x * 3 - 1) * width, (y * 3 - 1) * height)
        elif kind == "far":
            point = ((x * 60 - 30) * width, (y * 60 - 30) * height)
        elif kind == "small":
            point = (width / 2 + x * 3, height / 2 + y * 3)
        elif kind == "flat":
            point = (x * width, height / 2 + y)
        elif kind == "steep":
            point = (width / 2 + x, y * height)
        elif kind == "bins":  # what the model's 1000 bins give
            point = ((random.randint(0, 999) + 0.5) * width / 1000, (random.randint(0, 999) + 0.5) * height / 1000)
        points.append(point)
    if random.random() < 0.2:
        points.append(points[-1])
    return [round(float(value), random.choice([1, 2, 4, 9])) for point in points for value in point]


KINDS = ["inside", "whole", "ties", "outside", "far", "small", "flat", "steep", "bins"]


def main():
    dice = random.Random(20)
    polygons = []
    for index in range(270):
        width, height = dice.choice([(8, 8), (13, 7), (1, 9), (9, 1), (40, 30), (64, 48), (108, 192), (100, 37)])
        xy = ring(dice, width, height, KINDS[index % len(KINDS)])
        rle = coco.frPyObjects([xy], height, width)[0]
        # pycocotools 2.0 takes the box of counts only where there is something in them.
        box = [float(v) for v in coco.toBbox(rle)] if coco.area(rle) else None
        polygons.append({"size": [height, width], "xy": xy, "counts": spelling(rle), "area": int(coco.area(rle)), "bbox": box})

    boxes = []
    for _ in range(60):
        width, height = dice.choice([(8, 8), (13, 7), (40, 30)])
        x, y = dice.randint(-20, width * 10) / 8, dice.randint(-20, height * 10) / 8
        w, h = dice.randint(1, width * 8) / 8, dice.randint(1, height * 8) / 8
        rle = coco.frPyObjects(np.array([[x, y, w, h]], dtype=np.double), height, width)[0]
        boxes.append({"size": [height, width], "xywh": [x, y, w, h], "counts": spelling(rle)})

    masks = []
    for _ in range(60):
        width, height = dice.choice([(1, 1), (5, 5), (9, 4), (16, 12), (30, 3)])
        share = dice.choice([0.0, 0.05, 0.5, 0.95, 1.0])
        rows = [[int(dice.random() < share) for _ in range(width)] for _ in range(height)]
        rle = coco.encode(np.asfortranarray(np.array(rows, dtype=np.uint8)))
        masks.append({"size": [height, width], "rows": ["".join(map(str, row)) for row in rows], "counts": spelling(rle)})

    pairs = []
    for _ in range(120):
        width, height = dice.choice([(8, 8), (13, 7), (40, 30)])
        both = [coco.frPyObjects([ring(dice, width, height, dice.choice(KINDS))], height, width)[0] for _ in range(2)]
        pairs.append({
            "size": [height, width],
            "counts": [spelling(rle) for rle in both],
            "iou": float(coco.iou(both[:1], both[1:], [0])[0, 0]),
            "iou_crowd": float(coco.iou(both[:1], both[1:], [1])[0, 0]),
            "union": spelling(coco.merge(both)),
            "intersection": spelling(coco.merge(both, True)),
        })
    text = json.dumps({"polygons": polygons, "boxes": boxes, "masks": masks, "pairs": pairs})
    # A case a line, for diffs.
    OUT.write_text(text.replace("}, {", "},\n{").replace("}], ", "}],\n\n") + "\n")
    print(len(polygons), len(boxes), len(masks), len(pairs), "cases,", OUT.stat().st_size, "bytes")


main()
