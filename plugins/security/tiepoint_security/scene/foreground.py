"""Things without a detector: what differs from the background of a fixed camera."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tiepoint_security.frames.grey import Grey
from tiepoint_security.scene.boxes import Found

_HISTORY_S = 120.0
_WARM_UP_S = 2.0
_VARIANCES = 25.0  # of a pixel's usual values: how far off it has to be
_SHADOW = 127  # MOG2's mark; what is left is foreground
_LEAST_AREA = 0.0008  # of the picture: what is smaller is noise, or too far to tell
_LEAST_SIDE = 3  # pixels of the working picture
_MOST_AREA = 0.5  # of the picture: more is light, not things
_SETTLE_S = 1.0


class Foreground:
    """Finds what differs from the background of one camera.

    A mixture of Gaussians for each pixel (Zivkovic, 2004), with shadows left out. Where most
    of the picture differs the light has changed: the background is learned anew, and nothing
    is found for a moment.

    Args:
        fps: Frames per second.
    """

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._size: tuple[int, ...] = ()
        self._unsettled = 0
        self._begin((0, 0))

    def step(self, frame: Grey) -> list[Found]:
        """Take the next frame, (h, w) uint8; return what is in front of the background."""
        if frame.shape != self._size:
            self._begin(frame.shape)
        rate = 0.2 if self._unsettled else -1.0
        marked = self._model.apply(cv2.GaussianBlur(frame, (3, 3), 0), learningRate=rate)
        if self._unsettled:
            self._unsettled -= 1
            return []
        mask = np.asarray(marked > _SHADOW, np.uint8)
        if mask.mean() > _MOST_AREA:
            self._unsettled = max(1, round(_SETTLE_S * self._fps))
            return []
        return _boxes(mask)

    def _begin(self, size: tuple[int, ...]) -> None:
        self._size = size
        self._model = cv2.createBackgroundSubtractorMOG2(
            history=max(20, round(_HISTORY_S * self._fps)),
            varThreshold=_VARIANCES,
            detectShadows=True,
        )
        self._unsettled = max(2, round(_WARM_UP_S * self._fps))


def _boxes(mask: NDArray[np.uint8]) -> list[Found]:
    """Return the boxes of connected marks; parts of one body that lie close are joined."""
    height, width = mask.shape
    clean = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    # People come apart at the waist more often than they walk on top of each other.
    joined = cv2.dilate(clean, np.ones((max(3, height // 24), max(3, width // 64)), np.uint8))
    count, labels = cv2.connectedComponents(joined)
    found = []
    least = _LEAST_AREA * height * width
    for label in range(1, count):
        rows, columns = np.nonzero((labels == label) & (clean > 0))
        if len(rows) < least:
            continue
        top, bottom = int(rows.min()), int(rows.max()) + 1
        left, right = int(columns.min()), int(columns.max()) + 1
        if min(bottom - top, right - left) >= _LEAST_SIDE:
            found.append(Found((left / width, top / height, right / width, bottom / height)))
    return found
