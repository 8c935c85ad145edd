"""Clips brought to one size, frame rate, length and bitrate, so that none tells by its quality.

Fights come from other recorders than quiet scenes: in a collection, the size of the files or
of the frames alone can separate them. What is measured on clips made alike is motion.
"""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import MissingDependencyError
from tiepoint.sequences.clips import Clip
from tiepoint.sequences.decoding import read_frames
from tiepoint_security.behaviour.fights import FPS, WIDTH

HEIGHT = 180
BITRATE = 150_000
FRAMES = 19


def uniform_clip(path: Path) -> NDArray[np.uint8]:
    """Return a clip as (frames, HEIGHT, WIDTH) uint8 grey, after H.264 at `BITRATE`.

    The middle of the picture in 4:3, at most `FRAMES` frames at `FPS`.

    Raises:
        DecodeError: It cannot be read.
        MissingDependencyError: PyAV is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingDependencyError(
            "video needs PyAV", hint="Run: pip install 'tiepoint[video]'"
        ) from error

    frames = [_cropped(frame.pixels) for frame in read_frames(Clip(path), rate=FPS)][:FRAMES]
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=round(FPS))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.bit_rate = BITRATE
        rate = str(BITRATE)
        stream.options = {"minrate": rate, "maxrate": rate, "bufsize": rate}
        for pixels in frames:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(stream.encode())
    file.seek(0)
    with av.open(file) as container:
        return np.stack([frame.to_ndarray(format="gray") for frame in container.decode(video=0)])


def _cropped(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    wide, tall = min(width, height * WIDTH // HEIGHT), min(height, width * HEIGHT // WIDTH)
    left, top = (width - wide) // 2, (height - tall) // 2
    middle = pixels[top : top + tall, left : left + wide]
    return np.asarray(cv2.resize(middle, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
