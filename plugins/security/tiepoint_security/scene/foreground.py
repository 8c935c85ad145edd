"""Things without a detector: what differs from the background of a fixed camera."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.images import Pixels
from tiepoint_security.alerts.observation import Box
from tiepoint_security.frames.grey import WORKING_WIDTH
from tiepoint_security.scene.boxes import Found

_HISTORY_S = 300.0
_BACKGROUND = 0.7  # of the history: what is there for 30 % of it becomes background, about 100 s
_WARM_UP_S = 2.0
_VARIANCES = 25.0  # of a pixel's usual values: how far off it has to be
_DIMMED = 0.7  # what dims the background no more than to this share is a shadow
_SHADOW = 127  # MOG2's mark; what is left is foreground
_LEAST_AREA = 0.0008  # of the picture: what is smaller is noise, or too far to tell
_LEAST_SIDE = 3  # pixels of the working picture
_ALIGNED = 0.6  # of the width of a part: how much of it lies above or below the rest
_GAP = 0.1  # of the height of the rest: how far apart parts may be
_HEAD_GAP = 0.9  # of the height of legs: clothes of the background's colour leave them and a head
_SQUAT = 1.6  # times its width: a head is no taller, who stands far behind is
_HEAD_SIDE = 0.4  # of the height of legs: a head is neither wider nor taller, a dog behind may be
_COLLAR_GAP = 0.35  # of the height of legs: so near, a collar may be with the head
_COLLAR_SIDE = 0.55
_COLLAR_SQUAT = 1.35
_FEET_GAP = 0.6  # of the height of a body whose trousers are of the background's colour
_FEET_HEIGHT = 0.55  # of that height: feet and shins, and what shadow is at them, are lower
_FEET_WIDTH = 0.6, 2.2  # of its width: a step is no narrower and no wider
_UPRIGHT = 1.5  # times its width: how tall a body is at least
_FOOT = 0.25  # of the height of a body: a foot is no larger, and stands no higher or lower
_STEP = 0.15  # of that height: how far beside the body it is put
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

    def step(self, pixels: Pixels) -> list[Found]:
        """Take the next frame, (h, w, 3) uint8; return what is in front of the background."""
        width = min(WORKING_WIDTH, pixels.shape[1])
        height = max(1, round(pixels.shape[0] * width / pixels.shape[1]))
        frame = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
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
        return boxes_of(mask)

    def _begin(self, size: tuple[int, ...]) -> None:
        self._size = size
        self._model = cv2.createBackgroundSubtractorMOG2(
            history=max(20, round(_HISTORY_S * self._fps)),
            varThreshold=_VARIANCES,
            detectShadows=True,
        )
        self._model.setBackgroundRatio(_BACKGROUND)
        self._model.setShadowThreshold(_DIMMED)
        self._unsettled = max(2, round(_WARM_UP_S * self._fps))


def boxes_of(mask: NDArray[np.uint8]) -> list[Found]:
    """Return the boxes of connected marks; parts of one body that lie close are joined.

    Args:
        mask: (h, w) uint8, 1 where it differs from the background.
    """
    height, width = mask.shape
    clean = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    near = np.ones((max(3, height // 24), max(3, width // 64)), np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(clean, near))
    margin_y, margin_x = near.shape[0] // 2, near.shape[1] // 2
    least = _LEAST_AREA * height * width
    found = []
    for label in range(1, count):
        left, top, wide, tall, _ = (int(value) for value in stats[label])
        left, right = left + margin_x, left + wide - margin_x
        top, bottom = top + margin_y, top + tall - margin_y
        if min(bottom - top, right - left) < _LEAST_SIDE:
            continue
        if int(clean[top:bottom, left:right].sum()) >= least:
            found.append((left / width, top / height, right / width, bottom / height))
    return [Found(box) for box in _joined(found, width / height)]


def _joined(boxes: list[Box], aspect: float) -> list[Box]:
    """Join boxes that are parts of one body: people come apart at the waist and the collar.

    Args:
        boxes: As parts of the picture's sides.
        aspect: Width of the picture over its height.
    """
    left = sorted(boxes, key=lambda box: -(box[2] - box[0]) * (box[3] - box[1]))
    joined: list[Box] = []
    while left:
        box = left.pop(0)
        part = next((other for other in left if _of_one_body(box, other, aspect)), None)
        if part is None:
            joined.append(box)
            continue
        left.remove(part)
        whole = (
            min(box[0], part[0]),
            min(box[1], part[1]),
            max(box[2], part[2]),
            max(box[3], part[3]),
        )
        left.insert(0, whole)
    return joined


def _of_one_body(box: Box, part: Box, aspect: float) -> bool:
    """Return whether a smaller box lies mostly in a larger one, right above or below it.

    One that looks like a head may lie further above, one that looks like feet further below.
    """
    wide, tall = (part[2] - part[0]) * aspect, part[3] - part[1]
    body_wide, body_tall = (box[2] - box[0]) * aspect, box[3] - box[1]
    across = (min(box[2], part[2]) - max(box[0], part[0])) * aspect
    down = min(box[3], part[3]) - max(box[1], part[1])
    gap = -down / body_tall
    if part[1] > box[1] and _UPRIGHT * body_wide <= body_tall:
        narrowest, widest = (times * body_wide for times in _FEET_WIDTH)
        flat = tall <= min(wide, _FEET_HEIGHT * body_tall) and narrowest <= wide <= widest
        if flat and across >= _ALIGNED * min(wide, body_wide) and gap < _FEET_GAP:
            return True
        foot = max(wide, tall, abs(part[3] - box[3])) <= _FOOT * body_tall
        if foot and across >= -_STEP * body_tall:
            return True
    if across < _ALIGNED * wide:
        return False
    if part[1] < box[1]:
        side = max(wide, tall) / body_tall
        if side <= _HEAD_SIDE and tall <= _SQUAT * wide:
            return gap < _HEAD_GAP
        if side <= _COLLAR_SIDE and tall <= _COLLAR_SQUAT * wide:
            return gap < _COLLAR_GAP
    return gap < _GAP
