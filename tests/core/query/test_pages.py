"""Range search, groups, pages and diversity."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tests.core.query.conftest import assert_explained, ids, number_items
from tiepoint.errors import QueryError

QUERY = {"signal": [1.0, -0.5, *[0.1] * 14]}


@pytest.fixture(scope="module")
def cosines():
    """The exact answer to `QUERY`."""
    query = np.array(QUERY["signal"])
    items = number_items(600)
    vectors = np.stack([item.parts["signal"] for item in items])
    scores = vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)
    return {item.id: float(score) for item, score in zip(items, scores, strict=True)}


def test_everything_within_a_radius_is_found_and_nothing_else(numbers, cosines):
    expected = {id_ for id_, score in cosines.items() if score >= 0.2}
    assert 100 < len(expected) < 300
    hits = numbers.search(vector=QUERY, minimum=0.2, k=1000)
    assert set(ids(hits)) == expected
    assert len(numbers.search(vector=QUERY, minimum=0.2, k=7)) == 7
    assert numbers.search(vector=QUERY, minimum=1.1) == []


def test_a_minimum_may_be_for_a_field_or_a_route(numbers, cosines):
    by_field = numbers.search(vector=QUERY, text="elder", minimum={"signal": 0.3}, k=1000)
    assert set(ids(by_field)) == {id_ for id_, score in cosines.items() if score >= 0.3}
    by_route = numbers.search(vector=QUERY, text="elder", minimum={"words->text": 0.1}, k=1000)
    assert set(ids(by_route)) == {f"n{number:04d}" for number in range(4, 600, 5)}
    assert_explained(by_route)


def test_each_value_gets_its_best_hits_only(numbers, cosines):
    hits = numbers.search(vector=QUERY, group_by="shelf", group_size=2, k=20)
    shelves = Counter(hit.metadata["shelf"] for hit in hits if "shelf" in hit.metadata)
    assert shelves == {"a": 2, "b": 2, "c": 2}
    assert sum("shelf" not in hit.metadata for hit in hits) == 14
    best = sorted(cosines, key=lambda id_: -cosines[id_])
    first_of_a = next(id_ for id_ in best if int(id_[1:]) % 4 == 0)
    assert next(hit.id for hit in hits if hit.metadata.get("shelf") == "a") == first_of_a


def test_groups_are_filled_from_deeper_proposals(numbers):
    where = "exists shelf"
    assert len(numbers.search(vector=QUERY, group_by="shelf", where=where, k=50)) == 3
    hits = numbers.search(vector=QUERY, group_by="shelf", where=where, group_size=120, k=350)
    assert len(hits) == 350


@pytest.mark.parametrize("query", [{"vector": QUERY}, {"vector": QUERY, "text": "cherry date"}])
@pytest.mark.parametrize(
    "options", [{}, {"diversity": 0.4}, {"group_by": "shelf", "group_size": 60}]
)
def test_pages_follow_each_other_without_gaps_or_repetitions(numbers, query, options):
    whole = ids(numbers.search(**query, k=90, **options))
    by_offset = [
        id_
        for offset in range(0, 90, 15)
        for id_ in ids(numbers.search(**query, k=15, offset=offset, **options))
    ]
    assert by_offset == whole
    page = ids(numbers.search(**query, k=15, **options))
    by_id = list(page)
    while len(by_id) < 90:
        page = ids(numbers.search(**query, k=15, after=page[-1], **options))
        by_id += page
    assert by_id == whole


def test_pages_end_with_the_collection_and_none_is_lost_in_depth(numbers):
    found: list[str] = []
    while page := ids(numbers.search(vector=QUERY, text="apple", k=40, offset=len(found))):
        found += page
    assert len(found) == len(set(found)) == 600


def test_diversity_picks_unlike_hits_and_explains_what_it_takes(numbers):
    def likeness(hits):
        vectors = np.array([by_id[hit.id] for hit in hits])
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return float((vectors @ vectors.T)[np.triu_indices(len(hits), 1)].mean())

    by_id = {item.id: item.parts["signal"] for item in number_items(600)}
    plain = numbers.search(vector=QUERY, k=10)
    diverse = numbers.search(vector=QUERY, k=10, diversity=0.6)
    assert diverse[0].id == plain[0].id
    assert likeness(diverse) < likeness(plain) - 0.1
    assert diverse[1].contributions[-1].route == "diversity"
    scores = [hit.score for hit in diverse]
    assert scores == sorted(scores, reverse=True)
    assert_explained(diverse)
    assert ids(numbers.search(vector=QUERY, k=10, diversity=0.0)) == ids(plain)


def test_diversity_is_maximal_marginal_relevance(numbers):
    """The greedy choice of the paper, made by hand over the first hundred proposals."""
    by_id = {item.id: item.parts["signal"] for item in number_items(600)}
    pool = numbers.search(vector=QUERY, k=100)
    relevance = np.array([hit.score for hit in pool])
    relevance = (relevance - relevance.min()) / np.ptp(relevance)
    vectors = np.array([by_id[hit.id] for hit in pool])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    picked: list[int] = []
    for _ in range(8):
        likeness = np.maximum(0, (vectors @ vectors[picked].T).max(1)) if picked else 0
        marginal = 0.7 * relevance - 0.3 * likeness
        marginal[picked] = -np.inf
        picked.append(int(marginal.argmax()))
    expected = [pool[place].id for place in picked]
    assert ids(numbers.search(vector=QUERY, k=8, diversity=0.3)) == expected


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"minimum": "high"}, "minimum"),
        ({"minimum": float("nan")}, "minimum"),
        ({"minimum": {"sound": 0.5}}, "asks no field or route 'sound'"),
        ({"group_by": "colour"}, "cannot be grouped by 'colour'"),
        ({"group_by": "tags"}, "cannot be grouped by 'tags'"),
        ({"group_by": "number", "group_size": 0}, "group_size"),
        ({"offset": -1}, "offset"),
        ({"offset": 1.5}, "offset"),
        ({"offset": 20_000}, "16384"),
        ({"after": "nobody"}, "is not in this ranking"),
        ({"after": "n0001", "offset": 3}, "both offset and after"),
        ({"diversity": 1.0}, "diversity"),
        ({"diversity": -0.1}, "diversity"),
        ({"diversity": True}, "diversity"),
    ],
)
def test_an_option_that_cannot_be_is_one_clear_line(numbers, options, told):
    with pytest.raises(QueryError, match=told) as caught:
        numbers.search(vector=QUERY, **options)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
