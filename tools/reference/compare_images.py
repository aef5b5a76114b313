"""Reads image files with Pillow and with florence-core and compares the pixels.

    cargo build -p florence-core --features bmp,gif,tiff,webp --example image_hashes
    python compare_images.py png-damage|png|bmp|gif|tiff|fax|webp|FILES... [--count N] [--seed N] [--keep DIR]

Each kind generates its own files. For each file either both refuse, or both
have equal pixels (`Image.open(file).convert("RGB")`); everything else is
printed. `ours only` counts files that only florence-core reads.
"""

import argparse
import collections
import hashlib
import io
import os
import random
import struct
import subprocess
import sys
import warnings

warnings.simplefilter("ignore")

from PIL import Image

import damaged_png
import image_files

HERE = os.path.dirname(os.path.abspath(__file__))
OURS = os.path.join(HERE, "../../target/debug/examples/image_hashes")


def pillow(data):
    """What Pillow reads: size and checksum of the pixels, or why it does not."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            rgb = image.convert("RGB")
            return f"{rgb.width}x{rgb.height} {hashlib.sha256(rgb.tobytes()).hexdigest()}"
    except Exception as error:
        return f"no {type(error).__name__}: {error}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", nargs="+")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", help="a folder for the files that differ")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--ours", default=OURS)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    kinds = {
        "png-damage": lambda: damaged_png.files(rng, args.count),
        **{name: (lambda make=make: make(rng, args.count)) for name, make in image_files.KINDS.items()},
    }
    cases = []
    for what in args.what:
        if what in kinds:
            cases += kinds[what]()
        else:
            cases.append((what, open(what, "rb").read()))
    theirs = [pillow(data) for _, data in cases]
    stream = b"".join(struct.pack("<I", len(data)) + data for _, data in cases)
    run = subprocess.run([args.ours], input=stream, capture_output=True)
    ours = run.stdout.decode().splitlines()
    if len(ours) != len(cases):
        sys.exit(f"{len(ours)} answers to {len(cases)} files: {run.stderr}")
    tally = collections.defaultdict(collections.Counter)
    for (name, data), their, our in zip(cases, theirs, ours):
        pixels, _, notes = our.partition("\t")
        ok = not their.startswith("no "), pixels != "refused"
        if ok == (True, True):
            verdict = "equal" if pixels == their else "DIFFERENT"
            if verdict == "equal" and notes:
                verdict = "equal, with a note"
        else:
            verdict = {(False, False): "both refuse", (True, False): "PILLOW ONLY", (False, True): "ours only"}[ok]
        tally[name.split(":")[0]][verdict] += 1
        if verdict.isupper() or (args.verbose and verdict != "equal"):
            print(f"{verdict}: {name} ({len(data)} bytes)\n  Pillow: {their}\n  ours:   {our}")
            if args.keep:
                os.makedirs(args.keep, exist_ok=True)
                open(os.path.join(args.keep, name.replace("/", "_").replace(":", "_").replace(" ", "_")), "wb").write(data)
    for name, counts in sorted(tally.items()):
        print(f"{name}: {sum(counts.values())} files: " + ", ".join(f"{n} {verdict}" for verdict, n in counts.most_common()))
    return any(v.isupper() for counts in tally.values() for v in counts)


if __name__ == "__main__":
    sys.exit(main())
