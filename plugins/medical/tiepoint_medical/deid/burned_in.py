"""Text in pictures: found, blacked out, and looked for again."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.images import resize_image

Box = tuple[int, int, int, int]
"""Left, top, right and bottom, in pixels; right and bottom are outside."""

ROUNDS = 3
"""How often text is looked for and blacked out, at most, until a round finds none."""

SCALES = (1.0, 2.0)
"""Small and faint text is found in the enlarged picture only, whose contrast is evened out."""

LONGEST_SIDE = 2048
"""A picture is not enlarged beyond this, and a larger one is made as small."""

_MARGIN = 0.35
_MARGIN_SIDEWAYS = 2.0
_CONFIDENCE = 0.4
_HIGHEST = 0.15
"""No line of text is higher than this share of a picture; outlines of the body are."""

_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Redaction:
    """What was blacked out in one picture.

    Attributes:
        boxes: Where text was found.
        residual: How many places still look like text after the last round.
    """

    boxes: tuple[Box, ...]
    residual: int

    def share_of(self, shape: tuple[int, ...]) -> float:
        """Return which share of a picture of this shape, (h, w), was blacked out."""
        covered = np.zeros(shape[:2], bool)
        for left, top, right, bottom in self.boxes:
            covered[top:bottom, left:right] = True
        return float(covered.mean())


def find_text(picture: NDArray[np.uint8], scale: float = 1.0) -> list[Box]:
    """Return where text stands in a picture, with a margin.

    Args:
        picture: (h, w) or (h, w, 3) uint8, as it is meant to be looked at.
        scale: How much it is enlarged; above 1 its contrast is evened out, too.
    """
    import cv2

    height, width = picture.shape[:2]
    grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    if scale > 1:
        grey = cv2.createCLAHE(clipLimit=3.0, tileGridSize=(8, 8)).apply(grey)
    scale = min(scale, LONGEST_SIDE / max(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    rgb = resize_image(np.repeat(grey[:, :, None], 3, axis=2), size)
    lines = [corners / scale for corners in _detected(rgb)]
    boxes = [
        _grown(line, width, height) for line in lines if np.ptp(line[:, 1]) < _HIGHEST * height
    ]
    return joined([box for box in boxes if box[2] > box[0] and box[3] > box[1]])


def joined(boxes: list[Box]) -> list[Box]:
    """Return lines that touch as one box: where one line's end is faint, the other's is not.

    >>> joined([(0, 0, 50, 12), (0, 10, 90, 22), (200, 0, 220, 9)])
    [(0, 0, 90, 22), (200, 0, 220, 9)]
    """
    merged: list[Box] = []
    for box in boxes:
        current = box
        while True:
            touching = [other for other in merged if _touch(current, other)]
            if not touching:
                break
            merged = [other for other in merged if other not in touching]
            lefts, tops, rights, bottoms = zip(current, *touching, strict=True)
            current = (min(lefts), min(tops), max(rights), max(bottoms))
        merged.append(current)
    return sorted(merged)


def _touch(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def redact(picture: NDArray[np.uint8]) -> Redaction:
    """Find text, black it out, and look again, until a round finds none or all are over.

    Args:
        picture: (h, w) or (h, w, 3) uint8; it is not changed.
    """
    work = picture.copy()
    boxes: list[Box] = []
    for _ in range(ROUNDS):
        found = joined([box for scale in SCALES for box in find_text(work, scale)])
        if not found:
            return Redaction(tuple(boxes), 0)
        for box in found:
            black_out(work, [box], _surroundings(work, box))
        boxes += found
    return Redaction(tuple(boxes), len(found))


def black_out(pixels: NDArray[Any], boxes: list[Box] | tuple[Box, ...], value: Any = 0) -> None:
    """Set the boxes of a picture (h, w, ...) to a value, in place."""
    for left, top, right, bottom in boxes:
        pixels[top:bottom, left:right] = value


def _surroundings(picture: NDArray[np.uint8], box: Box) -> Any:
    """Return the middle value along a box's edges.

    The next look takes a box that is filled with it for nothing; the hard edges of a black one
    make the detector see text everywhere.
    """
    left, top, right, bottom = box
    inside = picture[top:bottom, left:right]
    edges = [inside[0], inside[-1], inside[:, 0], inside[:, -1]]
    return np.median(np.concatenate(edges), axis=0).astype(np.uint8)


def _grown(corners: NDArray[np.floating[Any]], width: int, height: int) -> Box:
    left, top = corners.min(axis=0)
    right, bottom = corners.max(axis=0)
    line = float(bottom - top)
    aside, above = max(2.0, _MARGIN_SIDEWAYS * line), max(2.0, _MARGIN * line)
    return (
        max(0, int(np.floor(left - aside))),
        max(0, int(np.floor(top - above))),
        min(width, int(np.ceil(right + aside))),
        min(height, int(np.ceil(bottom + above))),
    )


def _detected(rgb: NDArray[np.uint8]) -> list[NDArray[np.floating[Any]]]:
    """Return the corners, (4, 2), of what the detector takes for lines of text."""
    with _lock:  # the detector keeps the picture's size between its steps
        found = _detector()(rgb[:, :, ::-1], use_det=True, use_cls=False, use_rec=False)
    boxes = getattr(found, "boxes", None)
    return [] if boxes is None else [np.asarray(box, float) for box in boxes]


@cache
def _detector() -> Any:
    import logging

    from rapidocr import EngineType, RapidOCR

    logging.getLogger("RapidOCR").setLevel(logging.ERROR)
    return RapidOCR(
        params={
            "Global.log_level": "error",
            "Global.max_side_len": 4 * LONGEST_SIDE,
            "Det.engine_type": EngineType.OPENVINO,
            "Rec.engine_type": EngineType.OPENVINO,
            "Cls.engine_type": EngineType.OPENVINO,
            "Det.box_thresh": _CONFIDENCE,
            "Det.thresh": 0.3,
        }
    )
