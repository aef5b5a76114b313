"""One engine in a process of its own; requests and answers are lines of JSON on stdin and stdout.

    python worker.py pytorch|onnxruntime|openvino f32|bf16 --work DIR [--threads N]

    > {"op": "vision"}                              < {"seconds": 1.23}
    > {"op": "decode", "beams": 3}                  < {"seconds": 4.56}
    > {"op": "ids", "prompt": 0, "beams": 3}        < {"ids": [2, 0, …]}
    > {"op": "next", "prompt": 0, "tokens": [2, 0]} < {"ids": [0, 14132]}     the likeliest token after each

The first line that it says is about loading. The Rust worker, benches/src/bin/worker.rs, speaks the same.
"""
from __future__ import annotations

import argparse
import importlib
import json
import os
import pathlib
import sys
import time

from folders import Folders
from search import Rules

ENGINES = {
    "pytorch": ("engines.pytorch", "PyTorch"),
    "onnxruntime": ("engines.onnx", "OnnxRuntime"),
    "openvino": ("engines.intel", "OpenVino"),
}


def peak_bytes() -> int | None:
    """The most memory that this process ever held, where the system says so."""
    try:
        lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), None)


class Worker:
    def __init__(self, engine, folders: Folders):
        from safetensors.numpy import load_file

        asked = folders.prompts()
        self.engine, self.prompts = engine, asked["prompts"]
        self.alone = asked["alone"]
        self.rules = Rules(new_tokens=asked["new_tokens"])
        self.pixels = engine.take(load_file(folders.inputs / "pixels.safetensors")["pixel_values"])
        self.features = engine.see(self.pixels)

    def answer(self, request: dict) -> dict:
        engine, op, beams = self.engine, request["op"], request.get("beams", 3)
        prompt = self.prompts[request.get("prompt", self.alone)]
        if op == "vision":
            return timed(lambda: engine.see(self.pixels))
        if op == "prompt":
            return timed(lambda: engine.read(self.features, prompt))
        if op == "decode":
            read = engine.read(self.features, prompt)
            return timed(lambda: engine.write(read, prompt, beams, self.rules))
        if op == "od":
            return timed(lambda: engine.one(self.pixels, prompt, beams, self.rules))
        if op == "six":
            return timed(lambda: engine.many(self.pixels, self.prompts, beams, self.rules))
        if op == "six_once":
            return timed(lambda: engine.many_once(self.pixels, self.prompts, beams, self.rules))
        if op == "ids":
            return {"ids": engine.write(engine.read(self.features, prompt), prompt, beams, self.rules)}
        if op == "next":
            return {"ids": engine.follow(engine.read(self.features, prompt), prompt, request["tokens"])}
        if op == "memory":
            return {"peak_bytes": peak_bytes()}
        raise ValueError(f"no op {op!r}")


def timed(work) -> dict:
    start = time.perf_counter()
    work()
    return {"seconds": time.perf_counter() - start}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engine", choices=sorted(ENGINES))
    parser.add_argument("precision", choices=("f32", "bf16"))
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    out, sys.stdout = sys.stdout, sys.stderr  # nothing else may speak there

    def say(value: dict) -> None:
        print(json.dumps(value), file=out, flush=True)

    folders = Folders(options.work)
    module, name = ENGINES[options.engine]
    engine_class = getattr(importlib.import_module(module), name)
    imported = peak_bytes()
    start = time.perf_counter()
    engine = engine_class(folders, options.precision, options.threads)
    say({
        "seconds": time.perf_counter() - start, "peak_bytes": peak_bytes(), "imported_bytes": imported,
        "versions": engine.versions(), "notes": engine.notes(),
    })
    worker = None
    for line in sys.stdin:
        worker = worker or Worker(engine, folders)
        try:
            say(worker.answer(json.loads(line)))
        except Exception as error:  # the orchestrator leaves a cell empty and says why
            say({"error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main()
