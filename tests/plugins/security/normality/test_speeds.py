"""Speeds by row and direction."""

from __future__ import annotations

import numpy as np

from tiepoint_security.normality.cells import CellMotion
from tiepoint_security.normality.speeds import count, directions, limits, no_counts


def row_motion(speeds: list[float], x: float = -1.0, y: float = 0.0) -> CellMotion:
    speed = np.repeat(np.array(speeds, np.float32)[:, None], 20, 1)
    return CellMotion(speed, speed * np.float32(x), speed * np.float32(y))


def test_each_row_has_its_own_limit() -> None:
    counts = no_counts(4)
    for _ in range(200):
        count(counts, row_motion([1.0, 2.0, 3.0, 4.0]))
    towards = int(directions(row_motion([1.0] * 4))[0, 0])
    np.testing.assert_allclose(limits(counts)[:, towards], [1, 2, 3, 4], rtol=0.15)


def test_row_without_footage_lies_on_the_line_of_the_others() -> None:
    counts = no_counts(5)
    for _ in range(200):
        count(counts, row_motion([1.0, 2.0, 3.0, 0.0, 0.0]))
    found = limits(counts)[:, 0]
    assert 3.2 < found[3] < 4.8
    assert 4.0 < found[4] <= 6.0


def test_slower_direction_has_a_lower_limit() -> None:
    counts = no_counts(3)
    for _ in range(200):
        count(counts, row_motion([4.0] * 3))
        count(counts, row_motion([1.5] * 3, x=0.0, y=-1.0))
    across = directions(row_motion([4.0] * 3))[0, 0]
    down = directions(row_motion([1.5] * 3, x=0.0, y=-1.0))[0, 0]
    found = limits(counts)[1]
    assert found[down] < 0.6 * found[across]


def test_still_cells_do_not_count() -> None:
    counts = no_counts(2)
    count(counts, row_motion([0.1, 0.4]))
    assert counts.sum() == 0
