"""Learning on line, and what is not learnt."""

from __future__ import annotations

import numpy as np

from tiepoint_security.normality.cells import CellMotion
from tiepoint_security.normality.learning import QUARANTINE_S, Learning
from tiepoint_security.normality.speeds import Counts, count, limits, no_counts

FPS = 10.0
GRID = (6, 10)


def moving(speed: float) -> CellMotion:
    full = np.full(GRID, speed, np.float32)
    return CellMotion(full, -full, np.zeros(GRID, np.float32))


def fitted() -> Counts:
    counts = no_counts(GRID[0])
    for _ in range(100):
        count(counts, moving(3.0))
    return counts


def latest(
    learning: Learning, speed: float, seconds: float, *, ordinary: bool
) -> np.ndarray | None:
    found = None
    for _ in range(round(seconds * FPS)):
        moved = learning.step(moving(speed), ordinary=ordinary)
        found = found if moved is None else moved
    return found


def test_what_stays_ordinary_moves_the_limits() -> None:
    counts = fitted()
    learnt = latest(Learning(counts, FPS), 3.2, 120, ordinary=True)
    assert learnt is not None
    assert learnt[0].max() > 1.03 * limits(counts)[0].max()


def test_alarming_frames_are_not_learnt() -> None:
    counts = fitted()
    learnt = latest(Learning(counts, FPS), 6.0, 120, ordinary=False)
    assert learnt is not None
    np.testing.assert_allclose(learnt, limits(counts))


def test_what_led_up_to_an_alarm_is_not_learnt() -> None:
    counts = fitted()
    learning = Learning(counts, FPS)
    for _ in range(20):
        latest(learning, 3.4, QUARANTINE_S - 1, ordinary=True)
        learnt = latest(learning, 6.0, 1, ordinary=False)
    learnt = latest(learning, 6.0, 60, ordinary=False)
    assert learnt is not None
    np.testing.assert_allclose(learnt, limits(counts))


def test_who_comes_a_little_faster_each_day_does_not_become_ordinary() -> None:
    counts = fitted()
    learning = Learning(counts, FPS)
    learnt = None
    for speed in np.linspace(3, 9, 12):
        learnt = latest(learning, float(speed), 60, ordinary=True)
    assert learnt is not None
    assert learnt.max() <= 1.151 * limits(counts).max()
