"""Files as training scripts leave them: the state dict inside of a larger dictionary, names with a wrapper's prefix.

    python pickles.py

Writes ../../florence-core/tests/data/pickle/{nested,deep,several}.bin, the first from pytorch_model.bin beside them.
"""

import pathlib
from collections import OrderedDict

import torch

FOLDER = pathlib.Path(__file__).resolve().parent / "../../florence-core/tests/data/pickle"


def main():
    weights = torch.load(FOLDER / "pytorch_model.bin", weights_only=True)
    wrapped = OrderedDict((f"module._orig_mod.{name}", tensor) for name, tensor in weights.items())
    parameter = torch.nn.Parameter(torch.zeros(3))
    optimizer = torch.optim.AdamW([parameter])
    parameter.grad = torch.ones(3)
    optimizer.step()
    torch.save(
        {
            "epoch": 3,
            "config": {"lr": 1e-6, "name": "florence", "tags": ["a", "b"]},
            "loss": torch.tensor(0.25),
            "optimizer_state_dict": optimizer.state_dict(),
            "model_state_dict": wrapped,
        },
        FOLDER / "nested.bin",
    )
    small = OrderedDict(a=torch.tensor([1.5, -2.0], dtype=torch.float64), b=torch.arange(4.0).reshape(2, 2))
    torch.save({"state": {"params": small}, "best": 0.5}, FOLDER / "deep.bin", pickle_protocol=4)
    torch.save({"generator": small, "critic": small}, FOLDER / "several.bin")


if __name__ == "__main__":
    main()
