"""ONNX Runtime on the graphs of export.py, with the search of search.py."""
from __future__ import annotations

import os

import numpy as np
import onnxruntime
from onnxruntime import OrtValue
from tokenizers import Tokenizer

from engines.engine import Engine
from names import names
from search import follow, search


class OnnxRuntime(Engine):
    def __init__(self, folders, precision, threads):
        if precision != "f32":
            raise ValueError("ONNX Runtime's CPU provider computes in f32")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        # Idle workers are stopped, so that spinning threads disturb nobody.
        options.add_session_config_entry("session.intra_op.allow_spinning", os.environ.get("PEERS_SPIN", "1"))

        def session(name):
            return onnxruntime.InferenceSession(str(folders.onnx / f"{name}.onnx"), options, providers=["CPUExecutionProvider"])

        self.vision, self.encoder, self.step = session("vision"), session("encoder"), session("step")
        self.tokenizer = Tokenizer.from_file(str(folders.checkpoint / "tokenizer.json"))
        past = [i for i in self.step.get_inputs() if i.name.startswith("past.")]
        self.layers, (_, self.heads, _, self.head_dim) = len(past) // 2, past[0].shape

    def versions(self):
        return {"onnxruntime": onnxruntime.__version__}

    def see(self, pixels):
        return self.vision.run(["features"], {"pixels": pixels})[0]

    def read(self, features, prompt):
        return self.encoder.run_with_ort_values(names("cross", self.layers), {
            "features": OrtValue.ortvalue_from_numpy(features),
            "prompt": OrtValue.ortvalue_from_numpy(np.array([prompt], dtype=np.int64)),
        })

    def write(self, read, prompt, beams, rules):
        return search(self.decoder(read, beams), rules, beams)

    def follow(self, read, prompt, tokens):
        return follow(self.decoder(read, 1), tokens)

    def decoder(self, read, beams: int):
        cross = dict(zip(names("cross", self.layers), read))
        past_names, outputs = names("past", self.layers), ["logits", *names("present", self.layers)]
        empty = np.zeros((beams, self.heads, 0, self.head_dim), dtype=np.float32)
        past = dict.fromkeys(past_names, OrtValue.ortvalue_from_numpy(empty))
        position = 0

        def decoder(tokens, parents):
            nonlocal past, position
            given = {"tokens": tokens[:, None], "parents": parents, "position": np.array([position])}
            given = {name: OrtValue.ortvalue_from_numpy(value.astype(np.int64)) for name, value in given.items()}
            logits, *present = self.step.run_with_ort_values(outputs, {**given, **cross, **past})
            past = dict(zip(past_names, present))
            position += 1
            return logits.numpy()

        return decoder
