"""Renders the training scenes ahead of time: shards of 10,000 scenes as the model sees them, with their truth.

    python pool.py FOLDER FIRST LAST     # shards FIRST..LAST-1, skips those that exist

A shard is `NNN.npy` (uint8, 10000 x 128 x 128 x 3) and `NNN.pkl` (list of scenes).
The early shards have larger type. Training seeds start at 1,000,000; the evaluation set uses seeds below 100,000.
"""

import os
import pickle
import sys

import cv2
import numpy as np

from world import INPUT_SIDE, model_view, render, sample_scene

SHARD = 10_000
FIRST_SEED = 1_000_000


def text_scale(shard):
    """Largest type relative to the smallest legible type: a curriculum over the shards."""
    return max(1.5, 2.2 - 0.1 * shard)


def make_shard(folder, shard):
    images = np.empty((SHARD, INPUT_SIDE, INPUT_SIDE, 3), np.uint8)
    scenes = []
    for i in range(SHARD):
        scene = sample_scene(FIRST_SEED + shard * SHARD + i, text_scale(shard), (256, 448))
        images[i] = model_view(render(scene))
        scenes.append(scene)
    base = os.path.join(folder, f"{shard:03d}")
    with open(base + ".pkl.part", "wb") as file:
        pickle.dump(scenes, file, protocol=5)
    os.replace(base + ".pkl.part", base + ".pkl")
    with open(base + ".npy.part", "wb") as file:
        np.save(file, images)
    os.replace(base + ".npy.part", base + ".npy")


def main():
    folder, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    cv2.setNumThreads(1)
    os.makedirs(folder, exist_ok=True)
    for shard in range(first, last):
        if not os.path.exists(os.path.join(folder, f"{shard:03d}.npy")):
            make_shard(folder, shard)
            print("shard", shard, flush=True)


if __name__ == "__main__":
    main()
