"""The checkpoint as ONNX files and as OpenVINO's IR.

    python export.py --work DIR [--only onnx|openvino]
"""
from __future__ import annotations

import argparse
import pathlib
import warnings

import torch
from transformers import Florence2ForConditionalGeneration

import graphs
from folders import Folders
from names import names

OPSET = 20
VISUAL, PROMPT, BEAMS, PAST = 577, 13, 3, 5  # shapes to trace with; only the first is fixed


def examples(model) -> dict:
    text = model.config.text_config
    size = (text.decoder_attention_heads, text.d_model // text.decoder_attention_heads)
    layers = text.decoder_layers
    cross = [torch.randn(1, size[0], VISUAL + PROMPT, size[1]) for _ in range(2 * layers)]
    past = [torch.randn(BEAMS, size[0], PAST, size[1]) for _ in range(2 * layers)]
    return {
        "vision": (torch.randn(1, 3, 768, 768),),
        "encoder": (torch.randn(1, VISUAL, text.d_model), torch.tensor([[0, *range(5, 3 + PROMPT), 2]])),
        "step": (torch.tensor([[5], [6], [7]]), torch.tensor([0, 0, 1]), torch.tensor([PAST]), cross, past),
    }


def to_onnx(model, folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    layers = model.config.text_config.decoder_layers
    given = examples(model)
    length, beams, grown, prompt = (torch.export.Dim(name) for name in ("length", "beams", "grown", "prompt"))
    shapes = {
        "vision": ({},),
        "encoder": ({}, {1: prompt}),
        "step": ({0: beams}, {0: beams}, {}, [{2: length}] * (2 * layers), [{0: beams, 2: grown}] * (2 * layers)),
    }
    inputs = {
        "vision": ["pixels"],
        "encoder": ["features", "prompt"],
        "step": ["tokens", "parents", "position", *names("cross", layers), *names("past", layers)],
    }
    outputs = {
        "vision": ["features"], "encoder": names("cross", layers), "step": ["logits", *names("present", layers)],
    }
    for name, module in modules(model).items():
        torch.onnx.export(
            module, given[name], str(folder / f"{name}.onnx"), dynamo=True, opset_version=OPSET, external_data=True,
            dynamic_shapes=shapes[name], input_names=inputs[name], output_names=outputs[name], optimize=True, verbose=False,
        )


def modules(model) -> dict[str, torch.nn.Module]:
    return {"vision": graphs.Vision(model).eval(), "encoder": graphs.Encoder(model).eval(), "step": graphs.Step(model).eval()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--only", choices=("onnx", "openvino"))
    options = parser.parse_args()
    folders = Folders(options.work)
    warnings.simplefilter("ignore")
    model = Florence2ForConditionalGeneration.from_pretrained(folders.checkpoint, dtype=torch.float32, local_files_only=True).eval()
    model.requires_grad_(False)
    if options.only != "openvino":
        to_onnx(model, folders.onnx)
    if options.only != "onnx":
        import export_openvino

        export_openvino.convert(modules(model), examples(model), model.config.text_config, folders.openvino)


if __name__ == "__main__":
    main()
