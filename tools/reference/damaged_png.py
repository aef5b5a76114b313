"""PNGs of every depth, color and filter, whole and damaged in many ways."""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLORS = {0: (1, (1, 2, 4, 8, 16)), 2: (3, (8, 16)), 3: (1, (1, 2, 4, 8)), 4: (2, (8, 16)), 6: (4, (8, 16))}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(name, data, crc=None):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data) if crc is None else crc)


def rows(rng, width, height, bits, interlaced, flat):
    """The bytes to compress, each row with a filter of its own, and where rows end."""
    out, ends = b"", [0]
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    for x, y, dx, dy in passes:
        columns, lines = -(-(width - x) // dx), -(-(height - y) // dy)
        if columns <= 0 or lines <= 0:
            continue
        for _ in range(lines):
            size = (columns * bits + 7) // 8
            row = bytes(size) if flat else bytes(rng.choice((0, 1, 255, rng.randrange(256))) for _ in range(size))
            out += bytes([0 if flat else rng.randrange(5)]) + row
            ends.append(len(out))
    return out, ends


def picture(rng):
    """A PNG in pieces: chunks before, chunks of pixels, chunks behind."""
    color = rng.choice(list(COLORS))
    channels, depths = COLORS[color]
    depth = rng.choice(depths)
    width, height = rng.choice([(1, 1), (3, 5), (8, 8), (17, 9), (33, 21), (5, 70), (rng.randrange(1, 90), rng.randrange(1, 60))])
    interlaced = rng.random() < 0.4
    raw, ends = rows(rng, width, height, channels * depth, interlaced, rng.random() < 0.25)
    before = [chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlaced))]
    if rng.random() < 0.2:
        before.append(chunk(b"gAMA", struct.pack(">I", 45455)))
    if rng.random() < 0.2:
        before.append(chunk(b"tEXt", b"Title\0" + b"a" * rng.randrange(20)))
    if color == 3 and rng.random() < 0.95:
        colors = rng.choice([1, 2, 1 << depth, rng.randrange(1, 257)])
        before.append(chunk(b"PLTE", bytes(rng.randrange(256) for _ in range(3 * colors))))
    if rng.random() < 0.3:
        size = {0: 2, 2: 6, 3: rng.randrange(1, 10)}.get(color)
        if size:
            before.append(chunk(b"tRNS", bytes(rng.randrange(256) for _ in range(size))))
    behind = []
    if rng.random() < 0.2:
        behind.append(chunk(b"tEXt", b"Comment\0behind"))
    behind.append(chunk(b"IEND", b""))
    return before, raw, ends, behind


def split(rng, stream):
    """The stream in chunks."""
    if rng.random() < 0.5:
        return [chunk(b"IDAT", stream)]
    out = []
    while stream:
        size = rng.choice([0, 1, 2, 5, 17, 100, 1000])
        out.append(chunk(b"IDAT", stream[:size]))
        stream = stream[size:]
    return out


def compress(rng, raw):
    packer = zlib.compressobj(rng.randrange(10), zlib.DEFLATED, rng.choice([9, 12, 15]), 8, rng.choice([0, 1, 2, 3, 4]))
    out = b""
    while raw:
        size = rng.choice([50, 5000, len(raw)])
        out += packer.compress(raw[:size])
        raw = raw[size:]
        if rng.random() < 0.1:
            out += packer.flush(rng.choice([zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH]))
    return out + packer.flush()


def whole(rng):
    before, raw, _, behind = picture(rng)
    return SIGNATURE + b"".join(before + split(rng, compress(rng, raw)) + behind)


def cut(rng):
    file = whole(rng)
    return file[: rng.randrange(len(file))]


def cut_near_end(rng):
    file = whole(rng)
    return file[: len(file) - rng.randrange(min(len(file), 50))]


def flip(rng):
    file = bytearray(whole(rng))
    for _ in range(rng.choice([1, 1, 1, 2, 5])):
        file[rng.randrange(8, len(file))] ^= rng.choice([1, 2, 4, 8, 16, 32, 64, 128, 255])
    return bytes(file)


def flip_pixels(rng):
    """Flipped bits in the compressed pixels only, checksums as they were or mended."""
    before, raw, _, behind = picture(rng)
    stream = bytearray(compress(rng, raw))
    for _ in range(rng.choice([1, 1, 2])):
        at = rng.randrange(len(stream)) if rng.random() < 0.6 else -1 - rng.randrange(min(len(stream), 12))
        stream[at] ^= 1 << rng.randrange(8)
    return SIGNATURE + b"".join(before + split(rng, bytes(stream)) + behind)


def zeroed(rng):
    file = bytearray(whole(rng))
    start = rng.randrange(8, len(file))
    size = rng.choice([1, 4, 16, 100])
    file[start : start + size] = bytes(len(file[start : start + size]))
    return bytes(file)


def bad_checksums(rng):
    before, raw, _, behind = picture(rng)
    pieces = before + split(rng, compress(rng, raw)) + behind
    for _ in range(rng.choice([1, 1, 3])):
        at = rng.randrange(len(pieces))
        pieces[at] = pieces[at][:-4] + struct.pack(">I", rng.getrandbits(32))
    return SIGNATURE + b"".join(pieces)


def bad_pixel_checksum(rng):
    before, raw, _, behind = picture(rng)
    pieces = split(rng, compress(rng, raw))
    at = rng.randrange(len(pieces))
    pieces[at] = pieces[at][:-4] + struct.pack(">I", rng.getrandbits(32))
    return SIGNATURE + b"".join(before + pieces + behind)


def no_end(rng):
    before, raw, _, behind = picture(rng)
    return SIGNATURE + b"".join(before + split(rng, compress(rng, raw)) + behind[:-1])


def rows_missing(rng):
    """A valid stream that ends early, mostly with a row."""
    before, raw, ends, behind = picture(rng)
    size = rng.choice(ends) if rng.random() < 0.7 else rng.randrange(len(raw) + 1)
    pieces = split(rng, compress(rng, raw[:size]))
    return SIGNATURE + b"".join(before + pieces + (behind if rng.random() < 0.7 else behind[:-1]))


def stream_cut(rng):
    """A stream without its end, and chunks behind it."""
    before, raw, _, behind = picture(rng)
    stream = compress(rng, raw)
    stream = stream[: rng.randrange(len(stream)) if rng.random() < 0.5 else len(stream) - rng.randrange(min(12, len(stream)))]
    return SIGNATURE + b"".join(before + split(rng, stream) + behind)


def bad_adler(rng):
    before, raw, _, behind = picture(rng)
    stream = compress(rng, raw)
    return SIGNATURE + b"".join(before + split(rng, stream[:-4] + struct.pack(">I", rng.getrandbits(32))) + behind)


def too_much(rng):
    before, raw, _, behind = picture(rng)
    if rng.random() < 0.5:
        stream = compress(rng, raw + bytes(rng.randrange(1, 50)))
    else:
        stream = compress(rng, raw) + bytes(rng.randrange(256) for _ in range(rng.randrange(1, 50)))
    return SIGNATURE + b"".join(before + split(rng, stream) + behind)


def between(rng):
    """Another chunk between those of the pixels."""
    before, raw, _, behind = picture(rng)
    pieces = split(rng, compress(rng, raw))
    other = rng.choice([chunk(b"tEXt", b"a\0b"), chunk(b"IEND", b""), chunk(b"DDAT", b""), chunk(b"abCd", b"xyz"), chunk(b"ABCD", b"xyz"), b"\0\0\0\0\0\0\0\0\0\0\0\0", chunk(b"zTXt", b"a\0\1bc"), chunk(b"gAMA", b"\0")])
    pieces.insert(rng.randrange(len(pieces) + 1), other)
    return SIGNATURE + b"".join(before + pieces + behind)


def shuffled(rng):
    before, raw, _, behind = picture(rng)
    pieces = before + split(rng, compress(rng, raw)) + behind
    how = rng.randrange(3)
    at, to = rng.randrange(len(pieces)), rng.randrange(len(pieces))
    if how == 0:
        pieces[at], pieces[to] = pieces[to], pieces[at]
    elif how == 1:
        pieces.insert(to, pieces[at])
    else:
        del pieces[at]
    return SIGNATURE + b"".join(pieces)


def header_changed(rng):
    """Other sizes, depths and methods, with a right checksum."""
    before, raw, _, behind = picture(rng)
    header = bytearray(before[0][8:21])
    at = rng.choice([3, 7, 8, 9, 10, 11, 12])
    header[at] = rng.choice([0, 1, 2, 3, 4, 6, 8, 16, rng.randrange(256)])
    return SIGNATURE + b"".join([chunk(b"IHDR", bytes(header))] + before[1:] + split(rng, compress(rng, raw)) + behind)


def odd_chunks(rng):
    """Chunks that are too short, unknown or odd, in front of or behind the pixels."""
    before, raw, _, behind = picture(rng)
    name = rng.choice([b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"tRNS", b"PLTE", b"iCCP", b"zTXt", b"iTXt", b"eXIf", b"acTL", b"fcTL", b"ABCD", b"abcd", b"a_c1", b"a-cd", b"IHDR"])
    data = bytes(rng.choice([0, 0, 1, rng.randrange(256)]) for _ in range(rng.choice([0, 1, 2, 4, 8, 13, 26, 32])))
    where = rng.choice([before, behind])
    where.insert(rng.randrange(1, len(before) + 1) if where is before else rng.randrange(len(behind)), chunk(name, data))
    return SIGNATURE + b"".join(before + split(rng, compress(rng, raw)) + behind)


def animated(rng):
    before, raw, _, behind = picture(rng)
    width, height = struct.unpack(">II", before[0][8:16])
    frames = rng.choice([1, 1, 2, 2, 0])
    control = lambda n, w, h, x, y: chunk(b"fcTL", struct.pack(">IIIIIHHBB", n, w, h, x, y, 1, 10, rng.randrange(3), rng.randrange(2)))
    stream = compress(rng, raw)
    pieces = list(before)
    if rng.random() < 0.9:
        pieces.append(chunk(b"acTL", struct.pack(">II", frames, 0)))
    how = rng.randrange(4)
    number = 0
    if how < 2:
        pieces.append(control(0, width, height, 0, 0))
        number = 1
    elif how == 2:
        w, h = rng.randrange(width + 1), rng.randrange(height + 1)
        pieces.append(control(rng.choice([0, 0, 0, 1]), w, h, rng.randrange(width - w + 1), rng.randrange(height - h + 1)))
        number = 1
    if number and rng.random() < 0.3:
        pieces.append(chunk(b"fdAT", struct.pack(">I", rng.choice([number, number, 5])) + stream))
        number += 1
    else:
        pieces += split(rng, stream)
    if rng.random() < 0.7:
        pieces.append(control(number, width, height, 0, 0))
        pieces.append(chunk(b"fdAT", struct.pack(">I", number + 1) + stream))
    file = SIGNATURE + b"".join(pieces + behind)
    return file[: rng.randrange(len(file))] if rng.random() < 0.2 else file


def big_blocks(rng):
    """Streams of more than one block of Pillow's, whole and cut near its ends."""
    width, height = rng.choice([(200, 150), (97, 400), (1, 70000), (300, 230)])
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    noise = rng.randbytes(3 * width * height)
    raw = b"".join(b"\0" + noise[3 * width * y : 3 * width * (y + 1)] for y in range(height))
    if rng.random() < 0.6:
        row = 3 * width + 1
        raw = raw[: row * rng.randrange(height + 1)]
    stream = zlib.compress(raw, rng.choice([0, 1]))
    if rng.random() < 0.5:
        stream = stream[: min(len(stream), 65536 * rng.randrange(1, 4)) + rng.randrange(-12, 13)]
    return SIGNATURE + header + chunk(b"IDAT", stream) + chunk(b"IEND", b"")


KINDS = [whole, cut, cut_near_end, flip, flip_pixels, zeroed, bad_checksums, bad_pixel_checksum, no_end, rows_missing, stream_cut, bad_adler, too_much, between, shuffled, header_changed, odd_chunks, animated, big_blocks]


def files(rng, count):
    return [(f"{kind.__name__}:{n}", kind(rng)) for kind in KINDS for n in range(count if kind is not big_blocks else count // 10)]
