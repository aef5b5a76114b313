"""OpenVINO on the graphs of export.py, with the search of search.py."""
from __future__ import annotations

import numpy as np
import openvino as ov
from openvino import properties as props
from tokenizers import Tokenizer

from engines.engine import Engine
from names import names
from search import follow, search

TYPES = {"f32": ov.Type.f32, "bf16": ov.Type.bf16}


class OpenVino(Engine):
    def __init__(self, folders, precision, threads):
        core = ov.Core()
        config = {
            props.hint.performance_mode: props.hint.PerformanceMode.LATENCY,
            props.hint.inference_precision: TYPES[precision],
            props.hint.kv_cache_precision: TYPES[precision],
            props.inference_num_threads: threads,
            props.num_streams: 1,
        }

        def request(name):
            return core.compile_model(folders.openvino / f"{name}.xml", "CPU", config).create_infer_request()

        self.vision, self.encoder, self.step = request("vision"), request("encoder"), request("step")
        self.tokenizer = Tokenizer.from_file(str(folders.checkpoint / "tokenizer.json"))
        self.layers = len(self.encoder.model_outputs) // 2

    def versions(self):
        return {"openvino": ov.__version__.split("-")[0]}

    def see(self, pixels):
        self.vision.infer({"pixels": ov.Tensor(pixels, shared_memory=True)})
        return self.vision.get_tensor("features")

    def read(self, features, prompt):
        self.encoder.infer({"features": features, "prompt": ov.Tensor(np.array([prompt]))})
        return [self.encoder.get_tensor(name) for name in names("cross", self.layers)]

    def write(self, read, prompt, beams, rules):
        return search(self.decoder(read, beams), rules, beams)

    def follow(self, read, prompt, tokens):
        return follow(self.decoder(read, 1), tokens)

    def decoder(self, read, beams: int):
        step = self.step
        step.reset_state()
        for name, tensor in zip(names("cross", self.layers), read):
            step.set_tensor(name, tensor)
        position = 0

        def decoder(tokens, parents):
            nonlocal position
            step.set_tensor("tokens", ov.Tensor(tokens[:, None].astype(np.int64)))
            step.set_tensor("parents", ov.Tensor(parents.astype(np.int32)))
            step.set_tensor("position", ov.Tensor(np.array([position])))
            step.infer()
            position += 1
            return step.get_tensor("logits").data

        return decoder
