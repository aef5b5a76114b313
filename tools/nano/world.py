"""A small world of colored shapes and printed words: scenes are sampled, checked for ambiguity and rendered.

A scene is a plain dict. All coordinates are pixels of the rendered image:

    width, height, seed
    background: {"kind", "color"}
    objects: left to right, each {"shape", "color", "size", "bbox"}
    texts: in reading order, each {"text", "bbox", "quad", "chars": [[char, cx, cy], ...]}
"""

import math
import random
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from words import WORDS

INPUT_SIDE = 128

COLORS = {
    "red": (215, 35, 40),
    "orange": (245, 140, 20),
    "yellow": (245, 225, 40),
    "green": (35, 145, 55),
    "cyan": (50, 210, 220),
    "blue": (35, 75, 205),
    "purple": (130, 45, 175),
    "pink": (245, 120, 190),
    "brown": (125, 75, 35),
    "black": (20, 20, 22),
    "white": (250, 250, 250),
}
BACKGROUNDS = {
    "white": (252, 252, 252),
    "gray": (165, 165, 165),
    "black": (25, 25, 25),
    "pink": (250, 208, 222),
    "yellow": (250, 244, 190),
    "green": (200, 235, 200),
    "blue": (195, 215, 248),
}
KINDS = ("plain", "striped", "checked", "dotted", "gradient")
SHAPES = ("circle", "square", "triangle", "star", "diamond", "pentagon", "heart", "cross", "arrow", "crescent")
SIZES = {"small": (0.15, 0.21), "large": (0.29, 0.42)}
INKS = [(15, 15, 20), (120, 15, 25), (15, 30, 110), (10, 75, 30), (70, 20, 90), (250, 250, 250), (250, 235, 90), (130, 235, 240)]
FONT_DIRS = ("/usr/share/fonts/truetype/dejavu/", "")
FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSerif.ttf", "DejaVuSerif-Bold.ttf")


def _ring(n, start, radius=1.0):
    """n points clockwise (y down) on a circle, from the angle `start` in degrees."""
    return [
        (radius * math.cos(math.radians(start + 360 * i / n)), radius * math.sin(math.radians(start + 360 * i / n)))
        for i in range(n)
    ]


def _heart(n):
    """n points of a heart, clockwise from the notch."""
    points = []
    for i in range(n):
        t = 2 * math.pi * i / n
        x = 16 * math.sin(t) ** 3
        y = -(13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t))
        points.append((x / 16, y / 16))
    return points


def _spaced(points, n):
    """n vertices of a closed outline at equal distances along it, from the first point on."""
    closed = np.array([*points, points[0]])
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    at = np.linspace(0, along[-1], n + 1)[:-1]
    return np.stack([np.interp(at, along, closed[:, k]) for k in (0, 1)], axis=1)


def _crescent(outer, inner):
    """A crescent open to the right: an outer arc from the upper to the lower tip, and the inner arc back."""
    offset, radius = 0.45, 0.80
    cos_tip = (1 + offset**2 - radius**2) / (2 * offset)
    tip = math.degrees(math.acos(cos_tip))
    points = [
        (math.cos(math.radians(-a)), math.sin(math.radians(-a)))
        for a in np.linspace(tip, 360 - tip, outer)
    ]
    tip_y = math.sin(math.radians(tip))
    inner_tip = math.degrees(math.atan2(tip_y, cos_tip - offset))
    back = np.linspace(360 - inner_tip, inner_tip, inner + 2)[1:-1]
    points += [(offset + radius * math.cos(math.radians(-a)), radius * math.sin(math.radians(-a))) for a in back]
    return points


def _unit_shapes():
    """For every shape the answer polygon (12 vertices at most) and the dense outline that is drawn."""
    third = 0.36
    star = []
    for i in range(10):
        radius = 1.0 if i % 2 == 0 else 0.42
        angle = math.radians(-90 + 36 * i)
        star.append((radius * math.cos(angle), radius * math.sin(angle)))
    sharp = {
        "square": [(-1, -1), (1, -1), (1, 1), (-1, 1)],
        "triangle": [(0, -1), (1, 0.85), (-1, 0.85)],
        "star": star,
        "diamond": [(0, -1), (0.78, 0), (0, 1), (-0.78, 0)],
        "pentagon": _ring(5, -90),
        "cross": [
            (-third, -1), (third, -1), (third, -third), (1, -third), (1, third), (third, third),
            (third, 1), (-third, 1), (-third, third), (-1, third), (-1, -third), (-third, -third),
        ],
        "arrow": [(0.1, -0.85), (1, 0), (0.1, 0.85), (0.1, 0.35), (-1, 0.35), (-1, -0.35), (0.1, -0.35)],
    }
    shapes = {name: (points, points) for name, points in sharp.items()}
    area_fit = math.sqrt(math.pi / (6 * math.sin(math.radians(30))))
    shapes["circle"] = (_ring(12, -90, area_fit), _ring(64, -90))
    shapes["heart"] = (_spaced(_heart(240), 12), _heart(60))
    shapes["crescent"] = (_crescent(7, 5), _crescent(40, 30))
    centred = {}
    for name, (polygon, outline) in shapes.items():
        low, high = np.min(outline, axis=0), np.max(outline, axis=0)
        middle, half = (low + high) / 2, float(max(high - low)) / 2
        centred[name] = ((np.array(polygon) - middle) / half, (np.array(outline) - middle) / half)
    return centred


UNIT = _unit_shapes()


def place_shape(points, box):
    """Unit points of a shape, moved and scaled to its box."""
    half = max(box[2] - box[0], box[3] - box[1]) / 2
    return points * half + ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)


@lru_cache(maxsize=512)
def _font(name, size):
    for folder in FONT_DIRS:
        try:
            return ImageFont.truetype(folder + name, size)
        except OSError:
            continue
    raise OSError(f"font {name} is not installed (package fonts-dejavu)")


@lru_cache(maxsize=8)
def _noise(sigma):
    return np.random.default_rng(sigma).normal(0, sigma, (720, 720, 3)).astype(np.int16)


def repeats_trigram(tokens):
    """True where a run of three tokens occurs twice."""
    seen = set()
    for i in range(len(tokens) - 2):
        run = tuple(tokens[i : i + 3])
        if run in seen:
            return True
        seen.add(run)
    return False


def _cased(rng, word):
    return rng.choice((word, word, word.capitalize(), word.upper()))


def sample_word(rng):
    """A listed word (half of the time), a random string of letters or a number."""
    roll = rng.random()
    if roll < 0.5:
        return _cased(rng, rng.choice(WORDS))
    if roll < 0.8:
        return _cased(rng, "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(2, 6))))
    return "".join(rng.choice("0123456789") for _ in range(rng.randint(1, 4)))


def _sample_lines(rng, places):
    """`places` lines of one or two words without a repeated run of three characters over all of them."""
    while True:
        lines, words = [], 0
        for _ in range(places):
            count = 2 if words + (places - len(lines)) < 3 and rng.random() < 0.35 else 1
            words += count
            lines.append(" ".join(sample_word(rng) for _ in range(count)))
        joined = " ".join(lines)
        if len(joined) <= 18 and not repeats_trigram(joined):
            return lines


def _place_texts(rng, width, height, places, scale):
    texts = []
    for line in _sample_lines(rng, places):
        for _ in range(12):
            name = rng.choice(FONTS)
            least = max(12.4 * height / INPUT_SIDE, (10.0 if "Bold" in name else 11.0) * width / INPUT_SIDE)
            font = _font(name, math.ceil(least * rng.uniform(1.0, scale)))
            left, top, right, bottom = font.getbbox(line)
            text_w, text_h = right - left, bottom - top
            if text_w > 0.94 * width:
                continue
            x = rng.uniform(0.02 * width, 0.98 * width - text_w)
            y = rng.uniform(0.02 * height, 0.98 * height - text_h)
            middle = y + text_h / 2
            clear = True
            for other in texts:
                gap = abs(middle - (other["bbox"][1] + other["bbox"][3]) / 2)
                if gap < max(0.14 * height, 0.6 * (text_h + other["bbox"][3] - other["bbox"][1])):
                    clear = False
            if not clear:
                continue
            x0, y0 = round(x) - left, round(y) - top
            box = [x0 + left, y0 + top, x0 + right, y0 + bottom]
            chars, cursor = [], 0.0
            for i, char in enumerate(line):
                end = font.getlength(line[: i + 1])
                if char != " ":
                    chars.append([char, x0 + (cursor + end) / 2, (box[1] + box[3]) / 2])
                cursor = end
            texts.append({
                "text": line, "bbox": box, "chars": chars,
                "quad": [box[0], box[1], box[2], box[1], box[2], box[3], box[0], box[3]],
                "font": (name, font.size), "origin": (x0, y0),
            })
            break
        else:
            return None
    return sorted(texts, key=lambda t: t["bbox"][1] + t["bbox"][3])


def _overlap(a, b):
    """Shared area as a fraction of the smaller box."""
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))


def _near_third(value):
    """True close to the borders between left, middle and right thirds, where a position word is ambiguous."""
    return abs(value - 1 / 3) < 0.03 or abs(value - 2 / 3) < 0.03


def _place_objects(rng, width, height, count, texts, colors):
    side = math.sqrt(width * height)
    allowed = 0.13 if rng.random() < 0.3 else 0.0
    objects, taken = [], set()
    for _ in range(count):
        for _ in range(40):
            shape, color = rng.choice(SHAPES), rng.choice(colors)
            if (shape, color) in taken:
                continue
            size = rng.choice(("small", "large"))
            half = rng.uniform(*SIZES[size]) * side / 2
            outline = UNIT[shape][1]
            low, high = outline.min(axis=0) * half, outline.max(axis=0) * half
            margin = 0.012 * side
            if high[0] - low[0] + 2 * margin > width or high[1] - low[1] + 2 * margin > height:
                continue
            cx = rng.uniform(margin - low[0], width - margin - high[0])
            cy = rng.uniform(margin - low[1], height - margin - high[1])
            if _near_third(cx / width) or _near_third(cy / height):
                continue
            box = [cx + low[0], cy + low[1], cx + high[0], cy + high[1]]
            if any(_overlap(box, o["bbox"]) > allowed or abs(cx - o["cx"]) < 0.06 * width for o in objects):
                continue
            pad = 0.015 * side
            padded = [box[0] - pad, box[1] - pad, box[2] + pad, box[3] + pad]
            if any(_overlap(padded, t["bbox"]) > 0 for t in texts):
                continue
            taken.add((shape, color))
            objects.append({
                "shape": shape, "color": color, "size": size, "cx": cx, "bbox": [float(v) for v in box],
            })
            break
    return objects


def polygon(item):
    """The answer polygon of an object: 12 vertices at most, from the canonical start vertex, clockwise."""
    return place_shape(UNIT[item["shape"]][0], item["bbox"])


def outline(item):
    """The dense outline of an object, as it is drawn."""
    return place_shape(UNIT[item["shape"]][1], item["bbox"])


def sample_scene(seed, text_scale=1.5, sides=(256, 640)):
    """One unambiguous scene; `text_scale` is the largest type relative to the smallest legible type."""
    rng = random.Random(seed)
    while True:
        aspect = math.exp(rng.uniform(math.log(0.6), math.log(1.7)))
        longest = rng.uniform(max(sides[0] * max(aspect, 1 / aspect), sides[0]), sides[1])
        width, height = (longest, longest / aspect) if aspect >= 1 else (longest * aspect, longest)
        width, height = max(sides[0], round(width)), max(sides[0], round(height))
        kind, name = rng.choice(("plain", "plain") + KINDS), rng.choice(list(BACKGROUNDS))
        base = tuple(int(np.clip(c + rng.randint(-6, 6), 0, 255)) for c in BACKGROUNDS[name])
        factor = rng.uniform(0.82, 0.91)
        second = base if kind == "plain" else tuple(
            int(c * factor) if name != "black" else int(c + 255 * (1 - factor)) for c in base
        )
        with_text = rng.random() < 0.78
        count = rng.choices((0, 1, 2, 3, 4), (15, 25, 27, 20, 13) if with_text else (0, 22, 28, 26, 24))[0]
        places = rng.choices((1, 2, 3), (55, 35, 10) if count < 3 else (80, 20, 0))[0] if with_text else 0
        texts = _place_texts(rng, width, height, places, text_scale) if places else []
        if texts is None:
            continue
        colors = [
            c for c, rgb in COLORS.items()
            if c != name and min(math.dist(rgb, base), math.dist(rgb, second)) >= 100
        ]
        objects = _place_objects(rng, width, height, count, texts, colors)
        if not objects and not texts or len(objects) < count and rng.random() < 0.5:
            continue
        inks = [i for i in INKS if min(abs(sum(i) - sum(base)), abs(sum(i) - sum(second))) >= 330]
        for text in texts:
            text["ink"] = rng.choice(inks or [(10, 10, 10) if sum(base) > 380 else (250, 250, 250)])
        for item in objects:
            item["rgb"] = tuple(int(np.clip(c + rng.randint(-9, 9), 0, 255)) for c in COLORS[item["color"]])
        paint = list(range(len(objects)))
        rng.shuffle(paint)
        scene = {
            "seed": seed, "width": width, "height": height,
            "background": {"kind": kind, "color": name, "rgb": (base, second), "grain": rng.random()},
            "objects": objects, "texts": texts, "paint": paint,
            "noise": rng.choice((2, 4, 6)) if rng.random() < 0.3 else 0,
            "blur": rng.uniform(0.4, 0.9) if rng.random() < 0.25 else 0.0,
        }
        scene["objects"] = sorted(objects, key=lambda o: o["cx"])
        by_position = {id(o): i for i, o in enumerate(scene["objects"])}
        scene["paint"] = [by_position[id(objects[i])] for i in paint]
        return scene


def _background(scene, rng):
    width, height = scene["width"], scene["height"]
    kind, (base, second) = scene["background"]["kind"], scene["background"]["rgb"]
    image = np.empty((height, width, 3), np.uint8)
    image[:] = base
    if kind == "plain":
        return image
    period = max(8, int(min(width, height) * (0.07 + 0.09 * scene["background"]["grain"])))
    x, y = np.arange(width)[None, :], np.arange(height)[:, None]
    if kind == "gradient":
        ramp = (y / height if rng.random() < 0.5 else x / width)[..., None]
        image[:] = np.array(base) * (1 - ramp) + np.array(second) * ramp
    elif kind == "dotted":
        for cy in range(period // 2, height, period):
            for cx in range(period // 2, width, period):
                cv2.circle(image, (cx, cy), period // 4, second, -1, cv2.LINE_AA)
    else:
        if kind == "checked":
            mask = ((x // period) + (y // period)) & 1
        else:
            mask = rng.choice(((x + 0 * y), (y + 0 * x), (x + y))) // period & 1
        image[mask.astype(bool)] = second
    return image


def render(scene):
    """The scene as an RGB uint8 array of shape (height, width, 3)."""
    rng = random.Random(scene["seed"] + 1)
    image = _background(scene, rng)
    for index in scene["paint"]:
        item = scene["objects"][index]
        points = np.round(outline(item) * 16).astype(np.int32)
        cv2.fillPoly(image, [points], item["rgb"], cv2.LINE_AA, shift=4)
    if scene["texts"]:
        canvas = Image.fromarray(image)
        draw = ImageDraw.Draw(canvas)
        for text in scene["texts"]:
            draw.text(text["origin"], text["text"], fill=text["ink"], font=_font(*text["font"]))
        image = np.array(canvas)
    if scene["blur"]:
        sigma = scene["blur"] * min(image.shape[:2]) / 256
        image = cv2.GaussianBlur(image, (0, 0), sigma)
    if scene["noise"]:
        top, left = rng.randint(0, 720 - image.shape[0]), rng.randint(0, 720 - image.shape[1])
        noise = _noise(scene["noise"])[top : top + image.shape[0], left : left + image.shape[1]]
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    return image


def model_view(image):
    """What the model sees: Pillow's BICUBIC to 128 x 128, aspect not kept."""
    return np.asarray(Image.fromarray(image).resize((INPUT_SIDE, INPUT_SIDE), Image.BICUBIC))
