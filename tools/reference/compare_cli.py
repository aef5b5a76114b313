"""`florence run --json` against transformers: same checkpoint, same photos, every task.

    python compare_cli.py --cli ../../target/release/florence --model DIR PHOTO...
        [--tasks OD,CAPTION] [--num-beams 3] [--max-new-tokens 128] [--text TEXT] [--tolerance 1e-4] [--image-size WxH]

DIR is a native checkpoint with its tokenizer.json. The reference side makes its own prompt ids (tokenizers), its own
pixels (Pillow) and its own answer (transformers); the command sees only the file. Exit code 1 if anything differs.
"""
from __future__ import annotations

import argparse
import pathlib
import subprocess
import sys
import time

from common import BOS, DEFAULTS, EOS, PAD, generate, json, torch

import numpy
from PIL import Image
from tokenizers import AddedToken, Tokenizer
from transformers import Florence2ForConditionalGeneration

PROMPTS = {
    "<CAPTION>": "What does the image describe?",
    "<DETAILED_CAPTION>": "Describe in detail what is shown in the image.",
    "<MORE_DETAILED_CAPTION>": "Describe with a paragraph what is shown in the image.",
    "<OCR>": "What is the text in the image?",
    "<OCR_WITH_REGION>": "What is the text in the image, with regions?",
    "<OD>": "Locate the objects with category name in the image.",
    "<DENSE_REGION_CAPTION>": "Locate the objects in the image, with their descriptions.",
    "<REGION_PROPOSAL>": "Locate the region proposals in the image.",
    "<CAPTION_TO_PHRASE_GROUNDING>": "Locate the phrases in the caption: {input}",
    "<REFERRING_EXPRESSION_SEGMENTATION>": "Locate {input} in the image with mask",
    "<REGION_TO_SEGMENTATION>": "What is the polygon mask of region {input}",
    "<OPEN_VOCABULARY_DETECTION>": "Locate {input} in the image.",
    "<REGION_TO_CATEGORY>": "What is the region {input}?",
    "<REGION_TO_DESCRIPTION>": "What does the region {input} describe?",
    "<REGION_TO_OCR>": "What text is in the region {input}?",
}
TEXTS = {
    "<CAPTION_TO_PHRASE_GROUNDING>": "a red circle and a blue square",
    "<REFERRING_EXPRESSION_SEGMENTATION>": "the green triangle",
    "<OPEN_VOCABULARY_DETECTION>": "yellow star",
}
MARKERS = (
    ["<od>", "</od>", "<ocr>", "</ocr>"] + [f"<loc_{i}>" for i in range(1000)]
    + ["<cap>", "</cap>", "<ncap>", "</ncap>", "<dcap>", "</dcap>", "<grounding>", "</grounding>", "<seg>", "</seg>", "<sep>",
       "<region_cap>", "</region_cap>", "<region_to_desciption>", "</region_to_desciption>", "<proposal>", "</proposal>", "<poly>",
       "</poly>", "<and>"]
)


def load_tokenizer(folder: pathlib.Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    listed = folder / "added_tokens.json"
    if listed.exists():  # as the reference's tokenizer does: in the order of their ids
        for token, _ in sorted(json.loads(listed.read_text()).items(), key=lambda item: item[1]):
            if tokenizer.token_to_id(token) is None:
                tokenizer.add_tokens([AddedToken(token, normalized=False)])
    tokenizer.add_tokens([AddedToken(t, normalized=False) for t in MARKERS if tokenizer.token_to_id(t) is None])
    return tokenizer


def region_of(size) -> tuple[int, int, int, int]:
    width, height = size
    return width // 8, height // 6, width * 5 // 8, height * 3 // 4


def region_tokens(region, size) -> str:
    """Bins over the original picture; box corners as (x1, y1, x2, y2). In f32 tensors, as the processor's `quantize`."""
    per_bin = (size[0] / 1000, size[1] / 1000)
    box = torch.tensor([float(v) for v in region])
    bins = [int((box[i] / per_bin[i % 2]).floor().clamp(0, 999)) for i in range(4)]
    return "".join(f"<loc_{b}>" for b in bins)


def pixels_of(image: Image.Image, processor: dict) -> torch.Tensor:
    small = image.convert("RGB")
    if processor.get("do_resize", True):
        size = processor["size"]["width"], processor["size"]["height"]
        small = small.resize(size, Image.Resampling.BICUBIC)
    array = numpy.asarray(small).astype(numpy.float32) * numpy.float32(processor.get("rescale_factor", 1 / 255))
    mean, std = numpy.asarray(processor["image_mean"], numpy.float32), numpy.asarray(processor["image_std"], numpy.float32)
    return torch.from_numpy(((array - mean) / std).transpose(2, 0, 1).copy())[None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="+", type=pathlib.Path)
    parser.add_argument("--cli", type=pathlib.Path, required=True)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--tasks", default=",".join(t.strip("<>") for t in PROMPTS))
    parser.add_argument("--text", help="instead of the built-in text inputs")
    parser.add_argument("--num-beams", type=int, default=3)
    parser.add_argument("--max-new-tokens", type=int, default=128)
    parser.add_argument("--image-size", help="N or WIDTHxHEIGHT, instead of the checkpoint's")
    parser.add_argument("--tolerance", type=float, default=1e-4)
    parser.add_argument("--png", type=pathlib.Path, help="decode with Pillow first and give both sides these PNG files: JPEG decoders differ")
    parser.add_argument("--out", type=pathlib.Path, help="write every difference here as JSON lines")
    options = parser.parse_args()

    if options.png:
        options.png.mkdir(parents=True, exist_ok=True)
        for photo in options.photos:
            with Image.open(photo) as picture:
                picture.convert("RGB").save(options.png / (photo.stem + ".png"))
        options.photos = [options.png / (photo.stem + ".png") for photo in options.photos]
    tokenizer = load_tokenizer(options.model)
    processor = json.loads((options.model / "preprocessor_config.json").read_text())
    if options.image_size:
        width, _, height = options.image_size.partition("x")
        processor |= {"do_resize": True, "size": {"width": int(width), "height": int(height or width)}}
    model = Florence2ForConditionalGeneration.from_pretrained(options.model, dtype=torch.float32, attn_implementation="eager").eval()
    model.generation_config = transformers_defaults()
    image_token = model.config.image_token_id
    args = {**DEFAULTS, "num_beams": options.num_beams, "max_new_tokens": options.max_new_tokens}
    checked = equal = 0
    worst = 0.0
    clock = {"cli": 0.0, "reference": 0.0}
    report = []
    for marker in (f"<{t.strip('<>')}>" for t in options.tasks.split(",")):
        extra = []
        if marker in TEXTS:
            extra = ["--text", options.text or TEXTS[marker]]
        by_region = "{input}" in PROMPTS[marker] and marker not in TEXTS
        groups = [[p] for p in options.photos] if by_region else [list(options.photos)]
        answers = {}
        for group in groups:
            command = [str(options.cli), "run", "--task", marker, "--model", str(options.model), "--num-beams", str(options.num_beams),
                       "--max-new-tokens", str(options.max_new_tokens), "--json", *extra]
            if options.image_size:
                command += ["--image-size", options.image_size]
            if by_region:
                with Image.open(group[0]) as picture:
                    command += ["--region", ",".join(map(str, region_of(picture.size)))]
            started = time.time()
            done = subprocess.run(command + [str(p) for p in group], capture_output=True, text=True)
            clock["cli"] += time.time() - started
            if done.returncode:
                print(f"{marker}: {' '.join(command)} failed ({done.returncode}): {done.stderr.strip()[:300]}")
            for line in done.stdout.splitlines():
                answer = json.loads(line)
                answers[answer["image"]] = answer
        for photo in options.photos:
            with Image.open(photo) as picture:
                size = picture.size
                pixels = pixels_of(picture, processor)
            filled = ""
            if marker in TEXTS:
                filled = extra[1]
            elif by_region:
                filled = region_tokens(region_of(size), size)
            prompt = tokenizer.encode(PROMPTS[marker].replace("{input}", filled)).ids
            with torch.no_grad():
                visual = model.get_image_features(pixels).pooler_output.shape[1]
            inputs = {"pixel_values": pixels, "input_ids": torch.tensor([[image_token] * visual + prompt])}
            inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
            started = time.time()
            want = generate(model, inputs, args)
            clock["reference"] += time.time() - started
            checked += 1
            got = answers.get(str(photo))
            problems = []
            if got is None or "token_ids" not in got:
                problems.append(f"no answer: {got}")
            else:
                ids = want["token_ids"][0]
                if got["token_ids"] != ids:
                    first = next((i for i, (a, b) in enumerate(zip(got["token_ids"], ids)) if a != b), min(len(got["token_ids"]), len(ids)))
                    problems.append(f"ids differ from place {first}: {got['token_ids'][first:first + 6]} reference {ids[first:first + 6]}")
                else:
                    logprobs = got.get("logprobs") or []
                    if len(logprobs) != len(ids) - 1:
                        problems.append(f"{len(logprobs)} log-probabilities for {len(ids)} ids")
                    for i, (a, b) in enumerate(zip(logprobs, want["raw_logprobs"][0])):
                        if i == 0 or i + 1 == options.max_new_tokens:
                            b = 0.0  # forced
                        off = abs(a - b)
                        worst = max(worst, off)
                        if off > options.tolerance:
                            problems.append(f"log-probability {i} of token {ids[i + 1]}: {a} reference {b}")
                            break
                text = tokenizer.decode(ids, skip_special_tokens=False)
                if got["token_ids"] == ids and got["text"] != text:
                    problems.append(f"text {got['text']!r} reference {text!r}")
                if [got["width"], got["height"]] != list(size):
                    problems.append(f"size {got['width']}x{got['height']} reference {size}")
            if problems:
                record = {"image": str(photo), "task": marker, "prompt": prompt, "extra": extra, "margin": want["margin"], "problems": problems,
                          "reference": want["token_ids"][0], "got": got and got.get("token_ids")}
                report.append(record)
                print(f"DIFFERS {marker} {photo.name} (margin {want['margin']:.2e}): {'; '.join(problems)}")
            else:
                equal += 1
        print(f"{marker}: {equal} of {checked} equal so far, largest log-probability difference {worst:.1e}", flush=True)
    print(f"{equal} of {checked} equal; command {clock['cli']:.1f} s, reference generation {clock['reference']:.1f} s")
    if options.out:
        options.out.write_text("".join(json.dumps(r) + "\n" for r in report))
    sys.exit(equal != checked)


def transformers_defaults():
    from transformers import GenerationConfig

    return GenerationConfig(bos_token_id=BOS, pad_token_id=PAD, eos_token_id=EOS, decoder_start_token_id=EOS)


if __name__ == "__main__":
    main()
