"""Who takes part, and how each is started."""
from __future__ import annotations

import dataclasses
import os
import pathlib
import sys

from folders import HERE, REPOSITORY, Folders


# PyTorch asks the system's allocator for large activations again and again, which by default are mapped, and cleared by
# the kernel, each time. Keeping them makes its vision tower a tenth faster; the others have allocators of their own.
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 32), "MALLOC_TOP_PAD_": str(64 << 20)}


@dataclasses.dataclass(frozen=True)
class Column:
    key: str
    title: str
    engine: str
    precision: str
    binary: pathlib.Path | None = None  # of another commit

    @property
    def ours(self) -> bool:
        return self.engine == "florence" and self.binary is None

    def command(self, folders: Folders, threads: int) -> list[str]:
        if self.engine == "florence":
            return [str(self.binary or binary()), str(folders.checkpoint), "--inputs", str(folders.inputs), "--precision", self.precision]
        worker = [sys.executable, str(HERE / "worker.py"), self.engine, self.precision]
        return [*worker, "--work", str(folders.work), "--threads", str(threads)]

    def environment(self, threads: int) -> dict[str, str]:
        names = ("RAYON_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        return {**{name: str(threads) for name in names}, **(KEEP_MEMORY if self.engine == "pytorch" else {})}


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


def before(binary: pathlib.Path) -> list[Column]:
    """Our worker of another commit."""
    return [Column(f"before_{precision}", f"before {precision}", "florence", precision, binary) for precision in ("f32", "q8_0")]


REFERENCE = "pytorch_f32"  # whose token ids the others are held to
