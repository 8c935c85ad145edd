"""Behaviours of one thing that is moved by hand, frame by frame."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.plugins.security.views import put, thing, view
from tiepoint_security.rules.places import crossing
from tiepoint_security.rules.triggers import (
    CrowdingSettings,
    LineCrossingSettings,
    LoiteringSettings,
    WrongDirectionSettings,
)
from tiepoint_security.triggers.base import Trigger, Zones
from tiepoint_security.triggers.going import Crowding, Intrusion, LineCrossing, WrongDirection
from tiepoint_security.triggers.staying import Loitering

EVERYWHERE = Zones({}, ())
LEFT_HALF = Zones({"left": ((0, 0), (0.5, 0), (0.5, 1), (0, 1))}, ("left",))


def walk(
    trigger: Trigger, way: Callable[[float], tuple[float, float]], seconds: float
) -> list[float]:
    """Return the score after each frame of somebody who goes a way."""
    region, scores = thing(), []
    for number in range(round(seconds * 5)):
        time_s = number / 5
        put(region, *way(time_s), time_s)
        trigger.step(view(time_s, region))
        scores.append(trigger.score(region))
    return scores


def test_who_stays_loiters_after_the_time_and_who_walks_through_does_not() -> None:
    settings = LoiteringSettings(seconds=10)
    paces = walk(Loitering(settings, EVERYWHERE), lambda t: (0.4 + 0.1 * (t % 2 > 1), 0.8), 20)
    assert paces[48] < 0.5 <= paces[53]
    slow = walk(Loitering(settings, EVERYWHERE), lambda t: (t / 20, 0.8), 20)
    assert max(slow) < 0.5


def test_loitering_counts_only_inside_of_the_zones() -> None:
    settings = LoiteringSettings(seconds=5)
    assert max(walk(Loitering(settings, LEFT_HALF), lambda _: (0.8, 0.8), 10)) == 0
    assert max(walk(Loitering(settings, LEFT_HALF), lambda _: (0.2, 0.8), 10)) > 0.5


def test_who_is_lost_and_comes_up_again_at_the_same_place_goes_on_loitering() -> None:
    trigger = Loitering(LoiteringSettings(seconds=10), EVERYWHERE)
    first, second = thing("1"), thing("2", 9.0)
    for number in range(30):
        trigger.step(view(number / 5, put(first, 0.4, 0.8, number / 5)))
    trigger.step(view(8.0))
    for number in range(45, 60):
        trigger.step(view(number / 5, put(second, 0.42, 0.8, number / 5)))
    assert trigger.score(second) > 0.5


def test_wrong_way_is_told_from_the_allowed_one_and_from_standing() -> None:
    settings = WrongDirectionSettings(allowed="right")
    assert max(walk(WrongDirection(settings, EVERYWHERE), lambda t: (0.9 - t / 8, 0.8), 5)) > 0.5
    assert max(walk(WrongDirection(settings, EVERYWHERE), lambda t: (0.1 + t / 8, 0.8), 5)) < 0.5
    sways = walk(WrongDirection(settings, EVERYWHERE), lambda t: (0.5 - 0.02 * (t % 1), 0.8), 5)
    assert max(sways) < 0.5


@pytest.mark.parametrize(("to", "crosses"), [("right", True), ("left", False), ("any", True)])
def test_line_is_crossed_to_one_side(to: str, crosses: bool) -> None:
    line = ((0.0, 0.5), (1.0, 0.5))
    settings = LineCrossingSettings.model_validate({"line": "kerb", "to": to})
    scores = walk(LineCrossing(settings, line), lambda t: (0.5, 0.3 + t / 10), 6)
    assert (max(scores) == 1) is crosses
    if crosses:
        assert scores[-1] == 0  # a crossing is a moment
        assert sum(scores) >= 6  # which lasts longer than the debounce


def test_way_past_the_end_of_a_line_does_not_cross_it() -> None:
    assert crossing((0.8, 0.4), (0.8, 0.6), ((0.0, 0.5), (0.5, 0.5))) is None
    assert crossing((0.3, 0.6), (0.3, 0.4), ((0.0, 0.5), (0.5, 0.5))) == "left"


def test_intrusion_is_where_the_feet_are() -> None:
    scores = walk(Intrusion(LEFT_HALF), lambda t: (0.9 - t / 8, 0.8), 6)
    assert scores[0] == 0
    assert scores[-1] == 1


def test_crowd_is_counted_while_it_is_there() -> None:
    trigger = Crowding(CrowdingSettings(count=3), EVERYWHERE)
    people = [put(thing(str(n)), 0.2 * n + 0.1, 0.8, 1.0) for n in range(3)]
    trigger.step(view(1.0, *people))
    assert trigger.score(None) >= 0.5
    assert trigger.box() == pytest.approx((0.05, 0.5, 0.55, 0.8))
    trigger.step(view(3.0, *people))  # none of them is seen any more
    assert trigger.score(None) == 0
