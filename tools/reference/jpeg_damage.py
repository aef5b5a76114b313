"""Compares damaged JPEGs, made by seed, with Pillow: pixels equal, or refused by both.

    python jpeg_damage.py compare --count 20000 [--seed 1] [--cjpeg CJPEG] [--keep FOLDER] PROGRAM [ARGUMENT …]
    python jpeg_damage.py seeded [--first 0] [--count 600] ../../crates/bitexact-jpeg/tests/data > GOLDEN
    python jpeg_damage.py goldens --cjpeg CJPEG --djpeg DJPEG ../../florence-core/tests/data

PROGRAM is the example `pixel_hashes` of bitexact-jpeg, or `image_hashes` of florence-core: it reads files one after the other from standard input, each with its
length before it (4 bytes, little-endian), and prints a line for each: the size and the SHA-256 of the RGB pixels, or `refused`.
With libjpeg-turbo's `cjpeg`, kinds are made that Pillow does not write: arithmetic coding, scans of one component, odd sampling.
`--keep` writes the files that differ into a folder. `goldens` writes what the test `damaged_jpegs_equal_pillow` compares with: whole
files of kinds that Pillow does not write, and damages of the files there. `djpeg` of the same libjpeg-turbo says which it warns of.
`seeded` prints what the test `damaged_files_equal_pillow` of bitexact-jpeg compares with: for each seed, Pillow's result for a damage
that the test makes anew by the same random numbers, so that no file is stored.
"""

import argparse
import collections
import hashlib
import io
import json
import multiprocessing
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import warnings
import zlib

from PIL import Image

warnings.simplefilter("ignore")


def picture(generator, width, height, mode):
    """Shapes and noise: enough coefficients of every size."""
    small = Image.frombytes("RGB", (8, 8), generator.randbytes(192))
    image = small.resize((width, height), Image.BICUBIC)
    noise = Image.frombytes("RGB", (width, height), generator.randbytes(3 * width * height))
    return Image.blend(image, noise, generator.choice([0.05, 0.2, 0.6])).convert(mode)


def by_pillow(generator):
    """One whole file and what kind it is."""
    mode = generator.choice(["RGB", "RGB", "RGB", "L", "CMYK"])
    width, height = generator.choice([(64, 48), (97, 61), (33, 70), (200, 150), (17, 16), (8, 8), (3, 50), (130, 9)])
    if generator.random() < 0.06:
        width, height = 420, 300
    image = picture(generator, width, height, mode)
    options = {"quality": generator.choice([25, 60, 85, 97])}
    kind = [mode]
    if mode != "L":
        options["subsampling"] = generator.choice(["4:4:4", "4:2:2", "4:2:0"])
        kind.append(options["subsampling"])
    if generator.random() < 0.45:
        options["progressive"] = True
        kind.append("progressive")
    if generator.random() < 0.3:
        options["optimize"] = True
    if generator.random() < 0.5:
        options[generator.choice(["restart_marker_blocks", "restart_marker_rows"])] = generator.choice([1, 2, 5])
        kind.append("restarts")
    if mode == "RGB" and generator.random() < 0.1:
        options |= {"keep_rgb": True, "subsampling": "4:4:4"}
        kind = [k for k in kind if ":" not in k]
        kind[0] = "Adobe RGB"
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    data = file.getvalue()
    if mode == "CMYK" and generator.random() < 0.5:
        at = data.index(b"Adobe")
        data = data[: at + 11] + b"\x02" + data[at + 12 :]
        kind[0] = "YCCK"
    return " ".join(kind), data


def by_cjpeg(generator, cjpeg):
    """Kinds that Pillow does not write."""
    width, height = generator.choice([(64, 48), (97, 61), (33, 70), (150, 90)])
    mode = generator.choice(["RGB", "RGB", "L"])
    file = io.BytesIO()
    picture(generator, width, height, mode).save(file, "PPM")
    options = ["-quality", str(generator.choice([40, 80, 95]))]
    kind = ["cjpeg", mode]
    if generator.random() < 0.4:
        options.append("-arithmetic")
        kind.append("arithmetic")
    if generator.random() < 0.4:
        options.append("-progressive")
        kind.append("progressive")
    elif mode == "RGB" and generator.random() < 0.5:
        with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as script:
            script.write(generator.choice(["0;\n1;\n2;\n", "0;\n1,2;\n", "0,1;\n2;\n"]))
        options += ["-scans", script.name]
        kind.append("scans of components")
    if mode == "RGB":
        sampling = generator.choice(["1x2", "4x1", "2x2,1x2,1x2", "1x1", "2x2", "2x1,1x1,2x1", "1x1,2x2,1x1", "3x1", "4x2"])
        options += ["-sample", sampling]
        kind.append(sampling)
    if generator.random() < 0.4:
        options += ["-restart", generator.choice(["1", "3B", "7B"])]
        kind.append("restarts")
    made = subprocess.run([cjpeg, *options], input=file.getvalue(), capture_output=True)
    if "-scans" in options:
        pathlib.Path(options[options.index("-scans") + 1]).unlink()
    return (" ".join(kind), made.stdout) if made.stdout else None


def parts(data):
    """The segments as (marker, start, end), and the data of scans with marker 0."""
    found, at = [], 2
    while at + 4 <= len(data):
        marker = data[at + 1]
        if marker == 0xD9:
            break
        end = at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
        found.append((marker, at, end))
        at = end
        if marker == 0xDA:
            while data[at] != 0xFF or data[at + 1] == 0 or 0xD0 <= data[at + 1] <= 0xD7:
                at += 1
            found.append((0, end, at))
    return found


def restarts(data):
    return [
        at
        for marker, start, end in parts(data)
        if marker == 0
        for at in range(start, end - 1)
        if data[at] == 0xFF and 0xD0 <= data[at + 1] <= 0xD7
    ]


def inside(generator, data):
    """A place in the data of a scan."""
    _, start, end = generator.choice([part for part in parts(data) if part[0] == 0])
    return generator.randrange(start, max(end, start + 1))


def segment(generator, data, *markers):
    return generator.choice([part for part in parts(data) if part[0] in markers] or [(0, 2, 2)])


def lost_restart(generator, data):
    for _ in range(generator.choice([1, 1, 2, 5])):
        if places := restarts(data):
            at = generator.choice(places)
            data = data[:at] + data[at + 2 :]
    return data


def doubled_restart(generator, data):
    at = generator.choice(restarts(data) or [inside(generator, data)])
    return data[:at] + data[at : at + 2] + data[at:]


def renumbered_restart(generator, data):
    data = bytearray(data)
    for _ in range(generator.choice([1, 2, 4])):
        if places := restarts(data):
            data[generator.choice(places) + 1] = generator.randrange(0xD0, 0xD8)
    return bytes(data)


def lost_interval(generator, data):
    places = restarts(data)
    if len(places) < 2:
        return data
    first = generator.randrange(len(places) - 1)
    last = min(len(places) - 1, first + generator.randint(1, 6))
    return data[: places[first]] + data[places[last] :]


def zeroed(generator, data):
    at, length = inside(generator, data), generator.choice([1, 4, 30, 200])
    length = min(length, len(data) - at)
    return data[:at] + bytes(length) + data[at + length :]


def flipped_bits(generator, whole):
    data = bytearray(whole)
    for _ in range(generator.choice([1, 1, 3, 10])):
        data[inside(generator, whole)] ^= 1 << generator.randrange(8)
    return bytes(data)


def overwritten(generator, data):
    at, length = inside(generator, data), generator.choice([1, 2, 6, 40])
    return data[:at] + generator.randbytes(length) + data[at + length :]


def anywhere(generator, data):
    data = bytearray(data)
    for _ in range(generator.choice([1, 2, 5])):
        data[generator.randrange(2, len(data))] = generator.randrange(256)
    return bytes(data)


def header(generator, data):
    end = data.index(b"\xff\xda") + 16
    data = bytearray(data)
    data[generator.randrange(2, end)] ^= 1 << generator.randrange(8)
    return bytes(data)


def inserted(generator, data):
    at = inside(generator, data)
    return data[:at] + generator.randbytes(generator.choice([1, 2, 7, 100])) + data[at:]


def deleted(generator, data):
    at = inside(generator, data)
    return data[:at] + data[at + generator.choice([1, 2, 7, 100]) :]


def cut(generator, data):
    return data[: generator.randrange(2, len(data))]


def cut_near_end(generator, data):
    return data[: -generator.randint(1, 40)]


def cut_with_end(generator, data):
    return data[: inside(generator, data)] + b"\xff\xd9"


def no_end_but_more(generator, data):
    return data[:-2] + generator.choice([bytes(generator.randint(1, 60)), generator.randbytes(generator.randint(1, 60))])


def behind_end(generator, data):
    return data + generator.choice([bytes(100), generator.randbytes(100), data, b"\xff\xd8\xff"])


def scans(data):
    """Where each scan begins and ends, with its header."""
    found = parts(data)
    return [(header[1], scan[2]) for header, scan in zip(found, found[1:]) if scan[0] == 0]


def dropped_scans(generator, data):
    found = scans(data)
    for start, end in sorted(generator.sample(found, generator.randint(1, len(found))), reverse=True):
        data = data[:start] + data[end:]
    return data


def last_scans_lost(generator, data):
    return data[: generator.choice(scans(data))[0]] + b"\xff\xd9"


def swapped_scans(generator, data):
    found = scans(data)
    if len(found) < 2:
        return data
    (a, b), (c, d) = sorted(generator.sample(found, 2))
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def lost_segment(generator, data):
    _, start, end = segment(generator, data, 0xC4, 0xDB, 0xDA, 0xDD, 0xC0, 0xC2, 0xE0, 0xEE, 0xC9, 0xCA, 0xCC)
    return data[:start] + data[end:]


def bad_segment(generator, data):
    _, start, end = segment(generator, data, 0xC4, 0xC4, 0xDB, 0xDB, 0xDA, 0xDD, 0xC0, 0xC2, 0xE0, 0xEE, 0xCC)
    data = bytearray(data)
    for _ in range(generator.choice([1, 1, 3])):
        data[generator.randrange(start, max(end, start + 1))] = generator.randrange(256)
    return bytes(data)


def bad_length(generator, data):
    _, start, _ = segment(generator, data, *range(0xC0, 0xFF))
    data = bytearray(data)
    data[start + 2 : start + 4] = struct.pack(">H", generator.choice([0, 1, 2, 3, generator.randrange(65536), 65535, data[start + 3] ^ 1]))
    return bytes(data)


def marker_in_data(generator, data):
    at = inside(generator, data)
    marker = generator.choice([generator.randrange(1, 255), generator.randrange(0xC0, 0xFF), 0xD9, 0xD8, 0xD0, 0xFF])
    tail = b"" if generator.random() < 0.5 else b"\0\2"
    return data[:at] + bytes([0xFF, marker]) + tail + data[at:]


def stray_between(generator, data):
    _, start, _ = segment(generator, data, *range(0xC0, 0xFF))
    return data[:start] + generator.choice([bytes(5), generator.randbytes(9), b"\xff\xff\xff", b"\xff\x00\xff\x00"]) + data[start:]


def quantization_values(generator, data):
    """Large steps: coefficients leave the range of 16 bits."""
    data = bytearray(data)
    for marker, start, end in parts(bytes(data)):
        if marker == 0xDB:
            for _ in range(generator.choice([1, 10, 64])):
                data[generator.randrange(start + 5, end)] = generator.choice([255, 128, 0, 1])
    return bytes(data)


def wide_quantization(generator, data):
    """Steps of 16 bits."""
    for marker, start, end in reversed(parts(data)):
        if marker == 0xDB and end - start == 69:
            steps = b"".join(struct.pack(">H", generator.choice([s, 256 * s, 65535])) for s in data[start + 5 : end])
            table = b"\xff\xdb" + struct.pack(">H", 131) + bytes([data[start + 4] | 0x10]) + steps
            data = data[:start] + table + data[end:]
    return data


def sampling(generator, data):
    data = bytearray(data)
    for marker, start, end in parts(bytes(data)):
        if marker in (0xC0, 0xC2):
            data[generator.randrange(start + 10, end)] = generator.choice([0x11, 0x12, 0x21, 0x22, 0x41, 0x14, 0x31, 0x42])
    return bytes(data)


def size(generator, data):
    """Another height or width: rows or columns that are not there."""
    data = bytearray(data)
    for marker, start, _ in parts(bytes(data)):
        if marker in (0xC0, 0xC2, 0xC9, 0xCA):
            at = start + generator.choice([5, 7])
            value = struct.unpack(">H", data[at : at + 2])[0]
            data[at : at + 2] = struct.pack(">H", generator.choice([value + 1, value + 9, value * 2, value // 2 + 1, 0]))
    return bytes(data)


def twice(generator, data):
    for _ in range(generator.choice([2, 3])):
        data = generator.choice(DAMAGES)(generator, data)
    return data


def none(generator, data):
    return data


DAMAGES = [
    lost_restart, doubled_restart, renumbered_restart, lost_interval, zeroed, flipped_bits, overwritten, anywhere, header, inserted,
    deleted, cut, cut_near_end, cut_with_end, no_end_but_more, behind_end, dropped_scans, last_scans_lost, swapped_scans, lost_segment,
    bad_segment, bad_length, marker_in_data, stray_between, quantization_values, wide_quantization, sampling, size,
]  # fmt: skip


def by_reference(data):
    """A line as the program prints it, without what is behind the tab."""
    try:
        image = Image.open(io.BytesIO(data))
        image.load()
        rgb = image.convert("RGB")
    except Exception:
        return "refused"
    return f"{rgb.width}x{rgb.height} {hashlib.sha256(rgb.tobytes()).hexdigest()}"


def made(seed, cjpeg):
    """Damaged file number `seed`: its kind, its damage, its bytes."""
    generator = random.Random(seed)
    while True:
        try:
            source = by_cjpeg(generator, cjpeg) if cjpeg and generator.random() < 0.3 else by_pillow(generator)
            damage = generator.choice([*DAMAGES, twice, none])
            if source is not None:
                return source[0], damage.__name__, damage(generator, source[1])
        except (OSError, IndexError, ValueError, struct.error):
            # Pillow's encoder stops at some tiny files, and not every damage is possible everywhere.
            continue


def compare(arguments):
    seeds = range(arguments.seed * 1_000_000, arguments.seed * 1_000_000 + arguments.count)
    counts, by_kind, differences = collections.defaultdict(collections.Counter), collections.Counter(), 0
    for start in range(0, len(seeds), 1000):
        files = [made(seed, arguments.cjpeg) for seed in seeds[start : start + 1000]]
        with multiprocessing.Pool(2) as pool:
            theirs = pool.map(by_reference, [data for _, _, data in files], chunksize=20)
        stream = b"".join(struct.pack("<I", len(data)) + data for _, _, data in files)
        ran = subprocess.run(arguments.program, input=stream, capture_output=True)
        ours = ran.stdout.decode().splitlines()
        if len(ours) != len(files):
            sys.exit(f"{len(ours)} lines for {len(files)} files: {ran.stderr.decode()[-2000:]}")
        for seed, (kind, damage, data), their, our in zip(seeds[start:], files, theirs, ours):
            our, _, note = our.partition("\t")
            what = "refused" if their == "refused" else "pixels, a note" if note else "pixels, no note"
            counts[damage][what] += 1
            by_kind[kind] += 1
            if our != their:
                differences += 1
                print(f"differs: {seed} {kind}, {damage}: {our} {note}; Pillow: {their}")
                if arguments.keep:
                    (arguments.keep / f"{seed}_{damage}.jpg").write_bytes(data)
    for damage, what in sorted(counts.items()):
        print(f"{damage:20} {sum(what.values()):6}  {dict(what)}")
    print(f"{arguments.count} files of {len(by_kind)} kinds, {differences} differences")
    return differences


class SplitMix:
    """The random numbers of `Random` in bitexact-jpeg's tests/common/mod.rs."""

    def __init__(self, seed):
        self.state = seed

    def below(self, end):
        mask = (1 << 64) - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return (z ^ (z >> 31)) % end

    def bytes(self, count):
        return bytes(self.below(256) for _ in range(count))


def seeded(seed, whole):
    """The damaged file of a seed, as the function `damaged` there makes it."""
    generator = SplitMix(seed)
    data = bytearray(whole[generator.below(len(whole))])
    for _ in range(1 + generator.below(3)):
        kind = generator.below(12)
        at = min(2 + generator.below(max(len(data), 3) - 2), len(data))
        if kind == 0:
            bit = generator.below(8)
            if at < len(data):
                data[at] ^= 1 << bit
        elif kind == 1:
            end = min(at + 1 + generator.below(8), len(data))
            data[at:end] = generator.bytes(end - at)
        elif kind == 2:
            del data[at : at + 1 + generator.below(16)]
        elif kind == 3:
            count = 1 + generator.below(8)
            data[at:at] = generator.bytes(count)
        elif kind == 4:
            end = min(at + 1 + generator.below(40), len(data))
            data[at:end] = bytes(end - at)
        elif kind == 5:
            del data[at:]
        elif kind == 6:
            data[at:] = b"\xff\xd9"
        elif kind == 7:
            data[at:at] = bytes([0xFF, 0xC0 + generator.below(63)])
        elif kind == 8:
            data[at:at] = data[at : at + 1 + generator.below(64)]
        elif kind in (9, 10):
            markers = [i for i in range(len(data) - 1) if data[i] == 0xFF and 0xD0 <= data[i + 1] <= 0xD7]
            if markers:
                at = markers[generator.below(len(markers))]
                if kind == 9:
                    del data[at : at + 2]
                else:
                    data[at + 1] = 0xD0 + generator.below(8)
        else:
            at = 2 + generator.below(max(data.find(b"\xff\xda"), 0, 3) - 2)
            bit = generator.below(8)
            if at < len(data):
                data[at] ^= 1 << bit
    return bytes(data)


def by_reference_in_short(data):
    """The layout, the size and the checksum of the pixels."""
    try:
        image = Image.open(io.BytesIO(data))
        if image.width * image.height > 1 << 24:
            return "large"
        image.load()
        image = image if image.mode == "L" else image.convert("RGB")
    except Exception:
        return "refused"
    return f"{image.mode} {image.width}x{image.height} {zlib.crc32(image.tobytes()):08x}"


def print_seeded(arguments):
    paths = sorted(path for folder in ("jpeg", "jpeg_kinds") for path in (arguments.folder / folder).iterdir())
    whole = [path.read_bytes() for path in paths]
    for seed in range(arguments.first, arguments.first + arguments.count):
        print(seed, by_reference_in_short(seeded(seed, whole)))
    return 0


def kinds(cjpeg):
    """Small whole files of unusual kinds."""
    generator = random.Random(7)
    color, grey = picture(generator, 45, 38, "RGB"), picture(generator, 45, 38, "L")

    def by(image, *options):
        file = io.BytesIO()
        image.save(file, "PPM")
        return subprocess.run([cjpeg, "-quality", "70", *options], input=file.getvalue(), capture_output=True, check=True).stdout

    def scanned(text, *options):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as script:
            script.write(text)
            script.flush()
            return by(color, "-scans", script.name, *options)

    inks = io.BytesIO()
    picture(generator, 45, 38, "CMYK").save(inks, "JPEG", quality=70, subsampling="4:2:0")
    inks = inks.getvalue()
    adobe = inks.index(b"Adobe")
    usual = by(color)
    no_tables = usual
    for marker, start, end in reversed(parts(usual)):
        if marker == 0xC4:
            no_tables = no_tables[:start] + no_tables[end:]
    return {
        "cmyk.jpg": inks,
        "ycck.jpg": inks[: adobe + 11] + b"\x02" + inks[adobe + 12 :],
        "motion.jpg": no_tables,
        "arithmetic.jpg": by(color, "-arithmetic", "-restart", "2B"),
        "arithmetic_progressive.jpg": by(color, "-arithmetic", "-progressive"),
        "components.jpg": scanned("0;\n1;\n2;\n", "-restart", "4B"),
        "components_arithmetic.jpg": scanned("0;\n1,2;\n", "-arithmetic"),
        "means.jpg": scanned("0,1,2: 0-0, 0, 0;\n"),
        "first_bits.jpg": scanned("0,1,2: 0-0, 0, 1;\n0: 1-5, 0, 2;\n2: 1-63, 0, 1;\n"),
        "three_to_one.jpg": by(color, "-sample", "3x1"),
        "four_to_one.jpg": by(color, "-sample", "1x4"),
        "mixed.jpg": by(color, "-sample", "2x2,1x2,2x1"),
        "large_colour.jpg": by(color, "-sample", "1x1,2x2,1x1"),
        "grey_units.jpg": by(grey, "-sample", "2x2", "-restart", "3B"),
    }


def splice(whole, damaged):
    """The damage as one edit: where, how many bytes go, what comes."""
    start = 0
    while start < min(len(whole), len(damaged)) and whole[start] == damaged[start]:
        start += 1
    tail = 0
    while tail < min(len(whole), len(damaged)) - start and whole[-1 - tail] == damaged[-1 - tail]:
        tail += 1
    return start, len(whole) - tail - start, damaged[start : len(damaged) - tail]


def warned(data, djpeg):
    """Whether libjpeg-turbo warns, which Pillow does not pass on."""
    return bool(subprocess.run([djpeg], input=data, capture_output=True).stderr)


def goldens(arguments):
    folder = arguments.folder
    decoder = folder / "../../../crates/bitexact-jpeg/tests/data"

    def read(name):
        return ((decoder if name.startswith("jpeg") else folder) / name).read_bytes()

    for name, data in kinds(arguments.cjpeg).items():
        (decoder / "jpeg_kinds" / name).write_bytes(data)
    names = sorted(f"jpeg_kinds/{path.name}" for path in (decoder / "jpeg_kinds").glob("*.jpg"))
    cases = [(name, (0, 0, b"")) for name in names]
    names += ["exif/cmyk.jpg", "photos/rocket.jpg"]
    names += [f"jpeg/noise_{kind}.jpg" for kind in ["2", "411", "grey", "greyp", "opt", "rgb", "rst", "rstp"]]
    generator = random.Random(arguments.seed)
    for damage in [*DAMAGES, twice]:
        count = 0
        for _ in range(400):
            name = generator.choice(names)
            whole = read(name)
            try:
                edit = splice(whole, damage(generator, whole))
            except (IndexError, ValueError, struct.error):
                continue
            if edit[1:] == (0, b"") or len(edit[2]) > 150:
                continue
            cases.append((name, edit))
            count += 1
            if count == arguments.each:
                break
    written = []
    for name, (at, remove, insert) in cases:
        whole = read(name)
        data = whole[:at] + insert + whole[at + remove :]
        pixels = by_reference(data)
        case = {"image": name, "at": at, "remove": remove, "insert": insert.hex()}
        if pixels == "refused":
            case["refused"] = True
        else:
            case |= {"pixels": pixels, "warned": warned(data, arguments.djpeg)}
        written.append(case)
    lines = ",\n".join(json.dumps(case) for case in written)
    (folder / "golden_jpeg_damage.json").write_text(f"[\n{lines}\n]\n")
    print(f"{len(written)} cases, {sum('refused' in case for case in written)} refused")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("compare")
    command.add_argument("--count", type=int, default=20000)
    command.add_argument("--seed", type=int, default=1)
    command.add_argument("--cjpeg")
    command.add_argument("--keep", type=pathlib.Path)
    command.add_argument("program", nargs="+")
    command.set_defaults(run=compare)
    command = commands.add_parser("seeded")
    command.add_argument("--first", type=int, default=0)
    command.add_argument("--count", type=int, default=600)
    command.add_argument("folder", type=pathlib.Path)
    command.set_defaults(run=print_seeded)
    command = commands.add_parser("goldens")
    command.add_argument("--seed", type=int, default=1)
    command.add_argument("--each", type=int, default=5, help="damages of each kind")
    command.add_argument("--cjpeg", required=True)
    command.add_argument("--djpeg", required=True)
    command.add_argument("folder", type=pathlib.Path)
    command.set_defaults(run=goldens)
    arguments = parser.parse_args()
    sys.exit(1 if arguments.run(arguments) else 0)


if __name__ == "__main__":
    main()
