"""Base and large at full size with seeded random weights, and the reference's numbers for them.

    python full_size.py base|large OUT [--dtype f32|f16] [--layout both|native|microsoft] [--tokenizer FILE]

The files are large: keep OUT outside the repository. README.md has the format.
"""
from __future__ import annotations

import argparse
import gc
import pathlib
import shutil
import time

from common import (
    BOS, DEFAULTS, EOS, Florence2Config, build, generate, load_state, math, microsoft_config, microsoft_state, native_config,
    record_stages, rounding, seeded_state, torch, transformers, write_json, write_tensors,
)

IMAGE_TOKEN = 51289
SIZES = {
    "base": dict(seed=11, eos_bias=8.0, vision=dict(), d_model=768, layers=6, heads=12),
    "large": dict(
        seed=12, eos_bias=8.0,
        vision=dict(embed_dim=[256, 512, 1024, 2048], num_heads=[8, 16, 32, 64], num_groups=[8, 16, 32, 64]),
        d_model=1024, layers=12, heads=16,
    ),
}
PROMPT = [0, 574, 22486, 5, 8720, 19, 4120, 766, 11, 5, 2274, 4, 2]  # Locate the objects with category name in the image.
CASES = {
    "default": {"max_new_tokens": 16},
    "greedy": {"max_new_tokens": 16, "num_beams": 1},
    "early_false": {"max_new_tokens": 12, "early_stopping": False},
}
THIN = 200_000  # elements above which an activation is thinned


def photo_like(gen) -> torch.Tensor:
    """Large blobs, some edges, a little noise; about as normalized photos are."""
    up = torch.nn.functional.interpolate
    pixels = sum(
        up(torch.randn(1, 3, n, n, generator=gen), size=(768, 768), mode="bicubic", align_corners=False) * w
        for n, w in ((4, 0.9), (16, 0.5), (64, 0.25))
    )
    edges = up((torch.rand(1, 1, 12, 12, generator=gen) > 0.6).float(), size=(768, 768), mode="nearest")
    pixels = pixels + edges * torch.randn(1, 3, 1, 1, generator=gen) + 0.05 * torch.randn(1, 3, 768, 768, generator=gen)
    return pixels.clamp(-2.1, 2.6).contiguous()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("size", choices=sorted(SIZES))
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--dtype", choices=("f32", "f16"), default="f32")
    parser.add_argument("--layout", choices=("both", "native", "microsoft"), default="both")
    parser.add_argument("--tokenizer", type=pathlib.Path, help="a tokenizer.json to lay beside the weights")
    parser.add_argument("--rounding", action="store_true", help="also measure the reference's f32 against f64 (twice the memory)")
    options = parser.parse_args()
    spec = SIZES[options.size]
    started = time.time()

    d = spec["d_model"]
    text = dict(
        model_type="bart", d_model=d, vocab_size=51328, encoder_layers=spec["layers"], decoder_layers=spec["layers"],
        encoder_attention_heads=spec["heads"], decoder_attention_heads=spec["heads"], encoder_ffn_dim=4 * d, decoder_ffn_dim=4 * d,
        max_position_embeddings=1024, forced_eos_token_id=EOS,
    )
    config = Florence2Config(vision_config=dict(spec["vision"], projection_dim=d), text_config=text, image_token_id=IMAGE_TOKEN)
    model = build(config)
    state = seeded_state(model, spec["seed"], spec["eos_bias"], tokens=[192 * 192, 96 * 96, 48 * 48, 24 * 24])
    if options.dtype == "f16":  # the weights are what fits in f16; the reference computes in f32 with them
        state = {k: v.half() for k, v in state.items()}
    load_state(model, {k: v.float() for k, v in state.items()})
    parameters = sum(v.numel() for k, v in state.items() if not k.endswith("pos_idx_to_embed"))
    print(f"{options.size}: {parameters:,} parameters, {time.time() - started:.0f} s")

    effective = {k: v for k, v in DEFAULTS.items() if k not in ("max_new_tokens", "length_penalty")}
    processor = {
        "do_resize": True, "do_rescale": True, "do_normalize": True, "do_center_crop": False, "resample": 3, "rescale_factor": 1 / 255,
        "size": {"height": 768, "width": 768}, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225],
    }
    for layout in ("native", "microsoft"):
        if options.layout not in ("both", layout):
            continue
        folder = options.out / layout
        if layout == "native":
            document = native_config(config)
            document["text_config"].update(effective)
            write_json(folder / "config.json", document)
            write_tensors(folder / "model.safetensors", state)
        else:
            write_json(folder / "config.json", microsoft_config(config, effective))
            write_tensors(folder / "model.safetensors", microsoft_state(state))
        write_json(folder / "preprocessor_config.json", processor)
        if options.tokenizer:
            shutil.copyfile(options.tokenizer, folder / "tokenizer.json")
    del state
    gc.collect()
    print(f"written, {time.time() - started:.0f} s")

    gen = torch.Generator().manual_seed(spec["seed"] + 77)
    ids = [IMAGE_TOKEN] * 577 + PROMPT
    inputs = {"pixel_values": photo_like(gen), "input_ids": torch.tensor([ids]), "attention_mask": torch.ones(1, len(ids), dtype=torch.long)}
    decoder = torch.tensor([[EOS, BOS] + torch.randint(4, 51280, (6,), generator=gen).tolist()])
    stages = record_stages(model, inputs, decoder, blocks=False)
    print(f"activations, {time.time() - started:.0f} s")
    off = None
    if options.rounding:
        off = rounding(model, inputs, decoder, stages, blocks=False)
        print(f"the reference's own rounding {off:.1e}, {time.time() - started:.0f} s")
    every, tensors = {}, {**inputs, "prompt_ids": torch.tensor(PROMPT), "decoder_input_ids": decoder}
    for name, value in stages.items():
        print(f"   {name} {tuple(value.shape)} std {float(value.std()):.3f} largest {float(value.abs().max()):.2f}")
        if value.numel() > THIN and name != "logits" and not name == "projector":
            step = math.ceil(value.numel() / THIN) | 1
            tensors[name + ".every"], every[name] = value.flatten()[::step].clone(), step
        else:
            tensors[name] = value
    write_tensors(options.out / "reference.safetensors", tensors)

    cases = []
    for name, changes in CASES.items():
        args = {**DEFAULTS, **changes}
        cases.append({"name": name, "rows": [0], "args": args, **generate(model, inputs, args)})
        print(f"   {name}: {cases[-1]['token_ids'][0]} score {cases[-1]['score']} margin {cases[-1]['margin']:.4f}, {time.time() - started:.0f} s", flush=True)
    write_json(options.out / "reference.json", {
        "size": options.size, "dtype": options.dtype, "seed": spec["seed"], "parameters": parameters, "visual_tokens": 577,
        "reference": f"transformers {transformers.__version__}, f32, eager", "every": every, "rounding": off,
        "shapes": {k: list(v.shape) for k, v in stages.items()}, "cases": cases,
    })


if __name__ == "__main__":
    main()
