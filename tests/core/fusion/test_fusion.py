"""Fusion: comparable routes, honest sums."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiepoint.config.loader import loads
from tiepoint.config.models import Deployment
from tiepoint.errors import ConfigError
from tiepoint.fusion.base import RouteScores
from tiepoint.fusion.rrf import RrfFusion
from tiepoint.fusion.weighted import WeightedFusion
from tiepoint.host import Host


def route(name: str, scores: list[float], mean: float = 0.0, scale: float = 1.0) -> RouteScores:
    return RouteScores(name, np.array(scores, np.float32), mean, scale)


def totals(shares) -> list[float]:
    return [sum(c.value for c in share) for share in shares]


def test_weighted_fusion_makes_routes_of_unlike_scales_comparable():
    cosine = route("text->image", [0.9, 0.1, 0.5], mean=0.1, scale=0.1)
    words = route("words->text", [0.0, 40.0, 0.0], scale=10.0)
    first, second, third = totals(WeightedFusion().fuse([cosine, words]))
    assert first == pytest.approx(8.0)
    assert second == pytest.approx(4.0)
    assert third == pytest.approx(4.0)


def test_weights_shift_the_ranking():
    routes = [route("a", [3.0, 0.0]), route("b", [0.0, 2.0])]
    assert np.argmax(totals(WeightedFusion().fuse(routes))) == 0
    assert np.argmax(totals(WeightedFusion({"b": 2.0}).fuse(routes))) == 1


def test_a_route_that_knows_nothing_of_an_item_contributes_nothing():
    shares = WeightedFusion().fuse([route("a", [1.0, np.nan]), route("b", [1.0, 1.0])])
    assert [[c.route for c in share] for share in shares] == [["a", "b"], ["b"]]


def test_reciprocal_ranks_depend_on_order_alone():
    small = RrfFusion().fuse([route("a", [0.3, 0.1, 0.2])])
    large = RrfFusion().fuse([route("a", [300.0, 1.0, 2.0])])
    assert totals(small) == totals(large)
    assert totals(small) == pytest.approx([1 / 61, 1 / 63, 1 / 62])


def test_reciprocal_ranks_skip_items_without_the_part():
    shares = RrfFusion().fuse([route("a", [np.nan, 5.0])])
    assert shares[0] == ()
    assert shares[1][0].value == pytest.approx(1 / 61)


@pytest.mark.parametrize("weights", [{"a": -1.0}, {"a": float("nan")}])
@pytest.mark.parametrize("fusion", [WeightedFusion, RrfFusion])
def test_bad_weights_are_refused(fusion, weights):
    with pytest.raises(ConfigError):
        fusion(weights=weights)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ('{weights: {"words->t": .nan}}', "4 (fusion.weights.words->t): input should be a finite"),
        ('{weights: {"words->t": -1}}', "4 (fusion.weights.words->t): input should be greater"),
        ("{type: rrf, constant: 0}", "4 (fusion.constant): input should be greater than 0"),
    ],
)
def test_bad_options_are_told_with_their_line(options, told):
    text = (
        f"version: 1\ncollections: {{c: {{fields: {{t: {{words: true}}}}}}}}\n\nfusion: {options}\n"
    )
    with pytest.raises(ConfigError) as caught:
        loads(text)
    assert told in str(caught.value)


@pytest.mark.parametrize("kind", ["weighted", "rrf"])
def test_a_weight_for_a_route_that_cannot_exist_is_refused(kind):
    def host(route: str) -> Host:
        fields = {"t": {"words": True}, "v": {"dimensions": 3}}
        fusion = {"type": kind, "weights": {"words->t": 2.0, route: 1.0}}
        return Host(
            Deployment.model_validate(
                {"version": 1, "collections": {"c": {"fields": fields}}, "fusion": fusion}
            )
        )

    host("vector->v")
    with pytest.raises(ConfigError, match=r"no route 'nope->x'"):
        host("nope->x")


def test_a_bad_constant_is_refused():
    with pytest.raises(ConfigError):
        RrfFusion(constant=0)


numbers = st.one_of(st.floats(-5, 5, width=32), st.just(float("nan")))


@given(
    st.integers(1, 6).flatmap(
        lambda n: st.lists(st.lists(numbers, min_size=n, max_size=n), min_size=1, max_size=4)
    ),
    st.sampled_from([WeightedFusion({"r0": 0.5}), RrfFusion(weights={"r1": 2.0})]),
)
def test_every_candidate_keeps_one_contribution_per_route_that_knows_it(table, fusion):
    routes = [route(f"r{i}", scores, mean=0.5, scale=2.0) for i, scores in enumerate(table)]
    shares = fusion.fuse(routes)
    for position, share in enumerate(shares):
        known = [f"r{i}" for i, scores in enumerate(table) if not np.isnan(scores[position])]
        assert [c.route for c in share] == known
        assert all(c.value == pytest.approx(c.weight * c.standardised) for c in share)
