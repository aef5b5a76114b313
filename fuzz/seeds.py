"""Writes the first inputs of the fuzz targets into `corpus/`, from test data of the repository.

    python3 seeds.py

Needs nothing but Python's standard library. Inputs that are there stay.
"""

import hashlib
import json
import pathlib
import struct
import zipfile

HERE = pathlib.Path(__file__).parent
CORE = HERE / "../florence-core/tests"
JPEG = HERE / "../crates/bitexact-jpeg/tests/data"

ANSWERS = [
    "A green car parked in front of a yellow building.",
    "car<loc_52><loc_332><loc_932><loc_774>door<loc_710><loc_276><loc_905><loc_645>",
    "car<loc_52><loc_332><loc_932><loc_774><loc_1><loc_2><loc_3><loc_4>",
    "<loc_1><loc_2><loc_3><loc_4><loc_5><loc_6><loc_7><loc_8>",
    "STOP<loc_1><loc_2><loc_3><loc_4><loc_5><loc_6><loc_7><loc_8>",
    "car<poly><loc_1><loc_2><loc_3><loc_4><loc_5><loc_6><sep><loc_7><loc_8><loc_9><loc_10></poly>",
    "<s>a red car<loc_1><loc_2><loc_3><loc_4><and>it<loc_5><loc_6><loc_7><loc_8></s>",
]


# A PNG of one pixel.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"


def requests():
    """The endpoint's number in `request.rs`, and a body."""
    for photo in [PIXEL, "aaaa"]:
        task = {"task": "phrase_grounding", "text": "a dog", "special_tokens": True}
        region = {"task": "region_to_ocr", "region": [0, 0, 1, 1]}
        yield 0, {"image": photo, "questions": [task, region], "options": {"num_beams": 1, "max_new_tokens": 2}}
        url = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{photo}"}}
        for text in ["<OD>", "region_to_ocr: 0,0,1,1", "caption_and_ground"]:
            parts = [{"type": "text", "text": text}, url]
            options = {"stream": True, "stream_options": {"include_usage": True}, "max_tokens": 2, "n": 1}
            yield 1, {"model": "florence-nano:ocr", "messages": [{"role": "user", "content": parts}], **options}
            message = {"role": "user", "content": text, "images": [photo]}
            yield 2, {"model": "florence-nano", "messages": [message], "options": {"num_predict": 2}, "format": "json"}
            yield 3, {"model": "florence-nano", "prompt": text, "images": [photo], "stream": False}
        yield 5, {"image": photo, "exif_orientation": True}
    yield 0, {"image_id": "0" * 32, "questions": [{"task": "od"}]}
    yield 1, {"model": "florence-nano", "messages": [{"role": "system", "content": "x"}], "tools": [{}]}
    yield 4, {"model": "florence-nano:latest"}


def write(target, data):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)


def header_of(safetensors):
    """The JSON before the numbers."""
    length = struct.unpack("<Q", safetensors[:8])[0]
    return safetensors[8 : 8 + length]


def main():
    for path in [*(JPEG / "jpeg").glob("*.jpg"), *(JPEG / "jpeg_kinds").glob("*.jpg")]:
        write("jpeg", path.read_bytes())
    for case in json.loads((CORE / "data/golden_formats.json").read_text()):
        if len(case["file"]) < 4000:
            write("image", bytes.fromhex(case["file"]))
    for path in [*(CORE / "data/exif").iterdir(), *(CORE / "data/modes").iterdir(), *(JPEG / "jpeg_kinds").glob("*.jpg")]:
        if path.stat().st_size < 4000:
            write("image", path.read_bytes())

    for adapter in (CORE / "goldens/adapters").glob("*/adapter_model.safetensors"):
        settings = json.loads((adapter.parent / "adapter_config.json").read_text())
        given = {key: value for key, value in settings.items() if value not in (None, False, {}, [])}
        config = json.dumps(given, separators=(",", ":")).encode()
        write("adapter", config + b"\0" + header_of(adapter.read_bytes()))

    model = (CORE / "goldens/short_positions/model.safetensors").read_bytes()
    write("safetensors", header_of(model))
    write("safetensors", header_of((CORE / "goldens/plain/microsoft/model.safetensors").read_bytes()))
    few = b'{"model.shared.weight":{"dtype":"F32","shape":[4,2],"data_offsets":[0,32]},"__metadata__":{"format":"pt"}}'
    write("safetensors", few)
    write("safetensors", b"\xff" + struct.pack("<Q", len(few)) + few + bytes(32))

    for path in (CORE / "data/pickle").glob("*.bin"):
        if path.stat().st_size < 4000:
            write("pickle", b"\xff" + path.read_bytes())
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    if name.endswith("data.pkl"):
                        write("pickle", archive.read(name))

    for path in [*(CORE / "data/config").rglob("*.json"), *(CORE / "goldens").rglob("*config.json")]:
        write("config", path.read_bytes())
    write("tokenizer", (CORE / "goldens/plain/tokenizer.json").read_bytes())
    write("tokenizer", b'{"<loc_0>": 60, "<loc_1>": 61}')

    size = struct.pack("<II", 640, 480)
    for answer in ANSWERS:
        # libFuzzer's `arbitrary` reads numbers from the front here, and the text behind them.
        write("text", size + answer.encode())
    write("tokens", bytes(range(0, 128, 3)) * 2)
    write("tokens", bytes([200, 99, 1, 0, 2, 0, 3, 0, 4, 0, 130, 2, 150, 1]))
    write("parse", struct.pack("<HH", 640, 480) + bytes([160, 1, 2, 3, 4, 161, 5, 6, 7, 8, 200, 1, 2, 3, 4, 5, 6, 202, 9, 9, 9, 201]))
    for endpoint, body in requests():
        write("request", bytes([endpoint]) + json.dumps(body).encode())
    for folder in sorted((HERE / "corpus").iterdir()):
        files = list(folder.iterdir())
        print(f"{folder.name}: {len(files)} inputs, {sum(file.stat().st_size for file in files)} bytes")


if __name__ == "__main__":
    main()
