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

    def forced(self, ids: list[int]) -> int | None:
        """The token that has to come next, if one has to."""
        return self.bos if len(ids) == 1 else self.eos if len(ids) == self.new_tokens else None

    def forbid(self, ids: list[int], scores: np.ndarray) -> None:
        """Changes one row of scores, given the tokens before it."""
        scores[self.eos] = -np.inf
        n = self.ngram
        tail = ids[len(ids) + 1 - n:]
        for i in range(len(ids) - n + 1):
            if ids[i:i + n - 1] == tail:
                scores[ids[i + n - 1]] = -np.inf


def best(row: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Places and values of the largest, which the row loses; for a few of many faster than any partition."""
    places, values = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.float32)
    for i in range(count):
        places[i] = row.argmax()
        values[i] = row[places[i]]
        row[places[i]] = -np.inf
    return places, values


def greedy(decoder: Decoder, rules: Rules) -> list[int]:
    ids = [rules.start]
    parent = np.zeros(1, dtype=np.int64)
    for _ in range(rules.new_tokens):
        scores = np.array(decoder(np.array(ids[-1:]), parent)[0], dtype=np.float32)
        token = rules.forced(ids)
        if token is None:
            rules.forbid(ids, scores)
            token = int(scores.argmax())
        ids.append(token)
    return ids


def continuations(logits: np.ndarray, ids: list[int], rules: Rules, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The likeliest next tokens of one beam and their log-probabilities."""
    forced = rules.forced(ids)
    if forced is not None:
        return np.array([forced]), np.zeros(1, dtype=np.float32)
    shifted = logits - logits.max()
    total = np.log(np.exp(shifted).sum())  # before anything is forbidden, as in transformers
    rules.forbid(ids, shifted)
    tokens, values = best(shifted, count)
    return tokens, values - total


def beam(decoder: Decoder, rules: Rules, beams: int) -> list[int]:
    """No beam may end before the last token, so the best running beam is the answer and nothing ends early."""
    running = [[rules.start] for _ in range(beams)]
    totals = np.array([0.0] + [-1e9] * (beams - 1), dtype=np.float32)  # the first step splits the first beam
    tokens, parents = np.full(beams, rules.start), np.arange(beams)
    for _ in range(rules.new_tokens):
        found = [continuations(row, ids, rules, beams) for row, ids in zip(decoder(tokens, parents), running)]
        scores = np.concatenate([total + logprobs for total, (_, logprobs) in zip(totals, found)])
        origins = np.repeat(np.arange(beams), [len(ids) for ids, _ in found])
        order = np.argsort(-scores, kind="stable")[:beams]
        totals, parents, tokens = scores[order], origins[order], np.concatenate([ids for ids, _ in found])[order]
        running = [running[p] + [int(t)] for p, t in zip(parents, tokens)]
    return running[0]


def follow(decoder: Decoder, tokens: list[int]) -> list[int]:
    """The likeliest token after each of the given ones."""
    parent = np.zeros(1, dtype=np.int64)
    return [int(decoder(np.array([token]), parent)[0].argmax()) for token in tokens]


def search(decoder: Decoder, rules: Rules, beams: int) -> list[int]:
    return greedy(decoder, rules) if beams == 1 else beam(decoder, rules, beams)
