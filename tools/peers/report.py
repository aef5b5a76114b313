"""Writes a machine's page and chart from the raw results alone.

    python report.py RESULTS.json NAME      # docs/benchmarks/NAME.md
"""
from __future__ import annotations

import json
import pathlib
import statistics
import sys

import picture
from folders import HERE, REPOSITORY

PAGES = REPOSITORY / "docs/benchmarks"
GIB = 1 << 30

# op, title, unit, factor from seconds, digits
ROWS = [
    ("vision", "vision tower and projector, one image", "s", 1, 2),
    ("prompt", "text encoder, 577 + 13 tokens", "ms", 1e3, 0),
    ("decode_1", "decoding, greedy, per token", "ms", None, 1),
    ("decode_3", "decoding, 3 beams, per token", "ms", None, 1),
    ("od", "whole `<OD>`: pixels to 64 tokens, 3 beams", "s", 1, 2),
    ("six", "six questions about one image, 3 beams", "s", 1, 1),
    ("six_once", "the same, `transformers` encoding the image once", "s", 1, 1),
]


def values(results: dict, op: str) -> dict[str, list[float]]:
    """By column, in the unit of the table."""
    factor = next(factor for name, *_, factor, _ in ROWS if name == op)
    factor = factor or 1e3 / results["new_tokens"]
    return {key: [factor * s for s in seconds] for key, seconds in results["seconds"].get(op, {}).items()}


def cell(found: list[float] | None, digits: int, bold: bool = False) -> str:
    """Median, and minimum to maximum."""
    if not found:
        return ""
    median = f"{statistics.median(found):.{digits}f}"
    spread = f"{min(found):.{digits}f}–{max(found):.{digits}f}"
    return (f"**{median}**" if bold else median) + f" <sub>{spread}</sub>"


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def measured(results: dict) -> str:
    columns = results["columns"]
    body = []
    for op, title, unit, _, digits in ROWS:
        found = values(results, op)
        best = min((statistics.median(v) for v in found.values()), default=None) if len(found) > 2 else None
        cells = [cell(found.get(c["key"]), digits, bool(found.get(c["key"])) and statistics.median(found[c["key"]]) == best) for c in columns]
        if any(cells):
            body.append([f"{title}, {unit}", *cells])
    load = results["load"]
    best = min((statistics.median(v) for v in load.values()), default=None)
    body.append(["loading, s", *(cell(load.get(c["key"]), 2, c["key"] in load and statistics.median(load[c["key"]]) == best) for c in columns)])
    for name, title in (("after_load", "peak memory after loading, GiB"), ("at_end", "peak memory at the end, GiB")):
        found = {key: (statistics.median(v) if isinstance(v, list) else v) / GIB for key, v in results[name].items()}
        best = min(found.values(), default=None)
        texts = [f"{found[c['key']]:.2f}" if c["key"] in found else "" for c in columns]
        body.append([title, *(f"**{t}**" if t and found[c["key"]] == best else t for t, c in zip(texts, columns))])
    return table(["", *(c["title"] for c in columns)], body)


def ratios(results: dict) -> str:
    ours = [c for c in results["columns"] if c["ours"] and c["key"] not in results["missing"]]
    peers = [c for c in results["columns"] if not c["ours"] and c["key"] not in results["missing"]]
    body = []
    for mine in ours:
        for op, title, *_ in ROWS:
            found = values(results, op)
            # Ours encodes the image once anyway.
            same = values(results, "six") if op == "six_once" else found
            if mine["key"] not in same or not found:
                continue
            median = statistics.median(same[mine["key"]])
            body.append([f"{mine['title']}: {title}", *(
                f"{statistics.median(found[p['key']]) / median:.2f}" if p["key"] in found else "" for p in peers
            )])
    return table(["", *(p["title"] for p in peers)], body)


def agreement(results: dict) -> str:
    reference, ids = results["reference"], results["ids"]
    if reference not in ids:
        return "The reference did not take part."
    body = []
    for column in results["columns"]:
        answers = ids.get(column["key"])
        if answers is None or column["key"] == reference:
            continue
        pairs = list(zip(answers, ids[reference]))
        same = sum(a == b for a, b in pairs)
        # The start token and the forced <s> and </s> say nothing.
        before = [next((i for i, (x, y) in enumerate(zip(a[2:-1], b[2:-1])) if x != y), len(b) - 3) for a, b in pairs]
        body.append([column["title"], next_tokens(results, column["key"]), f"{same} of {len(pairs)}", f"{statistics.mean(before):.0f} of {len(pairs[0][1]) - 3}"])
    return table(["", "same next token", "answers identical", "tokens before the first difference, mean"], body)


def next_tokens(results: dict, key: str) -> str:
    """Share of positions of the reference's answers with the same most likely next token."""
    mine, theirs = results["next"].get(key), results["next"].get(results["reference"])
    if not mine or not theirs:
        return ""
    pairs = [pair for a, b in zip(mine, theirs) for pair in zip(a, b)]
    return f"{100 * sum(a == b for a, b in pairs) / len(pairs):.1f} % of {len(pairs)}"


def columns_left_out(results: dict) -> str:
    titles = {c["key"]: c["title"] for c in results["columns"]}
    return "".join(f"\nNot measured: {titles[key]} ({why}).\n" for key, why in results["missing"].items())


def markdown(results: dict, name: str) -> str:
    machine, versions = results["machine"], results["versions"]
    notes = HERE / "notes" / f"{name}.md"
    rounds = {op: max(map(len, by_column.values())) for op, by_column in results["seconds"].items()}
    return f"""<!-- Written by tools/peers/report.py from a run's raw results; by hand only through tools/peers/notes. -->
# {results.get('title') or machine['cpu']}, {machine['cores']} cores

Florence-2-base (231 million parameters), one 768 × 768 image, batch 1, {results['threads']} threads: this workspace beside PyTorch, ONNX
Runtime and OpenVINO, on one machine in one session, interleaved. [How it was measured](../../BENCHMARKS.md#method).

![Medians as bars]({name}.svg)

- Machine: {machine['cpu']}, {machine['cores']} cores, {machine['memory_bytes'] / GIB:.0f} GiB, {machine['system']}; {', '.join(machine['flags']) or 'no flags known'}.
- Date: {results['date']}; commit `{results['commit']}`; {results['minutes']} minutes.
- Versions: {', '.join(f'{name} {version}' for name, version in versions.items())}.

## Results

Median, and minimum to maximum; rounds: {rounds.get('vision', 0)}, of the six questions {rounds.get('six', 0)}, of
loading {max(map(len, results['load'].values()), default=0)}. Lower is better; the best of a row is bold. Empty cells: the engine has no such mode.

{measured(results)}
{columns_left_out(results)}
## Speedup

The peer's median divided by ours: above 1, ours is faster.

{ratios(results)}

## Agreement

Token ids of {2 * len(results['prompts'])} answers (six prompts, greedy and with 3 beams, {results['new_tokens']} tokens each), compared with those of PyTorch in f32;
and the most likely next token at every position of PyTorch's greedy answers. The weights are random, so next tokens are close
in probability, and once an answer diverges it stays different; trained weights are more confident. In f32 anything but full
agreement would be a bug.

{agreement(results)}

{notes.read_text().strip() if notes.exists() else ''}
""".rstrip() + "\n"


def bars(results: dict) -> list[picture.Panel]:
    columns = [c for c in results["columns"] if c["key"] not in results["missing"]]

    def panel(title: str, found: dict[str, float], digits: int) -> picture.Panel:
        return picture.Panel(title, [(c["title"], found[c["key"]], c["ours"]) for c in columns if c["key"] in found], digits)

    panels = []
    for op, title, digits in (
        ("vision", "encoding an image, s", 2), ("decode_3", "per token, 3 beams, ms", 1), ("od", "detection, 64 tokens, s", 2),
        ("six", "six questions about an image, s", 1),
    ):
        panels.append(panel(title, {key: statistics.median(v) for key, v in values(results, op).items()}, digits))
    panels.append(panel("loading, s", {key: statistics.median(v) for key, v in results["load"].items()}, 2))
    panels.append(panel("peak memory, GiB", {key: v / GIB for key, v in results["at_end"].items()}, 2))
    return panels


def write(results: dict, name: str) -> None:
    PAGES.mkdir(parents=True, exist_ok=True)
    picture.draw(bars(results), PAGES / f"{name}.svg")
    page = PAGES / f"{name}.md"
    page.write_text(markdown(results, name))
    print(f"{page} and its chart written", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    write(json.loads(pathlib.Path(sys.argv[1]).read_text()), sys.argv[2])
