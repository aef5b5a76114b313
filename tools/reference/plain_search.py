"""The search of the reference written down plainly (one row, lists, no tensors), checked against every golden case.

    python plain_search.py        # says how many cases agree

It exists to show that the rules as we implement them are the rules: it uses nothing of transformers' generation.
"""
from __future__ import annotations

import heapq
import math
import pathlib
import sys

from common import EOS, build, json, load_state, torch
from safetensors.torch import load_file
from transformers import Florence2Config

GOLDENS = pathlib.Path(__file__).resolve().parent / "../../florence-core/tests/goldens"


def banned(ids, n):
    if n <= 0 or len(ids) < n:
        return set()
    prefix = ids[len(ids) + 1 - n:]
    return {ids[i + n - 1] for i in range(len(ids) - n + 1) if ids[i:i + n - 1] == prefix}


def process(row, ids, args):
    row = list(row)
    for token in banned(ids, args["no_repeat_ngram_size"]):
        row[token] = -math.inf
    forced = None
    if len(ids) == 1 and args["forced_bos_token_id"] is not None:
        forced = args["forced_bos_token_id"]
    if len(ids) == args["max_new_tokens"] and args["forced_eos_token_id"] is not None:
        forced = args["forced_eos_token_id"]
    if forced is not None:
        row = [-math.inf] * len(row)
        row[forced] = 0.0
    return row


def greedy(logits, args):
    ids = [EOS]
    while len(ids) <= args["max_new_tokens"]:
        row = process(logits([ids])[0], ids, args)
        ids.append(max(range(len(row)), key=row.__getitem__))
        if ids[-1] == EOS:
            break
    return ids, None


def beam(logits, args):
    beams, limit = args["num_beams"], args["max_new_tokens"]
    early, penalty = args["early_stopping"], args["length_penalty"]
    running = [(0.0, [EOS])]  # the other beams stand at -1e9 until the first step has split this one
    finished = []  # (score, ids), best first, at most `beams`
    for generated in range(1, limit + 1):
        rows = torch.tensor(logits([ids for _, ids in running])).log_softmax(-1).tolist()
        candidates = []
        for (score, ids), row in zip(running, rows):
            row = process(row, ids, args)
            candidates += [(score + row[t], ids + [t]) for t in heapq.nlargest(2 * beams, range(len(row)), key=row.__getitem__)]
        candidates = sorted((c for c in candidates if c[0] > -math.inf), key=lambda c: -c[0])[: 2 * beams]
        at_limit = generated == limit
        for score, ids in candidates[:beams]:
            if ids[-1] == EOS or at_limit:
                finished.append((score / generated**penalty, ids))
        finished = sorted(finished, key=lambda f: -f[0])[:beams]
        running = [c for c in candidates if c[1][-1] != EOS][:beams]
        if at_limit or not running:
            break
        if len(finished) == beams:
            if early is True:
                break
            length = limit if early == "never" and penalty > 0 else generated
            if running[0][0] / length**penalty <= finished[-1][0]:
                break
    return finished[0][1], finished[0][0]


def main() -> None:
    wrong = total = 0
    for folder in sorted(f for f in GOLDENS.iterdir() if f.is_dir()):
        config = Florence2Config(**json.loads((folder / "config.json").read_text()))
        model = build(config)
        load_state(model, load_file(folder / "model.safetensors"))
        inputs = load_file(folder / "inputs.safetensors")
        for case in json.loads((folder / "generations.json").read_text())["cases"]:
            for place, row in enumerate(case["rows"]):
                length = int(inputs["attention_mask"][row].sum())
                alone = {"pixel_values": inputs["pixel_values"][row:row + 1], "input_ids": inputs["input_ids"][row:row + 1, :length]}
                with torch.no_grad():
                    embeds = model.get_input_embeddings()(alone["input_ids"])
                    features = model.get_image_features(alone["pixel_values"]).pooler_output
                    embeds[:, : features.shape[1]] = features
                    encoded = model.model.language_model.encoder(inputs_embeds=embeds)

                def logits(prefixes):
                    with torch.no_grad():
                        states = encoded.last_hidden_state.expand(len(prefixes), -1, -1)
                        hidden = model.model.language_model.decoder(
                            input_ids=torch.tensor(prefixes), encoder_hidden_states=states, use_cache=False
                        ).last_hidden_state
                        return model.lm_head(hidden[:, -1]).tolist()

                ids, score = (greedy if case["args"]["num_beams"] == 1 else beam)(logits, case["args"])
                total += 1
                same = ids == case["token_ids"][place] and (score is None or abs(score - case["score"][place]) < 1e-5 * max(1.0, abs(score)))
                if not same:
                    wrong += 1
                    print(folder.name, case["name"], row, ids, score, "reference", case["token_ids"][place], case["score"])
    print(f"{total - wrong} of {total} agree")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
