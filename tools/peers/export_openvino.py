"""The graphs as OpenVINO's IR, converted from PyTorch; the decoder keeps its memory itself, as OpenVINO's own pipelines do."""
from __future__ import annotations

import pathlib

import openvino as ov
import openvino.opset15 as ops
import torch
from openvino._offline_transformations import apply_make_stateful_transformation

from names import names


class Flat(torch.nn.Module):
    """The decoder's step without lists."""

    def __init__(self, step, layers: int):
        super().__init__()
        self.step, self.count = step, 2 * layers

    def forward(self, tokens, parents, position, *rest):
        logits, present = self.step(tokens, parents, position, rest[:self.count], rest[self.count:])
        return (logits, *present)


def name_ports(model: ov.Model, inputs: list[str], outputs: list[str], shapes: dict[str, list[int]]) -> None:
    for port, name in zip(model.inputs, inputs, strict=True):
        port.get_tensor().set_names({name})
        if name in shapes:
            port.get_node().set_partial_shape(ov.PartialShape(shapes[name]))
    for port, name in zip(model.outputs, outputs, strict=True):
        port.get_tensor().set_names({name})
    model.validate_nodes_and_infer_types()


def make_stateful(model: ov.Model, layers: int, heads: int, head_dim: int) -> None:
    """Past in, present out become the model's own variables, empty at first and with as many rows as there are beams."""
    apply_make_stateful_transformation(model, dict(zip(names("past", layers), names("present", layers))))
    parents = model.input("parents").get_node()
    rows = ops.gather(ops.shape_of(parents, output_type="i64"), ops.constant([0]), ops.constant(0))
    shape = ops.concat([rows, *(ops.constant([n]) for n in (heads, 0, head_dim))], axis=0)
    empty = ops.broadcast(ops.constant(0.0, dtype="float32"), shape)
    for node in model.get_ops():
        if node.get_type_name() == "ReadValue":
            node.set_arguments([empty.output(0)])
    model.validate_nodes_and_infer_types()


def convert(modules: dict, examples: dict, text, folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    layers, heads = text.decoder_layers, text.decoder_attention_heads
    head_dim = text.d_model // heads
    cross, past = names("cross", layers), names("past", layers)
    any_cross, any_past = [1, heads, -1, head_dim], [-1, heads, -1, head_dim]

    vision = ov.convert_model(modules["vision"], example_input=examples["vision"])
    name_ports(vision, ["pixels"], ["features"], {"pixels": [1, 3, 768, 768]})

    encoder = ov.convert_model(modules["encoder"], example_input=examples["encoder"])
    name_ports(encoder, ["features", "prompt"], cross, {"features": [1, 577, text.d_model], "prompt": [1, -1]})

    *first, cross_values, past_values = examples["step"]
    step = ov.convert_model(Flat(modules["step"], layers).eval(), example_input=(*first, *cross_values, *past_values))
    shapes = {"tokens": [-1, 1], "parents": [-1], "position": [1], **dict.fromkeys(cross, any_cross), **dict.fromkeys(past, any_past)}
    step.input(1).get_node().set_element_type(ov.Type.i32)  # the runtime knows a beam index by its type
    name_ports(step, ["tokens", "parents", "position", *cross, *past], ["logits", *names("present", layers)], shapes)
    make_stateful(step, layers, heads, head_dim)

    for name, model in (("vision", vision), ("encoder", encoder), ("step", step)):
        ov.save_model(model, folder / f"{name}.xml", compress_to_fp16=False)
