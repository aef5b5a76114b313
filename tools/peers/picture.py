"""Bars, one panel for each measurement, readable on light and dark pages."""
from __future__ import annotations

import dataclasses
import pathlib

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

TEXT = "#7a828c"  # as far from white as from near-black
OURS, PEER = "#e5702a", "#6f94b8"


@dataclasses.dataclass(frozen=True)
class Panel:
    title: str
    bars: list[tuple[str, float, bool]]  # whose, how much, whether ours
    digits: int


def draw(panels: list[Panel], path: pathlib.Path, across: int = 2) -> None:
    pyplot.rcParams.update({"svg.hashsalt": "florence", "font.family": "DejaVu Sans", "font.size": 9})
    down = -(-len(panels) // across)
    rows = max((len(panel.bars) for panel in panels), default=1)
    figure, axes = pyplot.subplots(down, across, figsize=(9.4, down * (0.62 + 0.235 * rows)), squeeze=False)
    for axis in axes.flat[len(panels):]:
        axis.set_visible(False)
    for axis, panel in zip(axes.flat, panels):
        names = [name for name, *_ in panel.bars]
        amounts = [amount for _, amount, _ in panel.bars]
        places = range(len(names))
        axis.barh(places, amounts, height=0.72, color=[OURS if ours else PEER for *_, ours in panel.bars])
        axis.set_yticks(places, names)
        axis.invert_yaxis()
        axis.set_xlim(0, 1.16 * max(amounts, default=1))
        axis.set_xticks([])
        axis.tick_params(length=0, colors=TEXT)
        for place, (_, amount, ours) in zip(places, panel.bars):
            axis.text(amount, place, f" {amount:.{panel.digits}f}", va="center", color=TEXT, weight="bold" if ours else "normal")
        for label, (*_, ours) in zip(axis.get_yticklabels(), panel.bars):
            label.set_weight("bold" if ours else "normal")
        axis.set_title(panel.title, loc="left", color=TEXT, weight="bold", fontsize=10)
        axis.set_facecolor("none")
        for spine in axis.spines.values():
            spine.set_visible(False)
    figure.tight_layout(h_pad=1.6, w_pad=2.0)
    figure.savefig(path, transparent=True, metadata={"Date": None} if path.suffix == ".svg" else None)
    pyplot.close(figure)
