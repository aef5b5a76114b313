"""What the figures were measured on and with."""
from __future__ import annotations

import os
import pathlib
import platform
import subprocess

from folders import REPOSITORY

FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "avx_vnni", "amx_tile", "amx_int8", "amx_bf16")


def machine() -> dict:
    cpu, flags = platform.processor() or platform.machine(), []
    info = pathlib.Path("/proc/cpuinfo")
    if info.exists():
        fields = dict(line.split(":", 1) for line in info.read_text().split("\n\n")[0].splitlines() if ":" in line)
        fields = {key.strip(): value.strip() for key, value in fields.items()}
        cpu = fields.get("model name", cpu)
        if "model" in fields:
            cpu += f" (family {fields.get('cpu family')}, model {fields['model']})"
        present = fields.get("flags", "").split()
        flags = [flag for flag in FLAGS if flag in present]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cpu": cpu, "flags": flags, "cores": os.cpu_count(), "memory_bytes": memory, "system": platform.system()}


def said(*command: str) -> str:
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False).stdout.strip()


def commit() -> str:
    """The commit; `+` when what is measured is not quite it."""
    changed = said("git", "status", "--porcelain", "--untracked-files=no", "--", "*.rs", "*.toml", "Cargo.lock", "tools/peers/*.py")
    return said("git", "rev-parse", "--short=10", "HEAD") + ("+" if changed else "")


def rustc() -> str:
    words = said("rustc", "--version").split()
    return words[1] if len(words) > 1 else "unknown"
