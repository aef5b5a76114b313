"""Our worker beside transformers on one GPU: same weights, same pixels, in turns. Development only.

    python gpu.py --worker PATH [--device cuda:0] [--work DIR] [--seconds N] [--out FILE]

Needs PyTorch, transformers and safetensors, no Rust and no network: PATH is `worker`, built before with `--features cuda`
(tools/cuda), and the checkpoint is made here from its seed (25 s). Everything together takes at most N seconds (by default
420): each figure is the median of as many turns as its share of them allows, three at least, and the table says how many.
`--device cpu --quick` tries the script itself on a machine without a GPU.
"""
from __future__ import annotations

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import torch

HERE = pathlib.Path(__file__).resolve().parent
CAPTION_TOKENS = 20  # as in the worker

# What is measured: the request to our worker, and what one turn counts as.
FULL = {
    "vision, batch 1, ms": ({"op": "vision", "batch": 1}, 1e3),
    "vision, batch 8, ms": ({"op": "vision", "batch": 8}, 1e3),
    "vision, batch 32, ms": ({"op": "vision", "batch": 32}, 1e3),
    "prompt, ms": ({"op": "prompt"}, 1e3),
    "decode, 1 beam, ms a token": ({"op": "decode", "beams": 1}, 1e3 / 64),
    "decode, 3 beams, ms a token": ({"op": "decode", "beams": 3}, 1e3 / 64),
    "<OD>, 3 beams, ms": ({"op": "od", "beams": 3}, 1e3),
    "six questions, 3 beams, ms": ({"op": "six", "beams": 3}, 1e3),
    "256 captions in batches of 32, 3 beams, s": ({"op": "captions", "photos": 256, "batch": 32, "beams": 3}, 1),
}
QUICK = {
    "vision, batch 1, ms": FULL["vision, batch 1, ms"],
    "vision, batch 2, ms": ({"op": "vision", "batch": 2}, 1e3),
    "decode, 3 beams, ms a token": FULL["decode, 3 beams, ms a token"],
    "2 captions in batches of 2, 3 beams, s": ({"op": "captions", "photos": 2, "batch": 2, "beams": 3}, 1),
}


class Ours:
    """Our worker; on the CPU with what runs on other devices, candle's operations."""

    def __init__(self, name, path, device, precision, folders):
        self.name = name
        command = [path, str(folders.checkpoint), "--inputs", str(folders.inputs), "--device", device, "--precision", precision]
        environment = {**os.environ, "FLORENCE_BACKEND": "candle"} if device == "cpu" else None
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{name} did not start")
        self.load = json.loads(line)["seconds"]

    def ask(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended at {request}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"{request}: {answer['error']}")
        return answer

    def seconds(self, request):
        return self.ask(request)["seconds"]

    def next(self, prompt, tokens):
        """The likeliest token after each of these."""
        return self.ask({"op": "next", "prompt": prompt, "tokens": tokens})["ids"]


class Transformers:
    """transformers on the same device; `compiled` is torch.compile of the vision tower."""

    def __init__(self, name, device, precision, folders, compiled=False):
        sys.path.insert(0, str(HERE))
        from engines.pytorch import DTYPES, PyTorch
        from safetensors.torch import load_file
        from search import Rules

        self.name, self.device = name, device
        start = time.perf_counter()
        self.engine = PyTorch(folders, precision, os.cpu_count())
        self.engine.model.to(device)
        self.load = time.perf_counter() - start
        asked = folders.prompts()
        self.prompts, self.alone = asked["prompts"], asked["alone"]
        self.rules = Rules(new_tokens=asked["new_tokens"])
        self.pixels = load_file(folders.inputs / "pixels.safetensors")["pixel_values"].to(device, DTYPES[precision])
        if compiled:
            self.engine.model.model.vision_tower = torch.compile(self.engine.model.model.vision_tower)
        self.features = self.see(1)

    def wait(self):
        if self.device.startswith("cuda"):
            torch.cuda.synchronize()

    @torch.inference_mode()
    def see(self, batch):
        return self.engine.model.get_image_features(self.pixels.repeat(batch, 1, 1, 1)).pooler_output

    @torch.inference_mode()
    def read(self, features, prompts):
        ids = torch.tensor(prompts, device=self.device)
        embeds = torch.cat([features, self.engine.model.get_input_embeddings()(ids)], dim=1)
        return self.engine.model.get_encoder()(inputs_embeds=embeds)

    @torch.inference_mode()
    def generate(self, features, prompts, beams, tokens):
        from transformers import GenerationConfig
        from transformers.modeling_outputs import BaseModelOutput

        read, rules = self.read(features, prompts), self.rules
        settings = GenerationConfig(
            num_beams=beams, early_stopping=beams > 1, no_repeat_ngram_size=rules.ngram, do_sample=False, use_cache=True,
            min_new_tokens=tokens, max_new_tokens=tokens, forced_bos_token_id=rules.bos, forced_eos_token_id=rules.eos,
            bos_token_id=rules.bos, eos_token_id=rules.eos, pad_token_id=1, decoder_start_token_id=rules.start,
        )
        mask = torch.ones(read.last_hidden_state.shape[:2], dtype=torch.long, device=self.device)
        given = BaseModelOutput(last_hidden_state=read.last_hidden_state)
        return self.engine.model.generate(encoder_outputs=given, attention_mask=mask, generation_config=settings)

    def work(self, request):
        op, beams, prompt = request["op"], request.get("beams", 3), self.prompts[self.alone]
        if op == "vision":
            return self.see(request["batch"])
        if op == "prompt":
            return self.read(self.features, [prompt])
        if op == "decode":
            return self.generate(self.features, [prompt], beams, self.rules.new_tokens)
        if op == "od":
            return self.generate(self.see(1), [prompt], beams, self.rules.new_tokens)
        if op == "six":
            features = self.see(1)
            return [self.generate(features, [prompt], beams, self.rules.new_tokens) for prompt in self.prompts]
        for start in range(0, request["photos"], request["batch"]):
            count = min(request["batch"], request["photos"] - start)
            self.generate(self.see(count), [self.prompts[0]] * count, beams, CAPTION_TOKENS)

    @torch.inference_mode()
    def next(self, prompt, tokens):
        read = self.read(self.features, [self.prompts[prompt]])
        output = self.engine.model(encoder_outputs=read, decoder_input_ids=torch.tensor([tokens], device=self.device), use_cache=False)
        return output.logits[0].argmax(-1).tolist()

    def seconds(self, request):
        self.wait()
        start = time.perf_counter()
        self.work(request)
        self.wait()
        return time.perf_counter() - start


def columns(args, folders):
    half = "bf16"
    makers = [
        ("ours f32", lambda name: Ours(name, args.worker, args.device, "f32", folders)),
        ("transformers f32", lambda name: Transformers(name, args.device, "f32", folders)),
    ]
    makers += [
        ("ours bf16", lambda name: Ours(name, args.worker, args.device, half, folders)),
        ("ours f16", lambda name: Ours(name, args.worker, args.device, "f16", folders)),
        ("transformers bf16", lambda name: Transformers(name, args.device, half, folders)),
    ]
    if args.device != "cpu":
        makers.append(("transformers bf16, compiled vision", lambda name: Transformers(name, args.device, half, folders, compiled=True)))
    made, missing = [], {}
    for name, maker in makers:
        try:
            made.append(maker(name))
        except Exception as error:  # a column that cannot start is missing, and the report says why
            missing[name] = told(error)
    return made, missing


def told(error):
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"


def agreement(engines):
    """How many next tokens are those of transformers in f32, after each token of what that says about all prompts."""
    reference = next(engine for engine in engines if engine.name == "transformers f32")
    shares = {engine.name: [0, 0] for engine in engines}
    for prompt in range(len(reference.prompts)):
        tokens = reference.generate(reference.features, [reference.prompts[prompt]], 1, reference.rules.new_tokens)[0].tolist()
        expected = reference.next(prompt, tokens)
        for engine in engines:
            found = engine.next(prompt, tokens)
            shares[engine.name][0] += sum(a == b for a, b in zip(found, expected, strict=True))
            shares[engine.name][1] += len(expected)
    return shares


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", required=True)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("gpu-work"))
    parser.add_argument("--seconds", type=float, default=420)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("gpu.json"))
    args = parser.parse_args()
    end = time.monotonic() + args.seconds
    sys.path.insert(0, str(HERE))
    from folders import Folders

    folders = Folders(args.work)
    args.work.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, str(HERE / "checkpoint.py"), "--work", str(args.work)], check=True)
    engines, missing = columns(args, folders)
    try:
        shares = agreement(engines)
        print("next tokens as transformers f32:", {name: f"{same} of {all}" for name, (same, all) in shares.items()}, flush=True)
    except Exception as error:
        shares, missing["agreement"] = {}, told(error)
    rows = QUICK if args.quick else FULL
    table: dict = {}
    for at, (row, (request, factor)) in enumerate(rows.items()):
        share = (end - time.monotonic()) / (len(rows) - at)
        until, taken = time.monotonic() + share, {engine.name: [] for engine in engines}
        turns = 0
        while turns < 4 or (time.monotonic() < until and turns < 20):  # the first turn warms up
            for engine in engines:
                try:
                    taken[engine.name].append(engine.seconds(request))
                except Exception as error:
                    missing[f"{engine.name}: {row}"] = told(error)
            turns += 1
            if time.monotonic() > end and turns >= 2:
                break
        table[row] = {name: {"median": statistics.median(s[1:]) * factor, "turns": len(s) - 1} for name, s in taken.items() if len(s) > 1}
        print(row, {name: round(value["median"], 2) for name, value in table[row].items()}, flush=True)
    result = {
        "device": torch.cuda.get_device_name() if args.device.startswith("cuda") else "cpu",
        "torch": torch.__version__,
        "load_seconds": {engine.name: engine.load for engine in engines},
        "torch_peak_bytes": torch.cuda.max_memory_allocated() if args.device.startswith("cuda") else None,
        "next_tokens_equal": shares,
        "missing": missing,
        "table": table,
    }
    args.out.write_text(json.dumps(result, indent=1) + "\n")
    names = [engine.name for engine in engines]
    print("| |", " | ".join(names), "|\n|", " | ".join(["---"] * (len(names) + 1)), "|")
    for row, values in table.items():
        cells = [f"{values[name]['median']:.2f} ({values[name]['turns']})" if name in values else "–" for name in names]
        print(f"| {row} |", " | ".join(cells), "|")
    if shares:
        print("| next tokens as transformers f32 |", " | ".join("{} of {}".format(*shares[name]) for name in names), "|")
    for name, reason in missing.items():
        print(f"missing: {name}: {reason}")


if __name__ == "__main__":
    main()
