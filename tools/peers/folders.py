"""Where things lie, in the repository and in the folder that `--work` names."""
from __future__ import annotations

import dataclasses
import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]


@dataclasses.dataclass(frozen=True)
class Folders:
    """The cache outside git: a checkpoint, its exports, and what is asked."""

    work: pathlib.Path

    @property
    def checkpoint(self) -> pathlib.Path:
        return self.work / "checkpoint"

    @property
    def inputs(self) -> pathlib.Path:
        return self.work / "inputs"

    @property
    def onnx(self) -> pathlib.Path:
        return self.work / "onnx"

    @property
    def openvino(self) -> pathlib.Path:
        return self.work / "openvino"

    def prompts(self) -> dict:
        return json.loads((self.inputs / "prompts.json").read_text())
