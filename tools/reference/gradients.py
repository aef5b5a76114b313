"""The loss of a small checkpoint and the gradient of every parameter, by PyTorch in f64.

    python gradients.py [--goldens ../../florence-core/tests/goldens]

Writes gradients.json into each folder of NAMES: for every parameter the norm of its gradient and its products with two
fixed vectors, cos(0.7 (k + 1) i) for entry i and k = 0, 1, so that a file of a few kilobytes tells a wrong one from a right one.
"""
import argparse
import json
import math
import pathlib

import torch
from safetensors.torch import load_file
from transformers import Florence2ForConditionalGeneration

HERE = pathlib.Path(__file__).resolve().parent
NAMES = ["plain", "ragged", "rectangle"]
END = 2


def summary(gradient):
    flat = gradient.flatten()
    places = torch.arange(flat.numel(), dtype=torch.float64)
    return [flat.norm().item(), *(torch.dot(flat, torch.cos(0.7 * (k + 1) * places)).item() for k in range(2))]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--goldens", type=pathlib.Path, default=HERE / "../../florence-core/tests/goldens")
    goldens = parser.parse_args().goldens
    for name in NAMES:
        folder = goldens / name
        model = Florence2ForConditionalGeneration.from_pretrained(folder, attn_implementation="eager", dtype=torch.float64)
        model.eval()  # no dropout
        inputs = load_file(folder / "inputs.safetensors")
        fed = inputs["decoder_input_ids"]
        labels = torch.cat([fed[:, 1:], torch.full((len(fed), 1), END)], 1)
        logits = model(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            pixel_values=inputs["pixel_values"].double(),
            decoder_input_ids=fed,
            use_cache=False,
        ).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        loss.backward()
        gradients = {key: summary(value.grad) for key, value in sorted(model.named_parameters()) if value.grad is not None}
        missing = [key for key, value in model.named_parameters() if value.grad is None]
        assert not missing, missing
        assert all(math.isfinite(n) for values in gradients.values() for n in values)
        lines = ",\n".join(f"    {json.dumps(key)}: {json.dumps(values)}" for key, values in gradients.items())
        (folder / "gradients.json").write_text(f'{{\n  "loss": {loss.item()!r},\n  "gradients": {{\n{lines}\n  }}\n}}\n')
        print(name, loss.item(), len(gradients), "parameters")


if __name__ == "__main__":
    main()
