"""The quick way to one user's history gives what the whole log gives."""

from __future__ import annotations

import numpy as np
import pytest

from tiepoint_recommendation.interactions import event_log, recent_history
from tiepoint_recommendation.settings import EventSettings
from tiepoint_recommendation.types import Event

KINDS = ("view", "click", "cart", "purchase", "hide", "impression", "nod")


def by_log(events, number_of, settings):
    rows = [(e.user, e.item, e.kind, e.time_s, e.value) for e in events if e.item in number_of]
    log, _ = event_log(rows, settings)
    if not len(log):
        return [], [], []
    one = log.histories(0.0, settings.most_strength)[0]
    items = [number_of[log.items[number]] for number in one.items]
    return items, one.strengths.tolist(), one.times_s.tolist()


@pytest.mark.parametrize("seed", range(40))
def test_it_is_that_of_the_log(seed):
    rng = np.random.default_rng(seed)
    number_of = {f"i{n}": 10 + n for n in range(6)}
    settings = EventSettings(repeat_s=5, robot_events_per_hour=50)
    count = int(rng.integers(0, 60))
    events = [
        Event("u", f"i{rng.integers(8)}", KINDS[rng.integers(7)], float(when))
        for when in rng.permutation(rng.integers(0, 300, count))
    ]
    # Of one item and time, two kinds stand in the order in which they are first met.
    events = list({(e.item, e.time_s): e for e in events}.values())
    found = recent_history(events, number_of, settings)
    items, strengths, times = by_log(events, number_of, settings)
    assert found.items.tolist() == items
    assert found.strengths.tolist() == pytest.approx(strengths)
    assert found.times_s.tolist() == times


def test_a_robot_has_no_history():
    settings = EventSettings(robot_events_per_hour=10)
    events = [Event("u", "i", "view", 1000.0 + 70 * n) for n in range(30)]
    assert len(recent_history(events, {"i": 0}, settings)) == 0
    assert by_log(events, {"i": 0}, settings)[0] == []
    assert len(recent_history(events[:10], {"i": 0}, settings)) == 1
