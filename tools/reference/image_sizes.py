"""Answers about images of other sizes than the checkpoint's: resized to a given size, or not resized at all.

Writes ../../florence-core/tests/goldens/image_sizes.json: for each case the checkpoint, an image by its size and seed (drawn by
`pattern`, which a test draws too), the size it is resized to (null: not at all), the sum of the prepared pixels, the ids of a
beam search and their log-probabilities. Pixels are prepared by `CLIPImageProcessorPil`, the processor of all published
checkpoints, called as `processor(image, size=…)` and `processor(image, do_resize=False)`.
"""

import json
import pathlib

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from transformers import Florence2ForConditionalGeneration
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

import common

GOLDENS = pathlib.Path(__file__).resolve().parent / "../../florence-core/tests/goldens"
IMAGE_TOKEN = 1285
MARGIN = 1e-3

# Checkpoint, image (width, height), size (width, height) or None.
CASES = [
    ("plain", (120, 80), (96, 96)),
    ("plain", (120, 80), (64, 64)),
    ("plain", (120, 80), (160, 96)),
    ("plain", (33, 190), (48, 130)),
    ("plain", (64, 64), None),
    ("plain", (65, 63), None),
    ("plain", (130, 40), None),
    ("plain", (7, 190), None),
    ("plain", (1, 1), None),
    ("ragged", (90, 70), (71, 101)),
    ("ragged", (101, 37), None),
    ("wide_window", (90, 70), (40, 150)),
    ("wide_window", (143, 77), None),
    ("stride_one", (50, 60), (48, 64)),
    ("stride_one", (49, 31), None),
    ("rectangle", (200, 100), (61, 90)),
    ("rectangle", (88, 51), None),
]
ARGS = {
    "num_beams": 3,
    "max_new_tokens": 16,
    "early_stopping": True,
    "length_penalty": 1.0,
    "no_repeat_ngram_size": 3,
    "forced_bos_token_id": 0,
    "forced_eos_token_id": 2,
}


def pattern(width: int, height: int, seed: int) -> Image.Image:
    """Waves of every pixel's place, different for each seed and channel."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    values = x * (7 + seed) + y * (13 + 2 * seed) + c * 50 + (x * y * (c + 1)) // 8 + (x // 16) * (y // 16) * 31
    return Image.fromarray((values % 256).astype(np.uint8))


def main():
    cases = []
    models = {}
    for name, image, size in CASES:
        folder = GOLDENS / name
        if name not in models:
            models[name] = (
                Florence2ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval(),
                CLIPImageProcessorPil.from_pretrained(folder),
                json.loads((folder / "generations.json").read_text())["prompts"][0],
            )
        model, processor, prompt = models[name]
        for seed in range(100):
            how = {"do_resize": False} if size is None else {"size": {"height": size[1], "width": size[0]}}
            pixels = processor(pattern(*image, seed), return_tensors="pt", **how)["pixel_values"]
            features = model.get_image_features(pixels).pooler_output
            tokens = features.reshape(-1, features.shape[-1]).shape[0]
            ids = torch.tensor([[IMAGE_TOKEN] * tokens + prompt])
            inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "pixel_values": pixels}
            case = common.generate(model, inputs, ARGS)
            if case["margin"] >= MARGIN:
                break
        else:
            raise SystemExit(f"{name} {image} {size}: no seed has a margin")
        written = {
            "checkpoint": name,
            "image": image,
            "seed": seed,
            "resize": size,
            "pixels": list(pixels.shape),
            "pixel_sum": pixels.double().sum().item(),
            "visual_tokens": tokens,
            "token_ids": case["token_ids"][0],
            "logprobs": case["transition_scores"][0],
        }
        print(written)
        cases.append(written)
    document = {"reference": "transformers 5.23.0, f32, eager", "args": ARGS, "cases": cases}
    lines = ",\n  ".join(json.dumps(case) for case in cases)
    head = json.dumps({key: value for key, value in document.items() if key != "cases"})
    (GOLDENS / "image_sizes.json").write_text(head[:-1] + ', "cases": [\n  ' + lines + "\n]}\n")


if __name__ == "__main__":
    main()
