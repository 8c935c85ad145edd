"""Boosts by filter and by decay, in the deployment and with a search."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.core.query.conftest import assert_explained, dated_deployment, ids
from tiepoint import Host, Item
from tiepoint.errors import ConfigError, FilterError, QueryError
from tiepoint.query.decay import Decay


def strength(shape, distance, offset=0.0, at_scale=0.5):
    decay = Decay("price", shape, 10.0, 4.0, offset, at_scale)
    return float(decay.strengths([10.0 + distance])[0])


@pytest.mark.parametrize("shape", ["gauss", "exp", "linear"])
def test_a_decay_is_full_at_its_origin_and_as_told_at_its_scale(shape):
    assert strength(shape, 0) == 1.0
    assert strength(shape, 2, offset=2) == 1.0
    assert strength(shape, 6, offset=2, at_scale=0.3) == pytest.approx(0.3)
    assert strength(shape, -6, offset=2, at_scale=0.3) == pytest.approx(0.3)


def test_decays_fall_as_those_of_elasticsearch():
    assert strength("gauss", 8) == pytest.approx(0.5**4)
    assert strength("exp", 8) == pytest.approx(0.25)
    assert strength("linear", 6) == pytest.approx(0.25)
    assert strength("linear", 100) == 0.0


def test_a_decay_over_numbers_reorders_and_explains(colours):
    boost = {"value": 9.0, "decay": {"field": "price", "origin": 3, "scale": 0.5}}
    hits = colours.search(text="red", boosts={"near": boost}, k=7)
    assert ids(hits)[0] == "blue"
    share = hits[0].contributions[-1]
    assert (share.route, share.value) == ("boost:near", pytest.approx(9.0))
    assert_explained(hits)
    poster = next(hit for hit in hits if hit.id == "poster")  # it has no price
    assert "boost:near" not in {share.route for share in poster.contributions}


def test_a_decay_over_dates_takes_durations(colours):
    decay = {"field": "day", "origin": "2026-01-15", "scale": "1w", "shape": "linear"}
    hits = colours.search(text="red", boosts={"fresh": {"value": 8, "decay": decay}}, k=7)
    strengths = {
        hit.id: share.standardised
        for hit in hits
        for share in hit.contributions
        if share.route == "boost:fresh"
    }
    assert strengths == {"blue": 1.0, "green": pytest.approx(0.5), "red": pytest.approx(0.0)}


def test_now_is_the_time_of_the_search():
    decay = Decay("day", "exp", None, 3600.0, 0.0, 0.5)
    hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    fallen = decay.strengths([hour_ago, time.time(), "no date", None])
    assert fallen[:2] == pytest.approx([0.5, 1.0], abs=1e-3)
    assert all(value != value for value in fallen[2:])


def test_a_boost_may_push_down_and_may_have_a_filter_and_a_decay(colours):
    decay = {"field": "price", "origin": 6, "scale": 1}
    malus = {"where": 'shelf == "b"', "decay": decay, "value": -7}
    hits = colours.search(text="red", boosts={"old": malus}, k=7)
    assert ids(hits)[-1] == "flag"
    assert_explained(hits)


def test_the_deployments_boosts_take_decays(tmp_path):
    decay = {"field": "day", "origin": "now", "scale": "7d"}
    boosts = {"fresh": {"decay": decay, "value": 5.0}}
    changed = dated_deployment(tmp_path / "store", fusion={"type": "weighted", "boosts": boosts})
    with Host(changed) as host:
        today = datetime.now(UTC).date().isoformat()
        host.add(
            [
                Item(id="old", text="red red", metadata={"day": "2020-01-01"}),
                Item(id="new", text="red sea", metadata={"day": today}),
            ]
        )
        assert ids(host.search(text="red")) == ["new", "old"]


@pytest.mark.parametrize(
    ("boost", "told"),
    [
        ({"value": 1}, "for all items changes nothing"),
        ({"value": "much", "where": "price < 2"}, "boosts.x.value"),
        ({"value": 1, "were": "price < 2"}, "boosts.x.were"),
        ({"value": 1, "where": "prise < 2"}, "price"),
        ({"value": 1, "where": '1 == 1 or "a"'}, "filter"),
        ({"value": 1, "decay": {"field": "cost", "origin": 1, "scale": 1}}, "no metadata field"),
        ({"value": 1, "decay": {"field": "price", "origin": 1, "scale": 0}}, "scale is 0"),
        ({"value": 1, "decay": {"field": "price", "origin": 1, "scale": "7 moons"}}, "no distance"),
        ({"value": 1, "decay": {"field": "price", "origin": "soon", "scale": 1}}, "no origin"),
        ({"value": 1, "decay": {"field": "price", "origin": 1, "scale": -1}}, "no distance"),
        (
            {"value": 1, "decay": {"field": "price", "origin": 1, "scale": 1, "shape": "cube"}},
            "shape",
        ),
        ("cheap", "boosts.x"),
    ],
)
def test_a_boost_that_cannot_be_is_one_clear_line(colours, boost, told):
    with pytest.raises((QueryError, FilterError), match=told) as caught:
        colours.search(text="red", boosts={"x": boost})
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


def test_a_deployments_bad_decay_is_told_when_it_opens(tmp_path):
    boosts = {"fresh": {"decay": {"field": "tags", "origin": 1, "scale": 1}, "value": 5.0}}
    changed = dated_deployment(tmp_path / "store", fusion={"type": "weighted", "boosts": boosts})
    with pytest.raises((ConfigError, QueryError), match=r"fusion\.boosts\.fresh"):
        Host(changed).open()
