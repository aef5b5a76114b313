"""Writes ../../florence-core/tests/data/golden_formats.json: small image files of
many kinds, and what Pillow reads.

    python image_goldens.py

A case has `kind`, `file` (hexadecimal) and, where Pillow reads the file, `width`,
`height` and `sha256` of its RGB pixels. Cases are made from a fixed seed; of each
kind those are kept that are small.
"""

import collections
import hashlib
import io
import json
import os
import random

from PIL import Image

import damaged_png
import image_files

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../florence-core/tests/data/golden_formats.json")
MOST = 1100  # bytes of a file
KEPT = {"png": 6, "bmp": 2, "gif": 12, "tiff": 1, "fax": 5, "webp": 6}


def read(data):
    try:
        with Image.open(io.BytesIO(data)) as image:
            rgb = image.convert("RGB")
    except Exception:
        return {}
    return {"width": rgb.width, "height": rgb.height, "sha256": hashlib.sha256(rgb.tobytes()).hexdigest()}


def unread(kind):
    """Kinds that florence-core refuses by name, and what damaged files become by chance."""
    return "ycbcr" in kind and "contig jpeg" not in kind or kind in ("webp damaged", "tiff damaged")


def candidates():
    for name, data in damaged_png.files(random.Random(7), 60):
        yield "png", "png " + name.split(":")[0], data
    for form in ("bmp", "gif", "tiff", "fax", "webp"):
        for name, data in image_files.KINDS[form](random.Random(7), 1500):
            yield form, name.split(":")[0], data


def main():
    kept = collections.Counter()
    cases = []
    for form, kind, data in candidates():
        golden = read(data)
        # Damaged files that Pillow refuses are of one kind, those that it reads of another.
        key = kind, bool(golden)
        if unread(kind) or len(data) > MOST or kept[key] >= KEPT[form] or (not golden and "damage" not in kind and form != "png"):
            continue
        kept[key] += 1
        cases.append({"kind": kind, "file": data.hex(), **golden})
    with open(OUT, "w") as out:
        out.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    print(len(cases), "cases,", os.path.getsize(OUT), "bytes,", sum("sha256" in case for case in cases), "that Pillow reads")


if __name__ == "__main__":
    main()
