"""Pictures of evidence: the snapshot with its box, what was unusual, and what is usual."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from tiepoint.encoders.images import Pixels
from tiepoint_security.alerts.observation import Box

_QUALITY = 85
_BOX = (255, 48, 48)
_UNUSUAL = 0.75  # of the threshold: what is below is left as it is
_GLARING = 1.5  # of the threshold: what is above has the full colour
_DIMMED = 0.8  # what is not unusual, so that colours stand out
_STRIP_HEIGHT = 96
_GAP = 4


def jpeg(pixels: Pixels, quality: int = _QUALITY) -> bytes:
    """Return (h, w, 3) uint8 RGB as JPEG."""
    content: bytes = simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), quality=quality)
    return content


def thumbnail(pixels: Pixels, side: int) -> bytes:
    """Return a picture as a JPEG whose longer side has at most so many pixels."""
    scale = side / max(pixels.shape[:2])
    if scale < 1:
        size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    return jpeg(pixels, 80)


def snapshot(pixels: Pixels, box: Box | None) -> Pixels:
    """Return a copy of a frame with the box of what the alert is about."""
    drawn = pixels.copy()
    if box is not None:
        height, width = pixels.shape[:2]
        corners = [round(edge * side) for edge, side in zip(box, 2 * (width, height), strict=True)]
        thick = max(2, round(min(height, width) / 180))
        cv2.rectangle(drawn, tuple(corners[:2]), tuple(corners[2:]), _BOX, thick)
    return drawn


def heat_map(pixels: Pixels, heat: NDArray[np.float32], threshold: float) -> Pixels | None:
    """Return a frame with what was unusual in it laid over in colours, from yellow to red.

    The rest of the frame is darkened and grey. None where nothing was unusual.

    Args:
        pixels: (h, w, 3) uint8.
        heat: (rows, columns), how unusual each place is.
        threshold: The value from which a place is alarming.
    """
    height, width = pixels.shape[:2]
    ratio = np.asarray(heat / max(threshold, 1e-6), np.float32)
    smooth = cv2.resize(ratio, (width, height), interpolation=cv2.INTER_LINEAR)
    shade = np.clip((smooth - _UNUSUAL) / (_GLARING - _UNUSUAL), 0, 1)
    if not shade.any():
        return None
    levels = np.asarray(255 * shade, np.uint8)
    colours = cv2.cvtColor(cv2.applyColorMap(255 - levels, cv2.COLORMAP_AUTUMN), cv2.COLOR_BGR2RGB)
    alpha = np.asarray(0.65 * np.minimum(1, 3 * shade), np.float32)[..., None]
    grey = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return np.asarray(_DIMMED * grey * (1 - alpha) + colours * alpha, np.uint8)


def strip(pictures: Sequence[bytes]) -> bytes:
    """Return JPEGs side by side as one, at the same height."""
    pieces = []
    for content in pictures:
        pixels = simplejpeg.decode_jpeg(content)
        width = max(1, round(pixels.shape[1] * _STRIP_HEIGHT / pixels.shape[0]))
        resized = cv2.resize(pixels, (width, _STRIP_HEIGHT), interpolation=cv2.INTER_AREA)
        pieces += [resized, np.full((_STRIP_HEIGHT, _GAP, 3), 255, np.uint8)]
    return jpeg(np.concatenate(pieces[:-1], axis=1))
