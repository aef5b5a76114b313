"""A full-size Florence-2-base with seeded weights in f16, and what is asked of it.

    python checkpoint.py --work DIR

Speed does not depend on what the weights say, so nothing has to be downloaded; ../reference says how they are drawn.
"""
from __future__ import annotations

import argparse
import pathlib
import shutil
import sys

from folders import HERE, REPOSITORY, Folders

sys.path.insert(0, str(HERE.parent / "reference"))

from common import DEFAULTS, Florence2Config, EOS, build, native_config, seeded_state, torch, write_json, write_tensors
from full_size import IMAGE_TOKEN, SIZES, photo_like
from tokenizers import Tokenizer

TOKENIZER = REPOSITORY / "florence-core/tests/data/tokenizer/tokenizer.json"
PROMPTS = [
    "What does the image describe?",
    "Describe in detail what is shown in the image.",
    "Locate the objects with category name in the image.",
    "What is the text in the image?",
    "Locate the phrases in the caption: A green car parked in front of a yellow building.",
    "Locate the phrases in the caption: Two people walk a small dog along a wet street at night.",
]
ALONE = 2  # the prompt that is measured alone: <OD>, 13 tokens
NEW_TOKENS = 64
DONE = "made.json"  # written last: a folder without it is made again


def base() -> tuple[Florence2Config, dict]:
    spec = SIZES["base"]
    d = spec["d_model"]
    text = dict(
        model_type="bart", d_model=d, vocab_size=51328, encoder_layers=spec["layers"], decoder_layers=spec["layers"],
        encoder_attention_heads=spec["heads"], decoder_attention_heads=spec["heads"], encoder_ffn_dim=4 * d, decoder_ffn_dim=4 * d,
        max_position_embeddings=1024, forced_eos_token_id=EOS,
    )
    config = Florence2Config(vision_config=dict(spec["vision"], projection_dim=d), text_config=text, image_token_id=IMAGE_TOKEN)
    return config, spec


def make_checkpoint(folder: pathlib.Path) -> None:
    config, spec = base()
    state = seeded_state(build(config), spec["seed"], spec["eos_bias"], tokens=[192 * 192, 96 * 96, 48 * 48, 24 * 24])
    document = native_config(config)
    document["text_config"].update({k: v for k, v in DEFAULTS.items() if k not in ("max_new_tokens", "length_penalty")})
    write_json(folder / "config.json", document)
    write_json(folder / "preprocessor_config.json", {
        "do_resize": True, "do_rescale": True, "do_normalize": True, "do_center_crop": False, "resample": 3, "rescale_factor": 1 / 255,
        "size": {"height": 768, "width": 768}, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225],
    })
    write_tensors(folder / "model.safetensors", {k: v.half() for k, v in state.items()})
    shutil.copyfile(TOKENIZER, folder / "tokenizer.json")


def make_inputs(folder: pathlib.Path) -> None:
    pixels = photo_like(torch.Generator().manual_seed(SIZES["base"]["seed"] + 77))
    write_tensors(folder / "pixels.safetensors", {"pixel_values": pixels})
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    ids = [tokenizer.encode(prompt).ids for prompt in PROMPTS]
    assert len(ids[ALONE]) == 13, ids[ALONE]
    write_json(folder / "prompts.json", {"texts": PROMPTS, "prompts": ids, "alone": ALONE, "new_tokens": NEW_TOKENS})


def make(folders: Folders) -> None:
    mark = folders.checkpoint / DONE
    if not mark.exists():
        make_checkpoint(folders.checkpoint)
        write_json(mark, {"torch": torch.__version__})
    make_inputs(folders.inputs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    make(Folders(parser.parse_args().work))


if __name__ == "__main__":
    main()
