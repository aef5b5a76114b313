"""Who takes part, and how each is started."""
from __future__ import annotations

import dataclasses
import os
import pathlib
import sys

from folders import HERE, REPOSITORY, Folders


@dataclasses.dataclass(frozen=True)
class Column:
    key: str
    title: str
    engine: str
    precision: str

    @property
    def ours(self) -> bool:
        return self.engine == "florence"

    def command(self, folders: Folders, threads: int) -> list[str]:
        if self.ours:
            return [str(binary()), str(folders.checkpoint), "--inputs", str(folders.inputs), "--precision", self.precision]
        worker = [sys.executable, str(HERE / "worker.py"), self.engine, self.precision]
        return [*worker, "--work", str(folders.work), "--threads", str(threads)]

    @staticmethod
    def environment(threads: int) -> dict[str, str]:
        return {name: str(threads) for name in ("RAYON_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}


def binary() -> pathlib.Path:
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "release/worker"


COLUMNS = [
    Column("ours_f32", "ours f32", "florence", "f32"),
    Column("ours_q8_0", "ours q8_0", "florence", "q8_0"),
    Column("pytorch_f32", "PyTorch f32", "pytorch", "f32"),
    Column("pytorch_bf16", "PyTorch bf16", "pytorch", "bf16"),
    Column("onnxruntime_f32", "ONNX Runtime f32", "onnxruntime", "f32"),
    Column("openvino_f32", "OpenVINO f32", "openvino", "f32"),
    Column("openvino_bf16", "OpenVINO bf16", "openvino", "bf16"),
]
REFERENCE = "pytorch_f32"  # whose token ids the others are held to
