"""`florence parse --compat transformers` against the post-processor of transformers, on random answers.

    python compare_parse.py --cli ../../target/release/florence [--cases 5000] [--seed 1]
"""
from __future__ import annotations

import argparse
import inspect
import json
import pathlib
import random
import subprocess
import sys
import types

from transformers.models.florence2 import processing_florence2
from transformers.models.florence2.processing_florence2 import Florence2Processor

TASKS = [
    "CAPTION", "DETAILED_CAPTION", "MORE_DETAILED_CAPTION", "OCR", "OCR_WITH_REGION", "OD", "DENSE_REGION_CAPTION", "REGION_PROPOSAL",
    "CAPTION_TO_PHRASE_GROUNDING", "REFERRING_EXPRESSION_SEGMENTATION", "REGION_TO_SEGMENTATION", "OPEN_VOCABULARY_DETECTION",
    "REGION_TO_CATEGORY", "REGION_TO_DESCRIPTION", "REGION_TO_OCR",
]
WORDS = [
    "car", "a red car", " wheel", "the", "The image", "it", "lots", "two  dogs", "naïve café", "名前", "🙂", "a<b", "x > y", "<", ">", "</", "\n", " ", "  ", "\t",
    "<poly>", "</poly>", "<sep>", "<and>", "<od>", "</od>", "<grounding>", "<s>", "</s>", "<pad>", "<loc_", "<loc_x>", "<loc_12", "loc_5>", "<unk>", "<ocr>", "1,2.5", "\"quoted\"", "\\", "é",
    "\u00a0", "\u2028", "\r", "\r\n", "\x0b", "\x1c", "A", "I", "itself.", "-", "<cap>", "<region_cap>", "<loc_1000>", "<loc_007>", "<loc_99999>",
    "<loc_\uff15>", "<loc_\u0663>", "<loc_1_0>", "<loc_ 5>", "\x85", "\u3000", "\ufeff", "\u200b", "\x1f", "\x00", "<poly><loc_1>", "<s></s>", "<</s>s>", "<s", "ſ", "K",
]
# What the published processor_config.json lists for phrase grounding.
BANNED = (
    "a, a group, a set, all, an, another, any, anybody, anyone, anything, each, each other, everybody, everyone, everything, "
    "few, he, her, hers, herself, him, himself, his, I, image, images, it, its, itself, lots, many, me, mine, myself, nobody, "
    "none, one, one another, oneself, other objects, our, ours, ourselves, several, she, some, somebody, someone, something, "
    "that, the, the image, their, theirs, them, themselves, these, they, this, those, us, we, what, which, who, whom, whose, "
    "you, your, yours, yourself, yourselves "
).strip().split(", ")


def reference_processor():
    """The processor without its tokenizer and image processor: parsing needs neither."""
    processor = object.__new__(Florence2Processor)
    source = inspect.getsource(Florence2Processor.__init__)
    names = {}
    start = source.index("self.tasks_answer_post_processing_type = {")
    exec("self = holder\n" + source[start:source.index("}", start) + 1], {"holder": (holder := types.SimpleNamespace()), **names})
    processor.tasks_answer_post_processing_type = holder.tasks_answer_post_processing_type
    tokenizer = types.SimpleNamespace(all_special_tokens=["<s>", "</s>", "<pad>", "<unk>", "<mask>"], bos_token_id=0)
    config = {kind: {} for kind in set(processor.tasks_answer_post_processing_type.values())}
    config["phrase_grounding"] = {"banned_grounding_tokens": BANNED}
    processor.post_processor = processing_florence2.Florence2PostProcessor(config=config, tokenizer=tokenizer)
    return processor


def random_answer(rng: random.Random) -> str:
    parts = []
    for _ in range(rng.randint(0, 12)):
        kind = rng.random()
        if kind < 0.45:
            parts += [f"<loc_{rng.randint(0, 999)}>" for _ in range(rng.choice([1, 2, 3, 4, 4, 4, 5, 6, 8, 8, 9]))]
        else:
            parts.append(rng.choice(WORDS))
    text = "".join(parts)
    return rng.choice(["</s><s>", "", "<s>"]) + text + rng.choice(["</s>", "", "</s><pad><pad>"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cli", type=pathlib.Path, required=True)
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=10)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    processor = reference_processor()
    cases = []
    for _ in range(options.cases):
        task = f"<{rng.choice(TASKS)}>"
        size = [rng.choice([1, 7, 100, 451, 512, 640, 1000, 1333, 4000]) for _ in range(2)]
        text = random_answer(rng)
        try:
            want = processor.post_process_generation(text=text, task=task, image_size=tuple(size))
        except Exception as error:  # the reference itself fails on some answers
            want = {"error": repr(error)}
        cases.append(({"task": task, "text": text, "size": size}, want))
    done = subprocess.run(
        [str(options.cli), "parse", "--compat", "transformers"], input="".join(json.dumps(c) + "\n" for c, _ in cases), capture_output=True, text=True
    )
    lines = done.stdout.split("\n")[:-1]
    print(f"{len(cases)} cases, {len(lines)} lines, exit {done.returncode} {done.stderr[:200]}")
    wrong = failed = 0
    for (case, want), line in zip(cases, lines):
        got = json.loads(line)
        if "error" in want:
            failed += 1
        elif got != want:
            wrong += 1
            if wrong <= options.show:
                print(json.dumps(case), "\n   ours     ", json.dumps(got), "\n   reference", json.dumps(want))
    print(f"{len(lines) - wrong - failed} equal, {wrong} differ, {failed} on which the reference itself fails")
    sys.exit(wrong > 0 or len(lines) != len(cases))


if __name__ == "__main__":
    main()
