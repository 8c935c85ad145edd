"""Flow between frames, where anything moves."""

from __future__ import annotations

import numpy as np
import pytest

from tests.moving_squares import HEIGHT, ROWS, SIDE, footage
from tiepoint_security.frames.flow import LaggedFlow
from tiepoint_security.frames.grey import grey_of


def test_flow_says_where_a_square_was() -> None:
    stream = LaggedFlow(3)
    flow = None
    for picture in footage(20, seed=1, fast_from=0, fast_speed=2.5):
        flow = stream.step(picture)
    assert flow is not None
    centre = flow[ROWS[1] + SIDE // 2, round(2.5 * 19 - SIDE / 2)]
    assert centre[0] == pytest.approx(-7.5, abs=1)
    assert centre[1] == pytest.approx(0, abs=1)


def test_frames_that_were_dropped_make_nothing_faster() -> None:
    stream = LaggedFlow(3)
    flow = None
    pictures = footage(24, seed=1, fast_from=0, fast_speed=2.5)
    times = [*range(16), 18, 20, 23]  # as on a machine that has too much to do
    for before, time in zip([-1, *times], times, strict=False):
        flow = stream.step(pictures[time], time - before)
    assert flow is not None
    centre = flow[ROWS[1] + SIDE // 2, round(2.5 * 23 - SIDE / 2)]
    assert centre[0] == pytest.approx(-7.5, abs=1)
    assert stream.step(pictures[0], 100) is None  # nothing is followed over a long pause


def test_still_frames_cost_no_flow() -> None:
    stream = LaggedFlow(2)
    still = np.full((64, 64), 100, np.uint8)
    assert [stream.step(still) for _ in range(4)] == [None] * 4


def test_frame_of_another_size_begins_anew() -> None:
    stream = LaggedFlow(2)
    for picture in footage(4, seed=1):
        stream.step(picture)
    assert stream.step(np.zeros((HEIGHT // 2, 40), np.uint8)) is None
    assert stream.begins


def test_wide_frames_are_made_smaller_and_small_ones_are_kept() -> None:
    assert grey_of(np.zeros((360, 640, 3), np.uint8)).shape == (144, 256)
    assert grey_of(np.zeros((100, 200, 3), np.uint8)).shape == (100, 200)
