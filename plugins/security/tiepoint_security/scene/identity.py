"""Telling apart who met: two that were one thing for a moment are known again by their colours."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.images import Pixels
from tiepoint_security.alerts.observation import Box

_PARTS = 3  # of a body, from top to bottom: head, shirt, trousers
_SLOWLY = 0.1
_JOINED = 1.4  # times its usual width: a box that holds somebody else, too
_KNOWN = 4  # frames after which colours are worth something
_SURELY = 0.1  # of the range of colours: how much better the other way round has to fit
_BESIDE = 0.5  # of their widths

Colours = NDArray[np.float32]


@dataclass(slots=True)
class _Known:
    colours: Colours
    width: float
    frames: int = 1


class Identities:
    """The usual colours of what is followed, by the tracker's own names for it."""

    def __init__(self) -> None:
        self._known: dict[int, _Known] = {}

    def swaps(self, seen: dict[int, Box], pixels: Pixels) -> list[tuple[int, int]]:
        """Return which two took each other's place in a frame, and note the colours of all.

        Args:
            seen: Where each is now.
            pixels: The frame, (h, w, 3) uint8.
        """
        colours = {name: colours_of(pixels, box) for name, box in seen.items()}
        swapped: list[tuple[int, int]] = []
        done: set[int] = set()
        for one in seen:
            for other in seen:
                if one == other or {one, other} & done or not _beside(seen[one], seen[other]):
                    continue
                if self._gain(one, other, colours) > _SURELY:
                    swapped.append((one, other))
                    done |= {one, other}
        for one, other in swapped:
            known = self._known
            first, second = known.pop(one, None), known.pop(other, None)
            if second is not None:
                known[one] = second
            if first is not None:
                known[other] = first
        for name, box in seen.items():
            self._note(name, colours[name], box[2] - box[0])
        return swapped

    def forget(self, name: int) -> None:
        """Forget somebody who is no longer followed."""
        self._known.pop(name, None)

    def _gain(self, one: int, other: int, colours: dict[int, Colours]) -> float:
        """Return how much better the colours fit if the first took the other's place."""
        first, second = self._known.get(one), self._known.get(other)
        if first is None or first.frames < _KNOWN:
            return 0.0
        gain = _distance(first.colours, colours[one]) - _distance(first.colours, colours[other])
        if second is not None and second.frames >= _KNOWN:
            gain += _distance(second.colours, colours[other])
            gain -= _distance(second.colours, colours[one])
        return gain

    def _note(self, name: int, colours: Colours, width: float) -> None:
        known = self._known.get(name)
        if known is None:
            self._known[name] = _Known(colours, width)
            return
        joined = known.frames >= _KNOWN and width > _JOINED * known.width
        known.width += _SLOWLY / 2 * (width - known.width)
        if not joined:
            known.frames += 1
            rate = max(_SLOWLY, 1 / known.frames)
            known.colours = np.asarray(known.colours + rate * (colours - known.colours), np.float32)


def colours_of(pixels: Pixels, box: Box) -> Colours:
    """Return the mean colours of a box's parts from top to bottom, (9,) in [0, 1].

    Only the middle columns count: at the sides there is background.
    """
    height, width = pixels.shape[:2]
    left, right = box[0] + 0.3 * (box[2] - box[0]), box[0] + 0.7 * (box[2] - box[0])
    columns = slice(int(left * width), max(int(left * width) + 1, round(right * width)))
    edges = np.linspace(box[1] * height, box[3] * height, _PARTS + 1)
    parts = []
    for top, bottom in pairwise(edges):
        rows = slice(int(top), max(int(top) + 1, round(float(bottom))))
        parts.append(pixels[rows, columns].reshape(-1, 3).mean(0) / 255)
    return np.asarray(np.nan_to_num(np.concatenate(parts)), np.float32)


def _distance(one: Colours, other: Colours) -> float:
    return float(np.abs(one - other).reshape(_PARTS, 3).max(1).mean())


def _beside(one: Box, other: Box) -> bool:
    wide = max(one[2] - one[0], other[2] - other[0])
    return max(one[0], other[0]) - min(one[2], other[2]) < _BESIDE * wide and max(
        one[1], other[1]
    ) < min(one[3], other[3])
