"""Photos that are stored turned, all eight ways: exports of the command, read back with Pillow, LabelMe's own reader and
xml.etree. Every format has to have the frame of the upright photo, and the same boxes. Ends with an error where not.

    python frames.py target/release/florence examples/scene.png
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest.mock
import xml.etree.ElementTree as etree

from PIL import Image, ImageOps

# LabelMe's reader needs none of these; the package imports them.
for name in ["onnxruntime", "PyQt5", "PyQt5.QtCore", "PyQt5.QtGui", "PyQt5.QtWidgets", "imgviz", "imgviz.io", "tifffile", "loguru"]:
    sys.modules.setdefault(name, unittest.mock.MagicMock())
from labelme import _label_file as labelme  # noqa: E402

BACK = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def close(a, b):
    return len(a) == len(b) and all(abs(x - y) < 0.01 for x, y in zip(a, b))


def check(command, scene, orientation, folder):
    stored = scene if orientation == 1 else scene.transpose(BACK[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = folder / "photo.jpg"
    stored.save(photo, quality=95, exif=exif)
    targets = [f"--export={name}={folder / path}" for name, path in [("coco", "c.json"), ("labelme", "."), ("voc", "."), ("yolo", "y")]]
    drawn = folder / "drawn.png"
    call = [command, "run", "--task", "od", "--json", "--annotate", drawn, *targets, photo]
    line = json.loads(subprocess.run(call, check=True, capture_output=True).stdout)
    assert (line["width"], line["height"]) == stored.size, "the model sees pixels as they are stored"
    upright = ImageOps.exif_transpose(Image.open(photo))
    assert upright.size == scene.size == Image.open(drawn).size
    coco = json.loads((folder / "c.json").read_text())
    image = coco["images"][0]
    assert (image["width"], image["height"]) == upright.size
    assert image.get("exif_orientation", 1) == orientation and (orientation == 1) == ("frame" not in image)
    boxes = [[x, y, x + w, y + h] for x, y, w, h in (found["bbox"] for found in coco["annotations"])]
    # Where Pillow puts the box of the answer when it turns the photo.
    for box, found in zip(boxes, line["answer"]["value"], strict=True):
        found = [found["bbox"][edge] for edge in ["x1", "y1", "x2", "y2"]]
        whole = [round(edge) for edge in found]
        mask = Image.new("L", stored.size)
        mask.paste(255, whole)
        turned = ImageOps.exif_transpose(with_exif(mask, exif))
        assert all(abs(a - b) <= 1 for a, b in zip(turned.getbbox(), box)), (turned.getbbox(), box)
    read = labelme.read_label_file(str(folder / "photo.json"))
    for shape, box in zip(read.shapes, boxes, strict=True):
        assert close([edge for point in shape["points"] for edge in point], box), "LabelMe"
    root = etree.parse(folder / "photo.xml").getroot()
    assert [int(root.findtext(f"size/{side}")) for side in ["width", "height"]] == list(upright.size), "VOC"
    for element, (x1, y1, x2, y2) in zip(root.findall("object/bndbox"), boxes, strict=True):
        xmin, ymin, xmax, ymax = [int(element.findtext(edge)) for edge in ["xmin", "ymin", "xmax", "ymax"]]
        assert xmin - 1 <= x1 < xmin and ymin - 1 <= y1 < ymin and xmax - 1 < x2 <= xmax and ymax - 1 < y2 <= ymax, "VOC"
    width, height = upright.size
    for label, (x1, y1, x2, y2) in zip((folder / "y" / "photo.txt").read_text().splitlines(), boxes, strict=True):
        _, x, y, w, h = map(float, label.split())
        assert close([(x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height], [x1, y1, x2, y2]), "YOLO"
    return len(boxes)


def with_exif(image, exif):
    """The image as if it had been read from such a file."""
    with tempfile.TemporaryFile() as file:
        image.save(file, "TIFF", exif=exif)
        read = Image.open(file)
        read.load()
    return read


scene = Image.open(sys.argv[2]).convert("RGB")
for orientation in BACK:
    with tempfile.TemporaryDirectory() as folder:
        boxes = check(sys.argv[1], scene, orientation, pathlib.Path(folder))
    print(f"orientation {orientation}: {boxes} boxes, alike and upright in COCO, LabelMe, VOC and YOLO")
