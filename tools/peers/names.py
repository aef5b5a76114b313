"""Names of the exported graphs' inputs and outputs."""
from __future__ import annotations


def names(kind: str, layers: int) -> list[str]:
    """Of the keys and values of every layer, in order."""
    return [f"{kind}.{i}.{part}" for i in range(layers) for part in ("key", "value")]
