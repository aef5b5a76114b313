"""Checks of the world: answers parse back to the truth, token runs do not repeat, fast and real tokenizer agree."""

import random

import pytest
from tokenizers import Tokenizer

import answers
import tokenizer
import world


@pytest.fixture(scope="module")
def truths():
    return [answers.Truth(world.sample_scene(seed)) for seed in range(400)]


@pytest.fixture(scope="module")
def real():
    return Tokenizer.from_str(tokenizer.build().to_str())


def questions(truths):
    rng = random.Random(3)
    for truth in truths:
        for task in answers.TASKS:
            if answers.applicable(truth, task):
                yield truth, answers.ask(truth, task, rng)


def test_tokens_agree_and_runs_do_not_repeat(truths, real):
    accepted = total = 0
    for truth, question in questions(truths):
        ids, points = answers.encode_segments(question["segments"])
        assert len(ids) == len(points)
        assert ids == real.encode(answers.raw_answer(question), add_special_tokens=False).ids
        prompt = answers.sentence(truth, question)
        assert [0, *tokenizer.encode(prompt), 2] == real.encode(prompt).ids
        total += 1
        if answers.acceptable([2, 0, *ids, 2]):
            accepted += 1
            assert real.decode(ids, skip_special_tokens=False) == answers.raw_answer(question)
    assert accepted / total > 0.95


def test_longest_answers_fit(truths):
    longest = {}
    prompts = 0
    for truth, question in questions(truths):
        ids, _ = answers.encode_segments(question["segments"])
        longest[question["task"]] = max(longest.get(question["task"], 0), len(ids) + 2)
        prompts = max(prompts, len(tokenizer.encode(answers.sentence(truth, question))) + 2)
    print(longest, prompts)
    assert max(longest.values()) <= 64
    assert prompts <= 32


def test_scenes_are_unambiguous(truths):
    for truth in truths:
        centres = [o["cx"] / truth.width for o in truth.objects]
        assert all(b - a >= 0.06 for a, b in zip(centres, centres[1:]))
        pairs = [(o["color"], o["shape"]) for o in truth.objects]
        assert len(set(pairs)) == len(pairs)
        for item in truth.objects:
            assert item["color"] != truth.scene["background"]["color"]
            assert len(world.polygon(item)) <= 12


@pytest.fixture(scope="module")
def post_processor(real):
    from transformers import PreTrainedTokenizerFast
    from transformers.models.florence2.processing_florence2 import Florence2PostProcessor

    from reference import PARSE

    fast = PreTrainedTokenizerFast(tokenizer_object=real)
    return Florence2PostProcessor(config={kind: {} for kind in PARSE}, tokenizer=fast)


def test_answers_parse_back_to_the_truth(truths, post_processor):
    kinds = {
        "<OD>": "description_with_bboxes", "<DENSE_REGION_CAPTION>": "description_with_bboxes",
        "<REGION_PROPOSAL>": "bboxes", "<CAPTION_TO_PHRASE_GROUNDING>": "phrase_grounding",
        "<OPEN_VOCABULARY_DETECTION>": "description_with_bboxes_or_polygons", "<OCR_WITH_REGION>": "ocr",
        "<REFERRING_EXPRESSION_SEGMENTATION>": "polygons", "<REGION_TO_SEGMENTATION>": "polygons",
    }
    for truth, question in questions(truths):
        kind = kinds.get(question["task"])
        if kind is None:
            continue
        size = (truth.width, truth.height)
        text = "</s><s>" + answers.raw_answer(question) + "</s>"
        parsed = post_processor(text=text, image_size=size, parse_tasks=[kind])[kind]
        if kind == "ocr":
            assert [p["text"] for p in parsed] == [t["text"] for t in truth.texts]
            found, true = [p["quad_box"] for p in parsed], [t["quad"] for t in truth.texts]
        elif kind == "polygons":
            found, true = parsed[0]["polygons"], [world.polygon(question["item"]).flatten()]
            assert len(parsed) == 1
        elif question["task"] in ("<OD>", "<DENSE_REGION_CAPTION>"):
            key = "shape" if question["task"] == "<OD>" else "label"
            assert [p["cat_name"] for p in parsed] == [o[key] for o in truth.objects]
            found, true = [p["bbox"] for p in parsed], [o["bbox"] for o in truth.objects]
        elif kind == "bboxes":
            found, true = [p["bbox"] for p in parsed], [i["bbox"] for i in truth.objects + truth.texts]
        else:
            assert parsed
            continue
        assert len(found) == len(true)
        for a, b in zip(found, true):
            assert max(abs(x - y) for x, y in zip(a, b)) <= 2
