"""Frames with things in them that tests place themselves."""

from __future__ import annotations

import numpy as np

from tiepoint_adapters.media.cameras.frames import CameraFrame
from tiepoint_security.scene.view import Look, Region, View

SIZE = (120, 160)


def frame(time_s: float, pixels: np.ndarray | None = None) -> CameraFrame:
    if pixels is None:
        pixels = np.zeros((*SIZE, 3), np.uint8)
    return CameraFrame("gate", round(time_s * 5), time_s, time_s, time_s, pixels, time_s == 0)


def view(time_s: float, *regions: Region, **about: object) -> View:
    return View(frame(time_s), np.zeros(SIZE, np.uint8), True, regions, **about)  # type: ignore[arg-type]


def thing(track: str = "1", time_s: float = 0.0) -> Region:
    return Region(track, (0.0, 0.0, 0.0, 0.0), time_s, time_s)


def put(region: Region, x: float, y: float, time_s: float, width: float = 0.1) -> Region:
    """Let something stand somewhere."""
    region.move((x - width / 2, y - 0.3, x + width / 2, y), time_s)
    return region


def looked(region: Region, vector: np.ndarray, time_s: float) -> Region:
    unit = np.asarray(vector / np.linalg.norm(vector), np.float32)
    region.look = Look(time_s, unit, unit)
    region.looks += 1
    return region
