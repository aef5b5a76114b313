"""Batches: scenes from the pool with freshly asked questions, padded to fixed shapes."""

import os
import pickle
import random
import time

import numpy as np
import torch

import answers
from model import CHARS, GRID
from pool import SHARD
from tokenizer import encode
from world import BACKGROUNDS, COLORS, KINDS, SHAPES

PROMPT_LENGTH = 31
QUESTIONS = 4
# (share of the rows, decoder length): long answers first
BUCKETS = ((0.14, 52), (0.42, 32), (0.44, 16))
TOKENS_PER_ROW = 18.0

TASK_WEIGHTS = {
    "<OCR>": 18, "<OCR_WITH_REGION>": 15, "<REGION_TO_OCR>": 18, "<MORE_DETAILED_CAPTION>": 5,
    "<DETAILED_CAPTION>": 4, "<CAPTION>": 4, "<OD>": 7, "<DENSE_REGION_CAPTION>": 5, "<REGION_PROPOSAL>": 4,
    "<CAPTION_TO_PHRASE_GROUNDING>": 5, "<OPEN_VOCABULARY_DETECTION>": 7, "<REFERRING_EXPRESSION_SEGMENTATION>": 10,
    "<REGION_TO_SEGMENTATION>": 9, "<REGION_TO_CATEGORY>": 3, "<REGION_TO_DESCRIPTION>": 3,
}
# open vocabulary is asked more often where a shape occurs twice, which is rare
REPEATED = 6
CHAR_INDEX = {c: i for i, c in enumerate(CHARS)}
NONE = len(CHARS)
SHAPE_INDEX = {s: i for i, s in enumerate(SHAPES)}
COLOR_INDEX = {c: i for i, c in enumerate(COLORS)}
TEXT_KIND, EMPTY_KIND = len(SHAPES), len(SHAPES) + 1


def bucket_rows(rows):
    first = round(rows * BUCKETS[0][0])
    second = round(rows * BUCKETS[1][0])
    return (first, second, rows - first - second)


def cell_of(point):
    """Index of the visual token that shows a relative point; token 0 is the mean, -1 means none."""
    if point is None:
        return -1
    if point == answers.WHOLE:
        return 0
    x = min(GRID - 1, max(0, int(point[0] * GRID)))
    y = min(GRID - 1, max(0, int(point[1] * GRID)))
    return 1 + y * GRID + x


def questions(truth, rng):
    """Up to QUESTIONS questions of different tasks as (task index, prompt ids, answer ids, cells)."""
    tasks = [t for t in answers.TASKS if answers.applicable(truth, t)]
    weights = dict(TASK_WEIGHTS)
    if answers.repeated_shapes(truth):
        weights["<OPEN_VOCABULARY_DETECTION>"] *= REPEATED
    order = sorted(tasks, key=lambda t: rng.random() ** (1 / weights[t]), reverse=True)
    out = []
    for task in order:
        question = answers.ask(truth, task, rng)
        ids, points = answers.encode_segments(question["segments"])
        prompt = [0, *encode(answers.sentence(truth, question)), 2]
        if len(ids) + 2 > BUCKETS[0][1] or len(prompt) > PROMPT_LENGTH or not answers.acceptable([2, 0, *ids, 2]):
            continue
        out.append((answers.TASKS.index(task), prompt, ids, [cell_of(p) for p in points]))
        if len(out) == QUESTIONS:
            break
    return out


def cell_targets(truth, kind, color, size, box, chars, early):
    """Fills the targets of the auxiliary heads for one scene (arrays are views into the batch)."""
    w, h = truth.width, truth.height
    things = [(o["bbox"], SHAPE_INDEX[o["shape"]], COLOR_INDEX[o["color"]], o["size"] == "large") for o in truth.objects]
    things += [(t["bbox"], TEXT_KIND, -1, -1) for t in truth.texts]
    things.sort(key=lambda t: -(t[0][2] - t[0][0]) * (t[0][3] - t[0][1]))
    for (x0, y0, x1, y1), k, c, s in things:
        relative = (x0 / w, y0 / h, x1 / w, y1 / h)
        for axis_y in range(GRID):
            cy = (axis_y + 0.5) / GRID
            middle_y = int((relative[1] + relative[3]) / 2 * GRID)
            if not (relative[1] < cy < relative[3] or axis_y == middle_y):
                continue
            for axis_x in range(GRID):
                cx = (axis_x + 0.5) / GRID
                middle_x = int((relative[0] + relative[2]) / 2 * GRID)
                if relative[0] < cx < relative[2] or axis_x == middle_x:
                    cell = axis_y * GRID + axis_x
                    kind[cell], color[cell], size[cell] = k, c, s
                    box[cell] = relative
    for text in truth.texts:
        for char, x, y in text["chars"]:
            index = CHAR_INDEX[char]
            for slots, grid in ((chars, GRID), (early, 2 * GRID)):
                cell = min(grid - 1, int(y / h * grid)) * grid + min(grid - 1, int(x / w * grid))
                for slot in range(slots.shape[1]):
                    if slots[cell, slot] == NONE:
                        slots[cell, slot] = index
                        break


def collate(images, truths, rng):
    """A batch with fixed shapes as numpy arrays; rows are sorted by answer length into the buckets."""
    n = len(truths)
    rows = n * QUESTIONS
    kind = np.full((n, GRID * GRID), EMPTY_KIND, np.int64)
    color = np.full((n, GRID * GRID), -1, np.int64)
    size = np.full((n, GRID * GRID), -1, np.int64)
    box = np.zeros((n, GRID * GRID, 4), np.float32)
    chars = np.full((n, GRID * GRID, 3), NONE, np.int64)
    early = np.full((n, 4 * GRID * GRID, 2), NONE, np.int64)
    ground = np.zeros((n, 2), np.int64)
    asked = []
    for i, truth in enumerate(truths):
        back = truth.scene["background"]
        ground[i] = KINDS.index(back["kind"]), list(BACKGROUNDS).index(back["color"])
        cell_targets(truth, kind[i], color[i], size[i], box[i], chars[i], early[i])
        asked += [(i, *q) for q in questions(truth, rng)]
    while len(asked) < rows:
        asked.append(rng.choice(asked))
    asked.sort(key=lambda a: -len(a[3]))
    prompts = np.full((rows, PROMPT_LENGTH), 1, np.int64)
    scene = np.zeros(rows, np.int64)
    limit = int(rows * TOKENS_PER_ROW)
    batch = {"images": images, "kind": kind, "color": color, "size": size, "box": box, "chars": chars, "early": early}
    batch["ground"] = ground
    targets, where, cells_flat, task_flat = [], [], [], []
    row = offset = 0
    for index, (count, length) in enumerate(zip(bucket_rows(rows), [b[1] for b in BUCKETS])):
        ids_in = np.full((count, length), 1, np.int64)
        cells = np.zeros((count, length), np.int64)
        for r in range(count):
            i, task, prompt, ids, looks = asked[row]
            scene[row] = i
            prompts[row, : len(prompt)] = prompt
            if len(ids) + 2 <= length:
                ids_in[r, : len(ids) + 2] = [2, 0, *ids]
                cells[r, 1 : len(ids) + 1] = [max(c, 0) for c in looks]
                start = offset + r * length + 1
                targets += [*ids, 2]
                where += range(start, start + len(ids) + 1)
                cells_flat += [c >= 0 for c in looks] + [False]
                task_flat += [task] * (len(ids) + 1)
            row += 1
        batch[f"ids{index}"], batch[f"cells{index}"] = ids_in, cells
        offset += count * length
    if len(targets) > limit:
        keep = sorted(rng.sample(range(len(targets)), limit))
        targets, where, cells_flat, task_flat = ([v[k] for k in keep] for v in (targets, where, cells_flat, task_flat))
    pad = limit - len(targets)
    batch["weight"] = np.array([1.0] * len(targets) + [0.0] * pad, np.float32)
    batch["targets"] = np.array(targets + [2] * pad, np.int64)
    batch["where"] = np.array(where + [0] * pad, np.int64)
    batch["guide"] = np.array(cells_flat + [False] * pad, np.float32)
    batch["task"] = np.array(task_flat + [0] * pad, np.int64)
    batch["prompts"], batch["scene"] = prompts, scene
    return batch


class Pool(torch.utils.data.IterableDataset):
    """Endless batches: shard after shard in order, then from the first shard again, from batch number `start`."""

    def __init__(self, folder, scenes, start, rank, ranks):
        self.folder, self.scenes, self.start, self.rank, self.ranks = folder, scenes, start, rank, ranks

    def shards(self):
        return sorted(f[:-4] for f in os.listdir(self.folder) if f.endswith(".npy"))

    def __iter__(self):
        torch.set_num_threads(1)
        rng = random.Random(f"{self.start}/{self.rank}/{time.time_ns()}")
        position, loaded = 0, None
        per_shard = SHARD // self.scenes
        while True:
            shard_number, within = divmod(self.start + position, per_shard)
            if loaded != shard_number:
                names = self.shards()
                name = names[shard_number % len(names)]
                pixels = np.load(os.path.join(self.folder, name + ".npy"), mmap_mode="r")
                with open(os.path.join(self.folder, name + ".pkl"), "rb") as file:
                    scenes = pickle.load(file)
                order = list(range(len(scenes)))
                random.Random(shard_number).shuffle(order)
                loaded = shard_number
            position += 1
            if position % self.ranks != self.rank:
                continue
            chosen = order[within * self.scenes : (within + 1) * self.scenes]
            images = np.stack([pixels[i] for i in chosen])
            yield collate(images, [answers.Truth(scenes[i]) for i in chosen], rng)


def to_torch(batch):
    return {k: torch.from_numpy(np.ascontiguousarray(v)) for k, v in batch.items()}


def loader(folder, scenes, start, rank, ranks):
    """Batches `start`, `start` + 1, ... of the pool, of which this process sees every `ranks`-th."""

    dataset = Pool(folder, scenes, start, rank, ranks)
    return torch.utils.data.DataLoader(
        dataset, batch_size=None, num_workers=1, prefetch_factor=6, collate_fn=to_torch, multiprocessing_context="fork"
    )
