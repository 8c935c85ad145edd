"""Frames as a camera gives them, made up."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tests.footage import scene
from tiepoint_adapters.media.cameras.frames import CameraFrame

NOON_S = 1_777_636_800.0  # 2026-05-01, 12:00 UTC
STEP_S = 0.2


def frames(
    seconds: float,
    moves: bool = True,
    begins_s: float = 0.0,
    camera: str = "gate",
    wall_s: float = NOON_S,
    width: int = 160,
) -> Iterator[CameraFrame]:
    """Yield five frames a second of a scene in which a square moves, or nothing does."""
    for number in range(round(seconds / STEP_S)):
        time_s = begins_s + number * STEP_S
        pixels = scene(number if moves else 0, width=width)
        noise = np.random.default_rng(number).integers(-2, 3, pixels.shape)
        yield CameraFrame(
            camera=camera,
            number=number,
            time_s=time_s,
            arrived_s=time_s,
            wall_s=wall_s + time_s,
            pixels=np.clip(pixels + noise, 0, 255).astype(np.uint8),
            new_size=number == 0,
        )
