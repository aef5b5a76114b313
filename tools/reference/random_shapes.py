"""Random architectures with random generation arguments, in the format of the goldens: for a long comparison, not for git.

    python random_shapes.py OUT [--from 1] [--sets 10]

Writes OUT/{set}/{name}/ with the names of the goldens' folders (without `batch`), so that a set can stand in for the goldens.
"""
from __future__ import annotations

import argparse
import math
import pathlib
import random

import stages
from common import json

NAMES = ["plain", "ragged", "short_positions", "rectangle", "stride_one", "wide_window"]


def random_shape(rng: random.Random, seed: int) -> dict:
    def pick(*choices):
        return rng.choice(choices)

    while True:
        heads, groups = [pick(1, 2, 3, 4) for _ in range(4)], [pick(1, 2, 3, 4) for _ in range(4)]
        dims = []
        for h, g in zip(heads, groups):
            step = math.lcm(h, g)
            dims.append(step * max(1, round(pick(8, 12, 16, 20, 24) / step)))
        kernels = [pick(4, 5, 7), pick(2, 3), pick(2, 3), pick(1, 2, 3)]
        strides = [pick(2, 3, 4), pick(1, 2), pick(1, 2), pick(1, 2)]
        paddings = [min(pick(0, 1, 2, 3), k // 2) for k in kernels]
        image = height, width = pick(40, 53, 64, 72), pick(40, 53, 64, 72)
        fits = dims[3] % 2 == 0
        for k, s, p in zip(kernels, strides, paddings):
            height, width = (height + 2 * p - k) // s + 1, (width + 2 * p - k) // s + 1
            fits &= 1 <= height and 1 <= width and height * width <= 3000
        if fits and height <= 50 and width <= 50 and height * width < 300:
            break
    return stages.shape(
        seed=seed, eos_bias=pick(6.5, 7.5, 9.0), logit_std=pick(2.0, 2.5, 3.0), image=image,
        prompts=[rng.randint(3, 14) for _ in range(pick(1, 1, 2, 3))], decoder_len=rng.randint(3, 9), note="random",
        vision=dict(
            depths=[pick(1, 1, 2) for _ in range(4)], embed_dim=dims, num_heads=heads, num_groups=groups,
            window_size=pick(2, 3, 4, 5, 6, 7, 9, 12), patch_size=kernels, patch_stride=strides, patch_padding=paddings,
            patch_prenorm=[False] + [pick(True, True, False) for _ in range(3)], mlp_ratio=pick(1.0, 2.0, 4.0),
            qkv_bias=pick(True, True, False),
        ),
        text=dict(
            d_model=pick(16, 24, 32, 48), encoder_layers=pick(1, 2, 3), decoder_layers=pick(1, 2, 3), heads=(pick(1, 2, 4), pick(1, 2, 4)),
            ffn=(pick(24, 64), pick(24, 64)), max_position_embeddings=400, scale_embedding=pick(False, False, True),
        ),
    )


def random_case(rng: random.Random) -> dict:
    return dict(
        num_beams=rng.choice([1, 2, 2, 3, 3, 4, 5, 6]), early_stopping=rng.choice([True, False, "never"]),
        length_penalty=round(rng.uniform(-1.5, 2.5), 2), no_repeat_ngram_size=rng.choice([0, 1, 2, 3, 3, 4]),
        forced_bos_token_id=rng.choice([None, 0, 0, 5]), forced_eos_token_id=rng.choice([None, 2, 2]),
        max_new_tokens=rng.choice([1, 2, 3, 6, 12, 20, 30]),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--from", dest="first", type=int, default=1)
    parser.add_argument("--sets", type=int, default=10)
    options = parser.parse_args()
    stages.EACH_ROW = ()
    stages.stable = lambda *_args, **_kwargs: True  # the margin alone decides here
    for number in range(options.first, options.first + options.sets):
        rng = random.Random(number)
        for index, name in enumerate(NAMES):
            spec = random_shape(rng, 100 * number + index)
            stages.CASES = {f"case_{i}": random_case(rng) for i in range(40)}
            kept, _, _ = stages.make(name, options.out / str(number), spec, verbose=False)
            rounding = json.loads((options.out / str(number) / name / "generations.json").read_text())["rounding"]
            print(f"{number}/{name}: {len(kept)} cases, rounding {rounding}", flush=True)


if __name__ == "__main__":
    main()
