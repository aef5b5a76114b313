"""Golden generations of a checkpoint from the reference, one line of JSON each.

    python goldens.py CHECKPOINT EVAL OUTPUT.jsonl [--per-task 45]

Weights are read from the shipped half-precision file into full precision; plain attention, 3 beams, one prompt at a
time, 128 new tokens at most. `logprobs` are `compute_transition_scores(sequences, scores, beam_indices,
normalize_logits=False)`: the scores of a beam search are log-softmax values already, after the logits processors, so
the forced `<s>` has 0. `margin` is the difference of the two best sequence scores of the search.
"""

import argparse
import json
import os
from collections import Counter

import torch

from reference import Reference, load_scenes


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("checkpoint")
    parser.add_argument("eval")
    parser.add_argument("output")
    parser.add_argument("--per-task", type=int, default=45)
    args = parser.parse_args()
    torch.set_num_threads(1)
    reference, done, margins, worst = Reference(args.checkpoint), Counter(), [], 0.0
    lines = []
    for scene in load_scenes(args.eval):
        pixels = reference.pixels(os.path.join(args.eval, scene["file"]))
        first = {}
        for question in scene["questions"]:
            first.setdefault(question["task"], question)
        for task, question in first.items():
            if done[task] == args.per_task:
                continue
            done[task] += 1
            _, prompt = reference.prompt(scene, question)
            out = reference.generate(
                pixels, [prompt], num_return_sequences=2, output_scores=True, return_dict_in_generate=True
            )
            scores = reference.model.compute_transition_scores(
                out.sequences, out.scores, out.beam_indices, normalize_logits=False
            )[0]
            ids = out.sequences[0].tolist()
            ids = ids[: ids.index(2, 1) + 1] if 2 in ids[1:] else ids
            scores = scores[: len(ids) - 1]
            worst = max(worst, forced_difference(reference, pixels, prompt, ids, scores))
            margin = float(out.sequences_scores[0] - out.sequences_scores[1])
            margins.append((margin, scene["file"], task))
            text = reference.tokenizer.decode(ids, skip_special_tokens=False)
            lines.append(json.dumps({
                "file": scene["file"], "task": task, "text": question["text"], "region": question["region"],
                "size": [scene["width"], scene["height"]], "prompt_ids": prompt, "output_ids": ids,
                "decoded": text, "logprobs": [round(v, 5) for v in scores.tolist()],
                "score": round(float(out.sequences_scores[0]), 6), "margin": round(margin, 6),
                "parsed": reference.parse(text, task, (scene["width"], scene["height"])),
            }, separators=(",", ":")))
    os.makedirs(os.path.dirname(os.path.abspath(args.output)), exist_ok=True)
    with open(args.output, "w") as file:
        file.write("\n".join(lines) + "\n")
    print(len(lines), "generations", dict(done))
    print("smallest margins", sorted(margins)[:8])
    print("largest difference to teacher-forced log-probabilities", worst)


@torch.no_grad()
def forced_difference(reference, pixels, prompt, ids, scores):
    """Largest difference of the scores to a plain forward pass over the finished sequence (forced `<s>` apart)."""
    image = [reference.processor.image_token_id] * reference.image_tokens
    logits = reference.model(
        input_ids=torch.tensor([image + prompt]), pixel_values=pixels, decoder_input_ids=torch.tensor([ids[:-1]])
    ).logits[0]
    plain = logits.log_softmax(-1).gather(1, torch.tensor(ids[1:])[:, None])[:, 0]
    return float((plain - scores)[1:].abs().max())


if __name__ == "__main__":
    main()
