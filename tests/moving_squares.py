"""Made footage: textured squares that cross a noisy picture, and one that is much too fast."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

HEIGHT, WIDTH = 144, 224
SIDE = 26
SPEED = 0.8  # pixels a frame, of ordinary squares
ROWS = (12, 60, 108)
FAST = 2.5


def footage(
    frames: int, seed: int, fast_from: int | None = None, fast_speed: float = FAST
) -> NDArray[np.uint8]:
    """Return (frames, HEIGHT, WIDTH) uint8; a fast square comes in at `fast_from`."""
    scene = np.random.default_rng(0).integers(90, 110, (HEIGHT, WIDTH)).astype(np.uint8)
    chance = np.random.default_rng(seed + 1)
    texture = cv2.resize(
        chance.integers(0, 255, (7, 7)).astype(np.uint8), (SIDE, SIDE), interpolation=1
    )
    starts = chance.uniform(0, WIDTH, len(ROWS))
    speeds = SPEED * chance.uniform(0.8, 1.2, len(ROWS))
    pictures = []
    for t in range(frames):
        picture = scene.copy()
        for row, start, speed in zip(ROWS, starts, speeds, strict=True):
            put(picture, texture, (start + speed * t) % (WIDTH + SIDE) - SIDE, row)
        if fast_from is not None and t >= fast_from:
            put(picture, texture, (fast_speed * (t - fast_from)) % (WIDTH + SIDE) - SIDE, ROWS[1])
        noise = chance.normal(0, 1, picture.shape)
        pictures.append(np.clip(picture + noise, 0, 255).astype(np.uint8))
    return np.stack(pictures)


def put(picture: NDArray[np.uint8], texture: NDArray[np.uint8], x: float, y: float) -> None:
    """Draw a texture at a place between pixels, cut off at the picture's sides."""
    matrix = np.array([[1, 0, x], [0, 1, y]], np.float32)
    size = (picture.shape[1], picture.shape[0])
    drawn = cv2.warpAffine(texture, matrix, size)
    mask = cv2.warpAffine(np.full_like(texture, 255), matrix, size) > 127
    picture[mask] = drawn[mask]


def write(pictures: NDArray[np.uint8], folder: Path) -> list[Path]:
    """Write frames as 000.png, 001.png, ... and return their paths."""
    folder.mkdir(parents=True)
    paths = [folder / f"{t:03d}.png" for t in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        cv2.imwrite(str(path), picture)
    return paths
