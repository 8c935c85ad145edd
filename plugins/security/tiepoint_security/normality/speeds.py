"""How fast things usually move: speeds counted by row of cells and by direction.

Rows stand for the distance from the camera: what is far moves few pixels. Counts are kept
rather than quantiles, so that a clip can be taken out again (to score it by the others) and
that new footage can be added.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiepoint_security.normality.cells import CellMotion

DIRECTIONS = 8
SLOWEST = 0.5
"""Pixels per lag; slower cells are still, or noise."""

_FASTEST = 64.0
_STEP = 0.01  # of the logarithm: speeds are told apart to one part in a hundred
BINS = int(np.ceil(np.log(_FASTEST / SLOWEST) / _STEP))

_LIMIT = 0.999  # of a row's speeds
_RELATIVE = 0.99  # of a direction's speeds, against the same share of the row's
_FEWEST_IN_ROW = 200
_ROW_PRIOR = 200.0  # cells; with as many of its own a row goes half the way from the line
_FEWEST_IN_DIRECTION = 20
_PRIOR = 50.0  # cells; with as many of its own a direction goes half the way from the row's

Counts = NDArray[np.float32]
"""(rows, DIRECTIONS, BINS): how many cells moved so."""


def no_counts(rows: int) -> Counts:
    """Return the counts of no footage."""
    return np.zeros((rows, DIRECTIONS, BINS), np.float32)


def directions(motion: CellMotion) -> NDArray[np.int64]:
    """Return the direction of each cell's motion, 0 to `DIRECTIONS` - 1."""
    turn = np.arctan2(motion.back_y, motion.back_x) / (2 * np.pi)
    return np.asarray(np.floor(turn * DIRECTIONS + 0.5).astype(np.int64) % DIRECTIONS)


def count(counts: Counts, motion: CellMotion, weight: float = 1.0) -> None:
    """Add the moving cells of a frame to the counts, in place."""
    row, column = np.nonzero(motion.speed > SLOWEST)
    position = np.log(motion.speed[row, column] / SLOWEST) / _STEP
    index = np.minimum(position.astype(np.int64), BINS - 1)
    np.add.at(counts, (row, directions(motion)[row, column], index), np.float32(weight))


def limits(counts: Counts) -> NDArray[np.float32]:
    """Return the speed that is hardly ever exceeded, (rows, DIRECTIONS), pixels per lag.

    A row's limit is a high quantile of its moving cells; with few of them it is drawn to the
    line on which the others lie. A direction in which everything is slower, or faster, than in
    the others moves its limit so far as there is footage to tell. Without footage all are 1.
    """
    rows = len(counts)
    by_row = counts.sum(1)
    enough = np.flatnonzero(by_row.sum(1) > _FEWEST_IN_ROW)
    if not len(enough):
        return np.ones((rows, DIRECTIONS), np.float32)
    everywhere = np.arange(rows)
    seen_in = by_row.sum(1)[enough].astype(np.float64)
    top = _smoothed(enough, seen_in, [_quantile(by_row[r], _LIMIT) for r in enough], rows)
    usual = _smoothed(enough, seen_in, [_quantile(by_row[r], _RELATIVE) for r in enough], rows)
    shifts = np.round(np.log(usual / usual.mean()) / _STEP).astype(int)
    level = np.stack([_shifted(counts[r], -shifts[r]) for r in everywhere])
    around = level.copy()
    around[1:] += level[:-1]
    around[:-1] += level[1:]
    found = np.repeat(top[:, None], DIRECTIONS, 1)
    for r, d in np.ndindex(rows, DIRECTIONS):
        seen = float(around[r, d].sum())
        if seen > _FEWEST_IN_DIRECTION:
            ratio = _quantile(around[r, d], _RELATIVE) / usual.mean()
            found[r, d] *= ratio ** (seen / (seen + _PRIOR))
    return np.asarray(found, np.float32)


def _smoothed(
    enough: NDArray[np.int64], seen: NDArray[np.float64], speeds: list[float], rows: int
) -> NDArray[np.float64]:
    """Return a speed for every row: its own as far as it was seen, else that of a line.

    In perspective the speed in the picture grows in proportion to the height below the horizon.
    """
    everywhere = np.arange(rows)
    own = np.interp(everywhere, enough, speeds)
    if len(enough) < 2:
        return own
    slope, start = np.polyfit(enough, speeds, 1, w=np.sqrt(seen))
    line = np.clip(start + slope * everywhere, min(speeds), 2 * max(speeds))
    footage = np.zeros(rows)
    footage[enough] = seen
    trust = footage / (footage + _ROW_PRIOR)
    return np.asarray(np.exp(trust * np.log(own) + (1 - trust) * np.log(line)))


def _quantile(histogram: NDArray[np.float32], share: float) -> float:
    """Return the speed that a share of the counted cells does not exceed."""
    cumulated = np.concatenate([[0.0], np.cumsum(histogram, dtype=np.float64)])
    position = np.interp(share * cumulated[-1], cumulated, np.arange(len(cumulated)))
    return float(SLOWEST * np.exp(position * _STEP))


def _shifted(histograms: NDArray[np.float32], by: int) -> NDArray[np.float32]:
    """Move histograms along their bins; what leaves at an end stays in the last bin there."""
    target = np.clip(np.arange(BINS) + by, 0, BINS - 1)
    moved = np.zeros_like(histograms)
    np.add.at(moved.T, target, histograms.T)
    return moved
