"""Questions and answers about a scene, in the reference's own formats.

An answer is a list of segments `(text, point)`: the point (relative x and y, WHOLE for the image as a whole, or None)
is where the segment is seen in the image; training uses it to guide the cross attention. Joined, the texts are the raw
answer.
"""

from tokenizer import PROMPTS, SPACE, VOCABULARY, encode, is_word_token
from world import polygon, repeats_trigram

TASKS = tuple(PROMPTS)
WHOLE = "whole"
COUNTS = ("no", "one", "two", "three", "four")


def quantize(value, side):
    """The location bin of a pixel coordinate."""
    return min(999, max(0, int(value / (side / 1000))))


def loc(value, side):
    return f"<loc_{quantize(value, side)}>"


class Truth:
    """A scene with the few derived values that the answers need."""

    def __init__(self, scene):
        self.scene = scene
        self.width, self.height = scene["width"], scene["height"]
        self.objects, self.texts = scene["objects"], scene["texts"]
        for item in self.objects:
            x0, y0, x1, y1 = item["bbox"]
            item["at"] = ((x0 + x1) / 2 / self.width, (y0 + y1) / 2 / self.height)
            item["label"] = f"{item['size']} {item['color']} {item['shape']}"

    def box(self, box):
        """The four location tokens of a box."""
        return "".join(loc(v, self.height if i % 2 else self.width) for i, v in enumerate(box))

    def object_box(self, item):
        return [(self.box(item["bbox"]), item["at"])]

    def polygon(self, item):
        points = "".join(loc(x, self.width) + loc(y, self.height) for x, y in polygon(item))
        return [(points, item["at"])]

    def text_locs(self, values, text):
        """Location tokens of a text place: x tokens look at the end that they belong to."""
        x0, y0, x1, y1 = text["bbox"]
        middle = (y0 + y1) / 2 / self.height
        out = []
        for i, value in enumerate(values):
            x = values[i - 1] if i % 2 else value
            inside = (x + (0.03 if x == x0 else -0.03) * self.width) / self.width
            out.append((loc(value, self.height if i % 2 else self.width), (inside, middle)))
        return out

    def spelled(self, text):
        """The characters of a text place, each with its own point."""
        chars, out = iter(text["chars"]), []
        for char in text["text"]:
            if char == " ":
                out.append((" ", None))
            else:
                _, x, y = next(chars)
                out.append((char, (x / self.width, y / self.height)))
        return out


def words(item, *parts):
    """Words that describe one object, all of them seen at the object."""
    return [(" ".join(parts), item["at"])]


def joined(phrases):
    """`A, B and C` from segment lists."""
    out = []
    for i, phrase in enumerate(phrases):
        if i:
            out.append((" and" if i == len(phrases) - 1 else ",", None))
            phrase = [(" " + phrase[0][0], phrase[0][1])] + phrase[1:]
        out += phrase
    return out


def position(at):
    row = ("upper", "middle", "lower")[min(2, int(at[1] * 3))]
    return row + " " + ("left", "center", "right")[min(2, int(at[0] * 3))]


def _opening(truth):
    back = truth.scene["background"]
    count = len(truth.objects)
    what = "text" if not count else f"{COUNTS[count]} shape" + ("s" if count > 1 else "")
    return [
        (f"The image shows {what} on a", None), (f" {back['kind']} {back['color']}", WHOLE), (" background", None)
    ]


def caption(truth):
    if not truth.objects:
        return [("some text", truth_point(truth))]
    out = joined([_phrase(o) for o in truth.objects])
    return out + ([(" with text", truth_point(truth))] if truth.texts else [])


def truth_point(truth):
    """The middle of the first text place."""
    x0, y0, x1, y1 = truth.texts[0]["bbox"]
    return ((x0 + x1) / 2 / truth.width, (y0 + y1) / 2 / truth.height)


def detailed_caption(truth):
    out = _opening(truth)
    if truth.objects:
        out += [(": ", None)]
        out += joined([words(o, o["label"]) for o in truth.objects])
        out = _merge_space(out)
    return out + [(".", None)]


def more_detailed_caption(truth):
    out = _opening(truth) + [(".", None)]
    if truth.objects:
        out += [(" From left to right: ", None)]
        out += joined([words(o, o["label"], position(o["at"])) for o in truth.objects]) + [(".", None)]
        out = _merge_space(out)
    count = len(truth.texts)
    last = " There is no text." if not count else f" There is text in {COUNTS[count]} place" + "s" * (count > 1) + "."
    return out + [(last, None)]


def _merge_space(segments):
    """Moves a trailing space to the front of the next segment, where the tokenizer puts it."""
    out = []
    carry = ""
    for text, point in segments:
        text, carry = carry + text, ""
        if text.endswith(" ") and text != " ":
            text, carry = text[:-1], " "
        out.append((text, point))
    return out


def ocr(truth):
    out = []
    for text in truth.texts:
        out += ([(" ", None)] if out else []) + truth.spelled(text)
    return out


def ocr_with_region(truth):
    out = []
    for text in truth.texts:
        out += truth.spelled(text) + truth.text_locs(text["quad"], text)
    return out


def detection(truth):
    return [s for o in truth.objects for s in words(o, o["shape"]) + truth.object_box(o)]


def dense_captions(truth):
    return [s for o in truth.objects for s in words(o, o["label"]) + truth.object_box(o)]


def proposals(truth):
    out = [s for o in truth.objects for s in truth.object_box(o)]
    return out + [s for t in truth.texts for s in truth.text_locs(t["bbox"], t)]


def _phrase(item):
    """`a red circle`."""
    return words(item, "an" if item["color"] == "orange" else "a", item["color"], item["shape"])


def phrase_text(item):
    return _phrase(item)[0][0]


def grounding(truth, items):
    """The caption that names `items` and its answer."""
    text = "".join(t for t, _ in joined([_phrase(o) for o in items]))
    return text, [s for o in items for s in _phrase(o) + truth.object_box(o)]


def matches(truth, query):
    """Objects, or text places, that a query names."""
    if query == "text":
        return truth.texts
    return [o for o in truth.objects if query in (o["shape"], f"{o['color']} {o['shape']}")]


def open_vocabulary(truth, queries):
    """Every instance of every query; a label is followed by all of its boxes."""
    out = []
    for query in queries:
        found = matches(truth, query)
        if query == "text":
            out.append((query, truth_point(truth)))
            out += [s for t in found for s in truth.text_locs(t["bbox"], t)]
        else:
            out.append((query, found[0]["at"]))
            out += [s for o in found for s in truth.object_box(o)]
    return "<and>".join(queries), out


def possible_queries(truth):
    out = []
    for item in truth.objects:
        out += [item["shape"], f"{item['color']} {item['shape']}"]
    return list(dict.fromkeys(out)) + (["text"] if truth.texts else [])


def repeated_shapes(truth):
    """Shapes of which the scene shows more than one."""
    shapes = [o["shape"] for o in truth.objects]
    return sorted({s for s in shapes if shapes.count(s) > 1})


def referring_expressions(truth):
    """Every unambiguous expression with its object."""
    objects = truth.objects
    out = [(f"the {o['color']} {o['shape']}", o) for o in objects]
    for item in objects:
        if sum(o["shape"] == item["shape"] for o in objects) == 1:
            out.append((f"the {item['shape']}", item))
    if len(objects) < 2:
        return out
    out += [("the leftmost shape", objects[0]), ("the rightmost shape", objects[-1])]
    by_side = sorted(objects, key=lambda o: max(o["bbox"][2] - o["bbox"][0], o["bbox"][3] - o["bbox"][1]))
    extent = [max(o["bbox"][2] - o["bbox"][0], o["bbox"][3] - o["bbox"][1]) for o in by_side]
    if extent[-1] > 1.25 * extent[-2]:
        out.append(("the largest shape", by_side[-1]))
    if extent[1] > 1.25 * extent[0]:
        out.append(("the smallest shape", by_side[0]))
    by_top = sorted(objects, key=lambda o: o["at"][1])
    if by_top[1]["at"][1] - by_top[0]["at"][1] > 0.08:
        out.append(("the topmost shape", by_top[0]))
    return out


def regions(truth):
    """All objects and text places."""
    return truth.objects + truth.texts


def is_text(item):
    return "chars" in item


def region_box(truth, item, rng=None):
    """The region in pixels; with `rng` it is shaken a little, as a user would draw it."""
    box = list(item["bbox"])
    if rng and rng.random() < 0.6:
        box = [
            min(max(v + rng.uniform(-0.012, 0.012) * side, 0), side - 1)
            for v, side in zip(box, (truth.width, truth.height) * 2)
        ]
    return box


def region_category(truth, item):
    return [("text", _middle(truth, item))] if is_text(item) else words(item, item["shape"])


def region_description(truth, item):
    return [("a line of text", _middle(truth, item))] if is_text(item) else words(item, "a", item["label"])


def _middle(truth, item):
    x0, y0, x1, y1 = item["bbox"]
    return ((x0 + x1) / 2 / truth.width, (y0 + y1) / 2 / truth.height)


PLAIN = {
    "<CAPTION>": caption, "<DETAILED_CAPTION>": detailed_caption, "<MORE_DETAILED_CAPTION>": more_detailed_caption,
    "<OCR>": ocr, "<OCR_WITH_REGION>": ocr_with_region, "<OD>": detection, "<DENSE_REGION_CAPTION>": dense_captions,
    "<REGION_PROPOSAL>": proposals,
}


def spellable(truth):
    """False where a printed word is a token of its own, so that it would not be spelled out."""
    return not any(is_word_token(w) for t in truth.texts for w in t["text"].split())


def applicable(truth, task):
    if task in ("<OCR>", "<OCR_WITH_REGION>", "<REGION_TO_OCR>"):
        return bool(truth.texts) and spellable(truth)
    if task in (
        "<OD>", "<DENSE_REGION_CAPTION>", "<CAPTION_TO_PHRASE_GROUNDING>", "<REFERRING_EXPRESSION_SEGMENTATION>",
        "<REGION_TO_SEGMENTATION>",
    ):
        return bool(truth.objects)
    return True


def ask(truth, task, rng):
    """A random question of a task: a dict with task, text, region and segments. The task must be applicable."""
    text = region = item = None
    if task in PLAIN:
        segments = PLAIN[task](truth)
    elif task == "<CAPTION_TO_PHRASE_GROUNDING>":
        items = list(truth.objects)
        if rng.random() < 0.5:
            items = rng.sample(items, rng.randint(1, len(items)))
        text, segments = grounding(truth, items)
    elif task == "<OPEN_VOCABULARY_DETECTION>":
        queries = possible_queries(truth)
        twice = repeated_shapes(truth)
        queries = rng.sample(queries, min(len(queries), rng.choice((1, 1, 1, 2, 2, 3))))
        if twice and rng.random() < 0.7:
            others = [q for q in queries[1:] if q not in twice]
            queries = twice[:1] + others
            rng.shuffle(queries)
        text, segments = open_vocabulary(truth, queries)
    elif task == "<REFERRING_EXPRESSION_SEGMENTATION>":
        text, item = rng.choice(referring_expressions(truth))
        segments = truth.polygon(item)
    else:
        pool = {"<REGION_TO_SEGMENTATION>": truth.objects, "<REGION_TO_OCR>": truth.texts}.get(task, regions(truth))
        item = rng.choice(pool)
        region = region_box(truth, item, rng)
        if task == "<REGION_TO_SEGMENTATION>":
            segments = truth.polygon(item)
        elif task == "<REGION_TO_OCR>":
            segments = truth.spelled(item)
        elif task == "<REGION_TO_CATEGORY>":
            segments = region_category(truth, item)
        else:
            segments = region_description(truth, item)
    return {"task": task, "text": text, "region": region, "segments": segments, "item": item}


def sentence(truth, question):
    """The prompt sentence of a question."""
    value = question["text"] if question["region"] is None else truth.box(question["region"])
    return PROMPTS[question["task"]].replace("{input}", value or "")


def raw_answer(question):
    return "".join(text for text, _ in question["segments"])


def encode_segments(segments):
    """Token ids and, for every token, the point that it is seen at."""
    ids, points = [], []
    for text, point in segments:
        if len(text) == 1:
            part = [SPACE if text == " " else VOCABULARY[text]]
        else:
            part = encode(text)
        ids += part
        points += [point] * len(part)
    return ids, points


def acceptable(ids):
    """The reference's generation forbids a repeated run of three tokens, so no answer may need one."""
    return not repeats_trigram(ids)
