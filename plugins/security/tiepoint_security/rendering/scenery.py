"""What stands still: a street with a wall, a pavement in perspective, and the light on them."""

from __future__ import annotations

import cv2
import numpy as np

from tiepoint.encoders.images import Pixels

HORIZON = 0.3
"""Where the ground begins, as a part of the picture's height."""

_TONES = ((168, 160, 150), (150, 158, 168), (175, 165, 140))
_GROUNDS = ((128, 126, 122), (112, 116, 112), (140, 132, 124))


def street(width: int, height: int, seed: int) -> Pixels:
    """Return a street without people, (height, width, 3) uint8 RGB; other seeds, other streets."""
    chance = np.random.default_rng(seed)
    picture = np.empty((height, width, 3), np.float32)
    edge = round(HORIZON * height)
    picture[:edge] = _TONES[seed % len(_TONES)]
    picture[edge:] = _GROUNDS[seed % len(_GROUNDS)]
    _windows(picture[:edge], chance)
    _slabs(picture[edge:])
    coarse = chance.normal(0, 9, (height // 12 + 1, width // 12 + 1)).astype(np.float32)
    fine = chance.normal(0, 4, (height, width)).astype(np.float32)
    grain = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) + fine
    light = np.linspace(0.9, 1.06, width, dtype=np.float32)[None, :, None]
    return np.clip((picture + grain[:, :, None]) * light, 0, 255).astype(np.uint8)


def _windows(wall: np.ndarray, chance: np.random.Generator) -> None:
    height, width = wall.shape[:2]
    step = max(24, width // 8)
    for left in range(step // 3, width - step // 2, step):
        glass = chance.uniform(50, 90)
        wall[height // 5 : height * 3 // 4, left : left + step // 2] = (glass, glass, glass + 12)


def _slabs(ground: np.ndarray) -> None:
    """Draw the joints of slabs, closer together where they are far away."""
    height, width = ground.shape[:2]
    for depth in np.linspace(0, 1, 9)[1:-1]:
        ground[round(height * depth**2)] *= 0.88
    for slot in np.linspace(-1.5, 2.5, 21):
        top = (round(width * (0.5 + (slot - 0.5) * 0.6)), 0)
        bottom = (round(width * (0.5 + (slot - 0.5) * 1.5)), height - 1)
        joint = np.zeros((height, width), np.uint8)
        cv2.line(joint, top, bottom, 1, 1, cv2.LINE_AA)
        ground[joint > 0] *= 0.9
