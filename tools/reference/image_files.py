"""Image files of many kinds, made by Pillow, tifffile and by hand."""

import io
import struct
import warnings
import zlib

import numpy as np
from PIL import Image

warnings.simplefilter("ignore")


def noise(rng, width, height, channels, smooth):
    data = np.frombuffer(rng.randbytes(width * height * channels), np.uint8).reshape(height, width, channels)
    if smooth:
        y, x = np.mgrid[0:height, 0:width]
        data = np.stack([(x * (3 + c) + y * (5 - c)) % 256 for c in range(channels)], -1).astype(np.uint8) // 2 + data // 16
    return data


def picture(rng, mode, size=None):
    """A Pillow image of a mode."""
    width, height = size or rng.choice([(1, 1), (2, 3), (13, 9), (16, 16), (33, 70), (130, 61), (rng.randrange(1, 150), rng.randrange(1, 100))])
    smooth = rng.random() < 0.5
    if mode == "1":
        return Image.fromarray(noise(rng, width, height, 1, smooth)[..., 0]).convert("1")
    if mode == "P":
        image = Image.fromarray(noise(rng, width, height, 1, smooth)[..., 0] % np.uint8(rng.choice([2, 4, 16, 200, 255])))
        image = image.copy()
        image.putpalette(rng.randbytes(3 * rng.choice([2, 4, 16, 200, 256])))
        return image
    if mode == "I;16":
        return Image.fromarray((noise(rng, width, height, 2, smooth).view("<u2")[..., 0] >> rng.choice([0, 7])).astype("<u2"))
    if mode == "I":
        return Image.fromarray(noise(rng, width, height, 4, smooth).view("<i4")[..., 0] >> rng.choice([0, 8, 22]))
    if mode == "F":
        return Image.fromarray(noise(rng, width, height, 1, smooth)[..., 0].astype("f4") * 1.37 - 20.6)
    channels = len(Image.new(mode, (1, 1)).getbands())
    data = noise(rng, width, height, channels, smooth)
    return Image.fromarray(data[..., 0] if channels == 1 else data, mode)


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def damaged(rng, data):
    """Cut, flipped or zeroed."""
    data = bytearray(data)
    how = rng.randrange(3)
    if how == 0:
        return bytes(data[: rng.randrange(len(data))])
    for _ in range(rng.choice([1, 1, 3])):
        at = rng.randrange(len(data))
        data[at] = 0 if how == 1 else data[at] ^ (1 << rng.randrange(8))
    return bytes(data)


def png(rng, count):
    for n in range(count):
        mode = rng.choice(["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
        yield f"png {mode}:{n}", saved(picture(rng, mode), "PNG")


# BMP ---------------------------------------------------------------------


def bmp_by_hand(rng):
    """Every header, depth, mask and run length."""
    width, height = rng.choice([(1, 1), (7, 5), (16, 4), (33, 9)])
    bits, compression = rng.choice([(1, 0), (4, 0), (8, 0), (16, 0), (24, 0), (32, 0), (4, 2), (8, 1), (16, 3), (24, 3), (32, 3)])
    size = rng.choice([12, 40, 52, 56, 64, 108, 124]) if compression == 0 else rng.choice([40, 108, 124])
    top_down = size != 12 and rng.random() < 0.3
    masks = b""
    if compression == 3:
        masks = struct.pack("<4I", *rng.choice({
            16: [(0xF800, 0x7E0, 0x1F, 0), (0x7C00, 0x3E0, 0x1F, 0), (0xF00, 0xF0, 0xF, 0)],
            24: [(0xFF0000, 0xFF00, 0xFF, 0)],
            32: [(0xFF0000, 0xFF00, 0xFF, 0), (0xFF000000, 0xFF0000, 0xFF00, 0), (0xFF000000, 0xFF00, 0xFF, 0), (0xFF000000, 0xFF0000, 0xFF00, 0xFF), (0xFF, 0xFF00, 0xFF0000, 0xFF000000), (0xFF0000, 0xFF00, 0xFF, 0xFF000000), (0xFF000000, 0xFF00, 0xFF, 0xFF0000), (0, 0, 0, 0)],
        }[bits]))
    colors = 0
    palette = b""
    if bits <= 8:
        colors = rng.choice([0, 1 << bits, max(1, (1 << bits) - 1)])
        entries = colors or 1 << bits
        pad = 0 if size == 12 else 1
        ramp = rng.random() < 0.15 and bits == 8 or bits == 1 and rng.random() < 0.3
        value = lambda i: bytes([i * (255 if bits == 1 else 1)] * 3) if ramp else rng.randbytes(3)
        palette = b"".join(value(i) + bytes(pad) for i in range(entries if size != 12 else 1 << bits))
    stride = (width * bits + 31) // 32 * 4
    if compression in (1, 2):
        pixels = runs(rng, width, height, compression == 2)
    else:
        pixels = rng.randbytes(stride * height)
    if size == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", size, width, -height if top_down else height, 1, bits, compression, len(pixels), 0, 0, colors, 0)
        info += masks[:12] if size == 40 and compression == 3 else b""
        info += (masks + bytes(84))[: size - 40] if size > 40 else b""
    offset = 14 + len(info) + len(palette)
    head = b"BM" + struct.pack("<IHHI", offset + len(pixels), 0, 0, offset if rng.random() < 0.9 else 0)
    return f"bmp {bits} bits, compression {compression}", head + info + palette + pixels


def runs(rng, width, height, nibbles):
    out = b""
    for _ in range(height):
        x = 0
        while x < width:
            how = rng.random()
            left = width - x
            if how < 0.6:
                n = min(left, rng.randrange(1, 10)) if rng.random() < 0.95 else rng.randrange(1, 256)
                out += bytes([n, rng.randrange(256)])
            elif how < 0.9 and left >= 3:
                n = rng.randrange(3, left + 1)
                size = (n + 1) // 2 if nibbles else n
                out += bytes([0, n]) + rng.randbytes(size) + bytes(size % 2)
            elif how < 0.93:
                n = rng.randrange(left + 1)
                out += bytes([0, 2, n, 0])
            else:
                n = 1
                out += bytes([1, rng.randrange(256)])
            x += n
        if rng.random() < 0.95:
            out += b"\0\0"
    return out + b"\0\1"


def bmp(rng, count):
    for n in range(count):
        how = rng.random()
        if how < 0.3:
            mode = rng.choice(["1", "L", "P", "RGB", "RGBA"])
            yield f"bmp by Pillow {mode}:{n}", saved(picture(rng, mode), "BMP")
        elif how < 0.8:
            name, data = bmp_by_hand(rng)
            yield f"{name}:{n}", data
        else:
            data = bmp_by_hand(rng)[1] if rng.random() < 0.7 else saved(picture(rng, "P"), "BMP")
            yield f"bmp damaged:{n}", damaged(rng, data)


# GIF ---------------------------------------------------------------------


def lzw(indices, bits, rng):
    """GIF's LZW, with a clear code now and then."""
    clear, out, codes = 1 << bits, 0, 0
    filled = 0
    table, size = {}, bits + 1

    def emit(code):
        nonlocal out, filled
        out |= code << filled
        filled += size

    emit(clear)
    table = {(i,): i for i in range(clear)}
    following = clear + 2
    string = ()
    for index in indices:
        if string + (index,) in table:
            string += (index,)
            continue
        emit(table[string])
        if following < 4096:
            table[string + (index,)] = following
            if following == 1 << size and size < 12:
                size += 1
            following += 1
        if following >= 4096 and rng.random() < 0.2 or rng.random() < 0.001:
            emit(clear)
            table = {(i,): i for i in range(clear)}
            following, size = clear + 2, bits + 1
        string = (index,)
    emit(table[string])
    emit(clear + 1)
    return out.to_bytes((filled + 7) // 8, "little")


def gif_by_hand(rng):
    width, height = rng.choice([(1, 1), (9, 7), (40, 33), (100, 3)])
    depth = rng.randrange(1, 9)
    palette = lambda depth: bytes(v for i in range(1 << depth) for v in ((i, i, i) if ramp else rng.randbytes(3)))
    ramp = rng.random() < 0.2
    has_global = rng.random() < 0.7
    out = rng.choice([b"GIF89a", b"GIF87a"]) + struct.pack("<HHBBB", width, height, (128 if has_global else 0) | depth - 1, rng.randrange(1 << depth), 0)
    if has_global:
        out += palette(depth)
    if rng.random() < 0.3:
        out += b"!\xff\x0bNETSCAPE2.0\3\1\0\0\0"
    if rng.random() < 0.3:
        out += b"!\xfe\5hello\0"
    if rng.random() < 0.4:
        out += b"!\xf9\4" + bytes([rng.randrange(2) | rng.randrange(4) << 2, 0, 0, rng.randrange(1 << depth)]) + b"\0"
    for frame in range(rng.choice([1, 1, 2])):
        x, y, w, h = 0, 0, width, height
        if rng.random() < 0.4:
            x, y = rng.randrange(width), rng.randrange(height)
            w, h = rng.randrange(1, width - x + 3), rng.randrange(1, height - y + 3)
        ramp = rng.random() < 0.2
        local = rng.random() < 0.4
        interlaced = rng.random() < 0.4
        out += b"," + struct.pack("<HHHHB", x, y, w, h, (128 if local else 0) | (64 if interlaced else 0) | depth - 1)
        if local:
            out += palette(depth)
        bits = max(2, depth)
        flat = rng.random() < 0.4
        data = lzw([rng.randrange(1 << depth) if not flat or rng.random() < 0.05 else 0 for _ in range(w * h)], bits, rng)
        out += bytes([bits])
        while data:
            size = rng.choice([255, 255, 1, 20])
            out += bytes([len(data[:size])]) + data[:size]
            data = data[size:]
        out += b"\0"
    return out + b";"


def gif(rng, count):
    for n in range(count):
        how = rng.random()
        if how < 0.2:
            mode = rng.choice(["1", "L", "P", "RGB", "RGBA", "LA"])
            yield f"gif by Pillow:{n}", saved(picture(rng, mode), "GIF", interlace=rng.randrange(2))
        elif how < 0.3:
            frames = [picture(rng, "RGB", (40, 30)) for _ in range(3)]
            yield f"gif animated:{n}", saved(frames[0], "GIF", save_all=True, append_images=frames[1:], disposal=rng.randrange(4))
        elif how < 0.7:
            yield f"gif by hand:{n}", gif_by_hand(rng)
        else:
            yield f"gif damaged:{n}", damaged(rng, gif_by_hand(rng))


# TIFF --------------------------------------------------------------------


def tiff_by_tifffile(rng):
    import tifffile

    channels, dtype, photometric, bits = rng.choice([
        (1, "u1", "minisblack", None), (1, "u1", "miniswhite", None), (1, "u2", "minisblack", None), (1, "u2", "miniswhite", None),
        (1, "i2", "minisblack", None), (1, "i4", "minisblack", None), (1, "u4", "minisblack", None), (1, "f4", "minisblack", None), (1, "bool", "minisblack", None), (1, "bool", "miniswhite", None),
        (3, "u1", "rgb", None), (4, "u1", "rgb", None), (3, "u2", "rgb", None), (4, "u2", "rgb", None), (2, "u1", "minisblack", None),
        (4, "u1", "separated", None), (4, "u2", "separated", None), (1, "u1", "palette", None), (3, "u1", "ycbcr", None),
    ])
    height, width = rng.choice([(1, 1), (9, 13), (40, 33), (64, 64), (130, 70)])
    if dtype == "bool":
        data = np.frombuffer(rng.randbytes(width * height), np.uint8).reshape(height, width) > 127
    elif dtype == "f4":
        data = np.frombuffer(rng.randbytes(width * height), np.uint8).reshape(height, width).astype("f4") * 1.3 - 30
    else:
        size = np.dtype(dtype).itemsize
        data = np.frombuffer(rng.randbytes(width * height * channels * size), dtype).reshape(height, width, channels)
        if size > 1 and rng.random() < 0.5:
            data = data >> (8 * size - 9)
        if channels == 1:
            data = data[..., 0]
    options = {"photometric": photometric, "byteorder": rng.choice("<>"), "metadata": None, "bigtiff": rng.random() < 0.15}
    if channels > 1 and rng.random() < 0.3:
        options["planarconfig"] = "separate"
        data = np.ascontiguousarray(np.moveaxis(data, -1, 0))
    if photometric == "rgb" and channels == 4:
        options["extrasamples"] = [rng.choice(["unassalpha", "assocalpha", "unspecified"])]
    if photometric == "minisblack" and channels == 2:
        options["extrasamples"] = [rng.choice(["unassalpha", "unspecified"])]
        options.setdefault("planarconfig", "contig")
    if photometric == "palette":
        options["colormap"] = np.frombuffer(rng.randbytes(2 * 768), "u2").reshape(3, 256)
    compression = rng.choice([None, "zlib", "lzw", "packbits", "adobe_deflate"])
    if dtype == "u1" and channels in (1, 3) and photometric in ("minisblack", "rgb", "ycbcr") and rng.random() < 0.3:
        compression = "jpeg"
        if photometric == "rgb":
            options["compressionargs"] = {"outcolorspace": "rgb"}
    if compression and compression != "jpeg" and dtype != "bool" and rng.random() < 0.5:
        options["predictor"] = 3 if dtype == "f4" and rng.random() < 0.7 else 2 if dtype != "f4" else False
    if dtype in ("i2", "i4", "f4") and compression:
        options["byteorder"] = "<"  # of big-endian ones Pillow swaps the bytes
    if dtype == "u2" and compression is None:
        options.pop("planarconfig", None)  # of separate planes Pillow takes 8 bits
        data = data if data.ndim == 2 or data.shape[-1] == channels else np.moveaxis(data, 0, -1)
    options["compression"] = compression
    if rng.random() < 0.4:
        options["tile"] = rng.choice([(16, 16), (32, 16), (64, 128)])
    elif rng.random() < 0.6:
        options["rowsperstrip"] = rng.choice([1, 7, 8, 16, 64])
    if rng.random() < 0.2:
        options["extratags"] = [(274, 3, 1, rng.randrange(1, 9), True)]
    out = io.BytesIO()
    tifffile.imwrite(out, data, **options)
    if rng.random() < 0.1:
        out.seek(0)
        tifffile.imwrite(out, data, append=True, **options)
    layout = "tiles" if "tile" in options else "strips"
    return f"tiff {channels} x {dtype} {photometric} {options.get('planarconfig', 'contig')} {compression} {layout}", out.getvalue()


def tiff_by_pillow(rng):
    mode = rng.choice(["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F", "RGBX"])
    compression = rng.choice([None, "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits"])
    if mode == "1":
        compression = rng.choice([None, "group4", "group4", "group3", "packbits"])
    elif mode in ("L", "RGB", "CMYK") and rng.random() < 0.3:
        compression = "jpeg"
    options = {"compression": compression}
    if compression == "jpeg":
        options["quality"] = rng.choice([30, 75, 95])
    if rng.random() < 0.2:
        options["tiffinfo"] = {274: rng.randrange(1, 9)}
    if rng.random() < 0.4:
        options.setdefault("tiffinfo", {})[278] = rng.choice([1, 8, 16])
    return f"tiff by Pillow {mode} {compression}", saved(picture(rng, mode), "TIFF", **options)


def tiff_by_hand(rng):
    """Uncompressed and packed strips of any depth, bit order and byte order."""
    order = rng.choice("<>")
    photometric, samples, bits = rng.choice([(0, 1, 1), (1, 1, 1), (0, 1, 2), (1, 1, 2), (0, 1, 4), (1, 1, 4), (0, 1, 8), (1, 1, 8), (1, 1, 12), (0, 1, 16), (1, 1, 16), (3, 1, 1), (3, 1, 2), (3, 1, 4), (3, 1, 8), (3, 2, 8), (2, 3, 8), (2, 4, 8), (2, 5, 8), (2, 3, 16), (2, 4, 16), (5, 4, 8), (5, 5, 8), (5, 4, 16)])
    width, height = rng.choice([(1, 1), (13, 9), (33, 20)])
    per_strip = rng.choice([1, 4, height])
    row = (width * samples * bits + 7) // 8
    compression = rng.choice([1, 1, 8])
    strips = [rng.randbytes(row * min(per_strip, height - y)) for y in range(0, height, per_strip)]
    if compression == 8:
        strips = [zlib.compress(strip) for strip in strips]
    tags = {256: [width], 257: [height], 258: [bits] * samples, 259: [compression], 262: [photometric], 277: [samples], 278: [per_strip], 279: [len(strip) for strip in strips]}
    if rng.random() < 0.25:
        tags[266] = [2]
    extra = samples - {2: 3, 5: 4}.get(photometric, 1)
    if extra:
        tags[338] = [rng.choice([0, 1, 2])] + [0] * (extra - 1)
    if photometric == 3:
        tags[320] = [rng.randrange(65536) for _ in range(3 << bits)]
    at, body, offsets = 8, b"", []
    for strip in strips:
        offsets.append(at + len(body))
        body += strip + bytes(len(strip) % 2)
    tags[273] = offsets
    entries, far = b"", b""
    start = at + len(body)
    after = start + 2 + 12 * len(tags) + 4
    for tag, values in sorted(tags.items()):
        kind = "I" if tag in (273, 279) else "H"
        data = struct.pack(f"{order}{len(values)}{kind}", *values)
        entries += struct.pack(order + "HHI", tag, 4 if kind == "I" else 3, len(values))
        if len(data) <= 4:
            entries += data.ljust(4, b"\0")
        else:
            entries += struct.pack(order + "I", after + len(far))
            far += data + bytes(len(data) % 2)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", start)
    return f"tiff by hand {photometric} {samples} x {bits}", head + body + struct.pack(order + "H", len(tags)) + entries + bytes(4) + far


def tiff(rng, count):
    for n in range(count):
        how = rng.random()
        try:
            made = tiff_by_tifffile(rng) if how < 0.5 else tiff_by_pillow(rng) if how < 0.8 else tiff_by_hand(rng)
        except (OSError, ValueError, NotImplementedError):
            continue  # not every mode can be written with every option
        if rng.random() < 0.15:
            made = "tiff damaged", damaged(rng, made[1])
        yield f"{made[0]}:{n}", made[1]


def fax(rng, count):
    """Fax pages, most of them with damaged strips and a whole header."""
    for n in range(count):
        compression = rng.choice(["group3", "group4", "group4", "group4", "tiff_ccitt"])
        width, height = rng.choice([1, 8, 33, 100, 301, 1728, 2600]), rng.choice([1, 2, 9, 40])
        page = Image.frombytes("L", (width, height), rng.randbytes(width * height))
        if rng.random() < 0.7:
            # Letters rather than noise.
            page = Image.frombytes("L", (width // 5 + 1, height // 3 + 1), rng.randbytes((width // 5 + 1) * (height // 3 + 1))).resize((width, height), rng.choice([0, 2]))
        page = page.point(lambda level, limit=rng.choice([20, 128, 240]): 255 * (level > limit)).convert("1")
        info = {278: rng.choice([1, 8, height, 64])}
        if compression == "group3":
            info[292] = rng.choice([0, 1, 1, 4, 5])
        data = saved(page, "TIFF", compression=compression, tiffinfo=info)
        with Image.open(io.BytesIO(data)) as file:
            tags = file.tag_v2
            strips, kind = list(zip(tags[273], tags[279])), f"{compression} {tags.get(292, '')}".strip()
        data = bytearray(data)
        if rng.random() < 0.3:
            kind = f"{kind} whole"
        else:
            at, length = rng.choice(strips)
            for _ in range(rng.choice([1, 1, 2, 5])):
                place = at + rng.randrange(max(length, 1))
                data[place] = rng.choice([0, 255, rng.randrange(256), data[place] ^ (1 << rng.randrange(8))])
        yield f"fax {kind}:{n}", bytes(data)


# WebP --------------------------------------------------------------------


def webp(rng, count):
    for n in range(count):
        mode = rng.choice(["RGB", "RGBA", "L"])
        lossless = rng.random() < 0.4
        image = picture(rng, mode)
        options = {"lossless": lossless, "quality": rng.randrange(0, 101), "method": rng.randrange(0, 5), "exact": rng.random() < 0.5}
        if not lossless and mode == "RGBA":
            options["alpha_quality"] = rng.choice([0, 50, 100])
        name = f"webp {'lossless' if lossless else 'lossy'} {mode}"
        if rng.random() < 0.1:
            frames = [picture(rng, "RGBA", image.size) for _ in range(2)]
            name, data = "webp animated", saved(image, "WEBP", save_all=True, append_images=frames, **options)
        else:
            data = saved(image, "WEBP", **options)
        if rng.random() < 0.25:
            name, data = "webp damaged", damaged(rng, data)
        yield f"{name}:{n}", data


KINDS = {"png": png, "bmp": bmp, "gif": gif, "tiff": tiff, "fax": fax, "webp": webp}
