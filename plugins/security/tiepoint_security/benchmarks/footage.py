"""Footage to measure on where none is given: rendered streets of ordinary people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tiepoint_adapters.media.clip_writer import ClipWriter
from tiepoint_security.rendering.scripts import ordinary

WIDTH, HEIGHT = 640, 360


def rendered(folder: Path, seconds: float, fps: float, number: int = 0) -> Path:
    """Write a scene of people who walk by as a video; return its path.

    Args:
        folder: An existing folder.
        seconds: Its length.
        fps: Its frames per second.
        number: Another number, another scene.
    """
    file = folder / f"street-{number}.mp4"
    scene = replace(
        ordinary(seconds, seed=number, street=number), width=WIDTH, height=HEIGHT, fps=fps
    )
    with ClipWriter(file) as clip:
        for frame in scene.frames():
            clip.add(frame.pixels, frame.time_s)
    return file
