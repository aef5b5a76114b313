"""Greedy decoding and beam search over any decoder with a memory, as transformers does them; one answer at a time.

The decoder is a function from (tokens, parents) to logits: `tokens[i]` is fed to row i, which goes on from row
`parents[i]` of the previous step.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

Decoder = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Rules:
    """What the checkpoint asks for, and answers of exactly `new_tokens` tokens."""

    new_tokens: int
    start: int = 2
    bos: int = 0
    eos: int = 2
    ngram: int = 3

    def apply(self, ids: list[int], scores: np.ndarray) -> None:
        """Changes one row of scores, given the tokens before it."""
        if len(ids) == 1:
            return force(self.bos, scores)
        if len(ids) == self.new_tokens:
            return force(self.eos, scores)
        scores[self.eos] = -np.inf
        n = self.ngram
        tail = ids[len(ids) + 1 - n:]
        for i in range(len(ids) - n + 1):
            if ids[i:i + n - 1] == tail:
                scores[ids[i + n - 1]] = -np.inf


def force(token: int, scores: np.ndarray) -> None:
    scores.fill(-np.inf)
    scores[token] = 0.0


def log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def top(scores: np.ndarray, k: int) -> np.ndarray:
    """The places of the `k` largest, largest first."""
    places = np.argpartition(scores, -k)[-k:]
    return places[np.argsort(-scores[places], kind="stable")]


def greedy(decoder: Decoder, rules: Rules) -> list[int]:
    ids = [rules.start]
    parent = np.zeros(1, dtype=np.int64)
    for _ in range(rules.new_tokens):
        scores = np.array(decoder(np.array(ids[-1:]), parent)[0], dtype=np.float32)
        rules.apply(ids, scores)
        ids.append(int(scores.argmax()))
    return ids


def beam(decoder: Decoder, rules: Rules, beams: int) -> list[int]:
    """No beam may end before the last token, so the best running beam is the answer and nothing ends early."""
    running = [[rules.start] for _ in range(beams)]
    totals = np.array([0.0] + [-1e9] * (beams - 1), dtype=np.float32)  # the first step splits the first beam
    tokens, parents = np.full(beams, rules.start), np.arange(beams)
    for _ in range(rules.new_tokens):
        scores = log_softmax(decoder(tokens, parents))
        for ids, row in zip(running, scores):
            rules.apply(ids, row)
        scores += totals[:, None]
        flat = scores.reshape(-1)
        places = top(flat, beams)
        totals = flat[places]
        parents, tokens = np.divmod(places, scores.shape[1])
        running = [running[p] + [int(t)] for p, t in zip(parents, tokens)]
    return running[int(totals.argmax())]


def follow(decoder: Decoder, tokens: list[int]) -> list[int]:
    """The likeliest token after each of the given ones."""
    parent = np.zeros(1, dtype=np.int64)
    return [int(decoder(np.array([token]), parent)[0].argmax()) for token in tokens]


def search(decoder: Decoder, rules: Rules, beams: int) -> list[int]:
    return greedy(decoder, rules) if beams == 1 else beam(decoder, rules, beams)
