"""Trains florence-nano on the CPU. It can be stopped at any moment and goes on where it was saved.

    python train.py FOLDER --pool POOL                      # start, or go on from FOLDER/state.pt
    python train.py FOLDER --pool POOL --weights DIR        # start from shipped weights with a fresh optimizer
    python train.py FOLDER --pool POOL --branch OUT --decay-minutes 40  # decay to zero from FOLDER/state.pt into OUT

A branch that was interrupted goes on from OUT/state.pt with the minutes that are left.
"""

import argparse
import copy
import os
import time

import torch
import torch.distributed as dist
import torch.nn.functional as F

import answers
import data
import model as net
from optim import Muon
from world import BACKGROUNDS, KINDS

WIDTHS = (30.0, 3.0)


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--pool", required=True)
    parser.add_argument("--scenes", type=int, default=32, help="per process")
    parser.add_argument("--muon", type=float, default=0.02)
    parser.add_argument("--adam", type=float, default=2e-3)
    parser.add_argument("--warmup", type=int, default=150)
    parser.add_argument("--sharpen", type=int, default=2500, help="step at which location targets are sharp")
    parser.add_argument("--early-until", type=int, default=1000, help="step until which the early character head trains")
    parser.add_argument("--weights", help="folder with model.safetensors to start from")
    parser.add_argument("--branch", help="write here instead of FOLDER: a decay that leaves the stable state alone")
    parser.add_argument("--decay-minutes", type=float, default=0)
    parser.add_argument("--hold", type=float, default=0.0, help="share of the decay minutes at the full rate")
    parser.add_argument("--steps", type=int, default=10**9)
    parser.add_argument("--ranks", type=int, default=2, help="processes of one thread each")
    parser.add_argument("--save-minutes", type=float, default=4)
    return parser.parse_args()


def losses(model, table, auxiliary, batch, blur, early_head):
    """All losses of a batch: (vector of parts, per-token cross-entropy, per-token rightness).

    `model` computes in bfloat16; `table` are the embeddings in full precision for the output head.
    """
    dtype = model.dtype
    tokens, early = net.see(model, net.pixels_of(batch["images"], dtype))
    prompts = batch["prompts"]
    bias = torch.zeros(prompts.shape[0], 1, 1, net.IMAGE_TOKENS + prompts.shape[1], dtype=dtype)
    bias[:, 0, 0, net.IMAGE_TOKENS :].masked_fill_(prompts == 1, -1e4)
    memory = net.read(model, tokens.index_select(0, batch["scene"]), prompts, bias)
    hidden, guided = [], []
    counts = data.bucket_rows(prompts.shape[0])
    for index, (part, part_bias) in enumerate(zip(memory.split(counts), bias.split(counts))):
        h, g = net.write(model, batch[f"ids{index}"], part, part_bias, batch[f"cells{index}"])
        hidden.append(h.flatten(0, 1))
        guided.append(g.flatten())
    where, weight = batch["where"], batch["weight"]
    hidden = torch.cat(hidden).index_select(0, where).float()
    # the token at `where` is predicted by the position that reads the token before it; `guide` follows the target
    guided = torch.cat(guided).index_select(0, where)
    entropy, distance, right, is_loc = net.answer_loss(hidden, batch["targets"], table, blur)
    answer = (entropy * weight).sum() / weight.sum()
    coordinate = (distance * weight).sum() / (is_loc * weight).sum()
    guide = -(guided * batch["guide"]).sum() / batch["guide"].sum()

    cells = tokens[:, 1:].float()
    kind = F.cross_entropy(auxiliary.kind(cells).flatten(0, 1), batch["kind"].flatten())
    color = F.cross_entropy(auxiliary.color(cells).flatten(0, 1), batch["color"].flatten(), ignore_index=-1)
    size = F.cross_entropy(auxiliary.size(cells).flatten(0, 1), batch["size"].flatten(), ignore_index=-1)
    full = (batch["kind"] != data.EMPTY_KIND).float()
    box = ((auxiliary.box(cells) - batch["box"]).abs().sum(-1) * full).sum() / full.sum()
    char = char_loss(auxiliary.chars(cells), batch["chars"])
    kinds, colors = auxiliary.ground(tokens[:, 0].float()).split((len(KINDS), len(BACKGROUNDS)), 1)
    ground = F.cross_entropy(kinds, batch["ground"][:, 0]) + F.cross_entropy(colors, batch["ground"][:, 1])
    if early_head:
        early = F.layer_norm(early.float(), (early.shape[-1],), auxiliary.norm.weight, auxiliary.norm.bias)
        early = char_loss(auxiliary.early_chars(early).flatten(1, 2), batch["early"])
    else:
        early = torch.zeros(())
    parts = torch.stack([answer, coordinate, guide, kind, color, size, box, char, early, ground])
    return parts, entropy.detach(), right


def char_loss(logits, targets):
    """Cross-entropy over character slots; the many empty slots together weigh as much as a few characters."""
    logits = logits.reshape(*targets.shape, -1)
    entropy = F.cross_entropy(logits.flatten(0, -2), targets.flatten(), reduction="none")
    weight = torch.where(targets.flatten() == data.NONE, 0.05, 1.0)
    return (entropy * weight).sum() / weight.sum()


PARTS = ("answer", "coord", "guide", "kind", "color", "size", "box", "char", "early", "ground")
PART_WEIGHTS = torch.tensor([1.0, 2.0, 0.15, 0.3, 0.15, 0.1, 0.5, 0.5, 0.3, 0.4])


class Trainer:
    def __init__(self, args):
        self.args = args
        self.model = net.make_model()
        self.auxiliary = net.Auxiliary()
        self.fast = copy.deepcopy(self.model).to(torch.bfloat16)
        if args.weights:
            from export import load_weights

            load_weights(self.model, args.weights)
        self.named = [(n, p) for n, p in self.model.named_parameters()] + [
            ("auxiliary." + n, p) for n, p in self.auxiliary.named_parameters()
        ]
        hidden = [(n, p) for n, p in self.named if self.is_hidden(n, p)]
        others = [p for n, p in self.named if not self.is_hidden(n, p)]
        self.muon = Muon(hidden)
        self.adam = torch.optim.AdamW(others, lr=args.adam, betas=(0.9, 0.98), weight_decay=0.0, fused=True)
        self.others = others
        self.masters = list(self.model.parameters())
        self.copies = list(self.fast.parameters())
        self.ema = copy.deepcopy(self.model.state_dict())
        self.step = 0
        self.batches = 0
        self.began = time.time()

    @staticmethod
    def is_hidden(name, parameter):
        return parameter.dim() == 2 and not any(s in name for s in ("embed", "shared", "auxiliary"))

    def save(self, path):
        state = {
            "model": self.model.state_dict(), "auxiliary": self.auxiliary.state_dict(), "ema": self.ema,
            "muon": self.muon.state_dict(), "adam": self.adam.state_dict(), "step": self.step, "batches": self.batches,
        }
        torch.save(state, path + ".part")
        os.replace(path + ".part", path)

    def load(self, path):
        state = torch.load(path, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.auxiliary.load_state_dict(state["auxiliary"], strict=False)
        state["adam"]["param_groups"][0]["params"] = list(range(len(self.others)))
        self.muon.load_state_dict(state["muon"])
        self.adam.load_state_dict(state["adam"])
        self.ema, self.step, self.batches = state["ema"], state["step"], state["batches"]

    def rate(self):
        """Learning-rate factor: warm-up, stable, and in a branch a linear decay to zero over the wall clock."""
        if self.args.decay_minutes:
            share = (time.time() - self.began) / 60 / self.args.decay_minutes
            return min(1.0, max(0.0, (1 - share) / (1 - self.args.hold)))
        return min(1.0, (self.step + 1) / self.args.warmup)

    def gradients(self, batch, blur):
        """Forward and backward in bfloat16; the gradients land in the full-precision parameters.

        Also returns the learning-rate factor, which all processes take from the first one.
        """
        with torch.no_grad():
            torch._foreach_copy_(self.copies, self.masters)
        for _, parameter in self.named:
            parameter.grad = None
        for parameter in self.copies:
            parameter.grad = None
        table = self.model.model.language_model.shared.weight
        parts, per_token, right = losses(self.fast, table, self.auxiliary, batch, blur, self.step < self.args.early_until)
        (parts * PART_WEIGHTS).sum().backward()
        for master, copied in zip(self.masters, self.copies):
            grad = copied.grad.float()
            master.grad = grad if master.grad is None else master.grad.add_(grad)
        factor = self.rate()
        if self.args.ranks > 1:
            grads = [p.grad for _, p in self.named if p.grad is not None]
            shared = torch.tensor([factor if dist.get_rank() == 0 else 0.0])
            flat = torch.cat([g.flatten() for g in grads] + [shared])
            dist.all_reduce(flat)
            factor = float(flat[-1])
            flat = flat[:-1] / self.args.ranks
            for grad, part in zip(grads, flat.split([g.numel() for g in grads])):
                grad.copy_(part.view_as(grad))
        return parts, per_token, right, factor

    def update(self, factor):
        torch.nn.utils.clip_grad_norm_(self.others, 1.0)
        for group in self.adam.param_groups:
            group["lr"] = self.args.adam * factor
        self.adam.step()
        self.muon.step(self.args.muon * factor)
        keep = min(0.998, (1 + self.step) / (10 + self.step))
        if self.args.decay_minutes:
            keep = min(keep, 0.99)
        with torch.no_grad():
            values = self.model.state_dict()
            names = [n for n in values if values[n].is_floating_point()]
            torch._foreach_lerp_([self.ema[n] for n in names], [values[n] for n in names], 1 - keep)


def blur_width(step, sharpen):
    share = min(1.0, step / sharpen)
    return WIDTHS[0] * (WIDTHS[1] / WIDTHS[0]) ** share


def main():
    args = options()
    output = args.branch or args.folder
    os.makedirs(output, exist_ok=True)
    if args.ranks == 1:
        work(0, args, None)
        return
    meeting = os.path.abspath(os.path.join(output, f"meeting-{time.time_ns()}"))
    torch.multiprocessing.spawn(work, (args, meeting), nprocs=args.ranks)


def work(rank, args, meeting):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    if args.ranks > 1:
        dist.init_process_group("gloo", init_method="file://" + meeting, rank=rank, world_size=args.ranks)
    trainer = Trainer(args)
    output = os.path.join(args.branch or args.folder, "state.pt")
    state = output if os.path.exists(output) else os.path.join(args.folder, "state.pt")
    if os.path.exists(state):
        trainer.load(state)
    start = trainer.step
    blur = None
    last_save = clock = time.time()
    sums, right, entropy, count = torch.zeros(len(PARTS)), *(torch.zeros(len(answers.TASKS)) for _ in range(3))
    steps_logged = 0
    for batch in data.loader(args.pool, args.scenes, trainer.batches, rank, args.ranks):
        if trainer.step % 20 == 0 or blur is None:
            blur = net.blur_matrix(blur_width(trainer.step, args.sharpen))
        parts, per_token, is_right, factor = trainer.gradients(batch, blur)
        trainer.update(factor)
        trainer.step += 1
        trainer.batches += args.ranks
        sums += parts.detach()
        steps_logged += 1
        weight, task = batch["weight"], batch["task"]
        right.index_add_(0, task, is_right * weight)
        entropy.index_add_(0, task, per_token * weight)
        count.index_add_(0, task, weight)
        if rank == 0 and (trainer.step % 50 == 0 or trainer.step - start in (1, 5, 10, 20)):
            rate = steps_logged * args.scenes * args.ranks / (time.time() - clock)
            line = " ".join(f"{n} {v:.3f}" for n, v in zip(PARTS, (sums / steps_logged).tolist()))
            per_task = " ".join(
                f"{t.strip('<>')[:14]} {e:.2f}/{r:.3f}"
                for t, e, r in zip(answers.TASKS, (entropy / count).tolist(), (right / count).tolist())
            )
            print(f"{time.strftime('%H:%M:%S')} step {trainer.step} lr {factor:.2f} {rate:.1f} scenes/s | {line}", flush=True)
            print("    " + per_task, flush=True)
            for value in (sums, right, entropy, count):
                value.zero_()
            steps_logged, clock = 0, time.time()
        finished = trainer.step - start >= args.steps or factor == 0.0
        if finished or time.time() - last_save > 60 * args.save_minutes:
            if rank == 0:
                trainer.save(output)
            last_save = time.time()
        if finished:
            break


if __name__ == "__main__":
    main()
