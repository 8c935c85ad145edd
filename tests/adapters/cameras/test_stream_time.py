"""The time of a stream goes on evenly, whatever the camera's clock does."""

from __future__ import annotations

import pytest

from tests.simulated_clock import SimulatedClock
from tiepoint_adapters.clock import ClockWatch
from tiepoint_adapters.media.cameras.stream_time import StreamTime


def test_time_follows_what_the_camera_states() -> None:
    time = StreamTime()
    assert [time.advance(7 + n / 5, 100 + n / 5) for n in range(4)] == pytest.approx(
        [0, 0.2, 0.4, 0.6]
    )
    assert time.lag_s == pytest.approx(0)


@pytest.mark.parametrize("jump_s", [-3600, 3600])
def test_camera_clock_that_jumps_moves_time_by_what_really_passed(jump_s: float) -> None:
    time = StreamTime()
    time.advance(1000, 100)
    time.advance(1001, 101)
    assert time.advance(1002 + jump_s, 102) == pytest.approx(2)
    assert time.advance(1003 + jump_s, 103) == pytest.approx(3)
    assert time.jumps == 1


def test_stream_that_falls_behind_has_a_lag_that_grows() -> None:
    time = StreamTime()
    for number in range(10):
        time.advance(number, 100 + number)
    for number in range(10, 20):
        time.advance(number, 100 + number + (number - 9) * 0.5)
    assert time.lag_s == pytest.approx(5)


def test_new_connection_goes_on_where_the_last_one_ended() -> None:
    time = StreamTime()
    time.advance(50, 100)
    time.advance(51, 101)
    time.reconnect()
    assert time.advance(0, 111) == pytest.approx(11)
    assert time.advance(1, 112) == pytest.approx(12)
    assert time.jumps == 0


def test_stream_without_times_goes_by_arrival() -> None:
    time = StreamTime()
    assert [time.advance(None, 100 + n) for n in range(3)] == pytest.approx([0, 1, 2])


def test_wall_clock_that_is_set_is_noticed_and_drift_is_not() -> None:
    clock = SimulatedClock()
    watch = ClockWatch(clock)
    for _ in range(100):
        clock.pass_by(1)
        clock.wall_s += 0.05
        assert watch.step() == 0
    clock.wall_s -= 3600
    assert watch.step() == pytest.approx(-3600)
    assert watch.step() == 0
    assert watch.steps == 1
