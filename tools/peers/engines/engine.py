"""What an engine has to be able to do."""
from __future__ import annotations

import numpy as np

from folders import Folders
from search import Rules


class Engine:
    """Loaded when made; every method answers with finished numbers, nothing is left running."""

    def __init__(self, folders: Folders, precision: str, threads: int):
        raise NotImplementedError

    def versions(self) -> dict:
        raise NotImplementedError

    def notes(self) -> dict:
        """What was chosen, for the report."""
        return {}

    def take(self, pixels: np.ndarray):
        """Pixel values in the engine's own form."""
        return pixels

    def see(self, pixels):
        """Pixel values to image features."""
        raise NotImplementedError

    def read(self, features, prompt: list[int]):
        """Image features and a prompt to what the decoder needs."""
        raise NotImplementedError

    def write(self, read, prompt: list[int], beams: int, rules: Rules) -> list[int]:
        """The decoder and its search: the whole sequence, start token included."""
        raise NotImplementedError

    def follow(self, read, prompt: list[int], tokens: list[int]) -> list[int]:
        """The likeliest token after each of the given ones, no rules applied."""
        raise NotImplementedError

    def one(self, pixels, prompt: list[int], beams: int, rules: Rules) -> list[int]:
        return self.write(self.read(self.see(pixels), prompt), prompt, beams, rules)

    def many_once(self, pixels, prompts: list[list[int]], beams: int, rules: Rules) -> None:
        """All prompts about one picture, which is seen once."""
        features = self.see(pixels)
        for prompt in prompts:
            self.write(self.read(features, prompt), prompt, beams, rules)

    def many(self, pixels, prompts: list[list[int]], beams: int, rules: Rules) -> None:
        """All prompts about one picture, as people do it with this engine."""
        self.many_once(pixels, prompts, beams, rules)
