"""Frames as flow takes them: grey, and no larger than motion needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.images import Pixels, read_image

Grey: TypeAlias = NDArray[np.uint8]

WORKING_WIDTH = 256
"""Wider frames are made this wide: people stay tens of pixels tall, and flow takes 10 ms."""


def grey_of(pixels: Pixels, width: int = WORKING_WIDTH) -> Grey:
    """Return a frame (h, w, 3) uint8 RGB as (h', w') uint8, at most `width` pixels wide."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    if grey.shape[1] > width:
        height = max(1, round(grey.shape[0] * width / grey.shape[1]))
        grey = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(grey, np.uint8)


def read_grey(paths: Iterable[Path]) -> Iterator[Grey]:
    """Yield the pictures of a clip.

    Raises:
        DecodeError: One is missing, damaged, or not a picture.
    """
    for path in paths:
        yield grey_of(read_image(path))
