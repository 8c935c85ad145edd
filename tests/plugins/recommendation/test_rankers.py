"""What every ranker keeps to, and what each is there for."""

from __future__ import annotations

import numpy as np
import pytest

from tiepoint.errors import ConfigError, PluginError
from tiepoint_recommendation.histories import Histories, History
from tiepoint_recommendation.rankers.base import ItemSpace, Ranker
from tiepoint_recommendation.rankers.loading import build_ranker, ranker_names

ITEMS, USERS, LENGTH = 24, 150, 7


def history(items: list[int], strength: float = 1.0) -> History:
    n = len(items)
    times = 1000.0 + 100.0 * np.arange(n)
    return History(np.array(items, np.int32), np.full(n, strength, np.float32), times)


@pytest.fixture(scope="module")
def space() -> ItemSpace:
    """Items on two circles; those of one circle look and read alike."""
    generator = np.random.default_rng(0)
    circle = np.arange(ITEMS) >= ITEMS // 2
    vectors = {}
    for name in ("text", "image", "fused"):
        centres = generator.normal(size=(2, 16))
        own = centres[circle.astype(int)] + 0.5 * generator.normal(size=(ITEMS, 16))
        vectors[name] = (own / np.linalg.norm(own, axis=1, keepdims=True)).astype(np.float32)
    return ItemSpace(
        tuple(f"i{n}" for n in range(ITEMS)),
        vectors,
        np.arange(ITEMS, dtype=np.int32),
        np.full(ITEMS, -1, np.int32),
        np.full(ITEMS, np.nan),
        np.ones(ITEMS, bool),
    )


@pytest.fixture(scope="module")
def histories() -> Histories:
    """Walks along one of the circles; nobody has met the last item of each circle."""
    generator = np.random.default_rng(1)
    half = ITEMS // 2
    walks = []
    for user in range(USERS):
        start = int(generator.integers(half - 1))
        walk = [(start + step) % (half - 1) + half * (user % 2) for step in range(LENGTH)]
        walks.append(history(walk))
    return Histories.of(walks, 2000.0)


@pytest.fixture(scope="module", params=ranker_names())
def ranker(request: pytest.FixtureRequest, histories: Histories, space: ItemSpace) -> Ranker:
    made = build_ranker(request.param, {})
    made.fit(histories, space)
    return made


def asked(*some: History) -> Histories:
    return Histories.of(list(some), 2000.0)


def test_one_and_many_are_scored_the_same(ranker: Ranker) -> None:
    one, other = history([0, 1, 2]), history([13, 14])
    together = ranker.scores(asked(one, other, History.empty()))
    assert together.shape == (3, ITEMS)
    assert np.isfinite(together).all()
    np.testing.assert_allclose(ranker.scores(asked(one))[0], together[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ranker.scores(asked(other))[0], together[1], rtol=1e-4, atol=1e-5)


def test_a_saved_state_scores_as_before(ranker: Ranker, space: ItemSpace) -> None:
    state = ranker.state()
    assert all(array.dtype != object for array in state.values())
    again = build_ranker(ranker.name, {})
    again.restore(state, space)
    some = asked(history([3, 4, 5]))
    np.testing.assert_array_equal(again.scores(some), ranker.scores(some))


def test_the_same_events_give_the_same_model(
    ranker: Ranker, histories: Histories, space: ItemSpace
) -> None:
    again = build_ranker(ranker.name, {})
    again.fit(histories, space)
    for name, array in ranker.state().items():
        np.testing.assert_array_equal(again.state()[name], array)


def test_what_belongs_together_is_found(ranker: Ranker) -> None:
    if ranker.name == "popularity":
        pytest.skip("popularity is the same for everybody")
    scores = ranker.scores(asked(history([2, 3, 4]), history([15, 16, 17])))
    own, other = slice(5, 11), slice(18, 23)
    assert scores[0, own].mean() > scores[0, other].mean()
    assert scores[1, other].mean() > scores[1, own].mean()


@pytest.mark.parametrize("name", ["sequence", "neighbours", "recurrent"])
def test_what_comes_next_is_ahead_of_what_came_before(
    name: str, histories: Histories, space: ItemSpace
) -> None:
    made = build_ranker(name, {})
    made.fit(histories, space)
    scores = made.scores(asked(history([3, 4, 5])))[0]
    assert scores[6] > scores[2]
    assert scores[6] > scores[8]


@pytest.mark.parametrize("name", ["text", "image", "fused", "taste", "content-map"])
def test_an_item_without_events_is_found_by_its_content(
    name: str, histories: Histories, space: ItemSpace
) -> None:
    made = build_ranker(name, {})
    made.fit(histories, space)
    scores = made.scores(asked(history([2, 3, 4, 5, 6])))[0]
    assert scores[ITEMS // 2 - 1] > scores[ITEMS - 1]


def test_reasons_name_the_entries_that_speak_for_an_item(
    histories: Histories, space: ItemSpace
) -> None:
    made = build_ranker("sequence", {})
    made.fit(histories, space)
    given = made.reasons(history([14, 3, 4]), 5)
    assert given[0] == 0
    assert given[2] > given[1] > 0
    total = made.scores(asked(history([14, 3, 4])))[0, 5]
    assert given.sum() == pytest.approx(total, rel=1e-4)


def test_a_rejected_item_speaks_against_its_like(histories: Histories, space: ItemSpace) -> None:
    made = build_ranker("item-item", {})
    made.fit(histories, space)
    assert made.scores(asked(history([3], strength=-1.0)))[0, 4] < 0


def test_unknown_rankers_and_options_are_named() -> None:
    with pytest.raises(PluginError, match="there is no ranker 'magic'"):
        build_ranker("magic", {})
    with pytest.raises(ConfigError, match="half_live"):
        build_ranker("popularity", {"half_live": 3})
