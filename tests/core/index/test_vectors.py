"""The vector index: exact when small, and no worse than 0.99 recall when large."""

import threading

import numpy as np
import pytest

from tiepoint.config.collections import IndexSection
from tiepoint.index.allowed import Allowed
from tiepoint.index.base import VectorField
from tiepoint.index.kinds import choice
from tiepoint.index.vectors import VectorIndex

DIM = 64
FIELD = VectorField("v", DIM, "given")
NONE = np.empty(0, np.int64)


def _clustered(count, seed, rank=16):
    rng = np.random.default_rng(7)
    basis = np.linalg.qr(rng.standard_normal((DIM, rank)))[0]
    centres = rng.standard_normal((50, rank))
    rng = np.random.default_rng(seed)
    points = centres[rng.integers(0, 50, count)] + 0.5 * rng.standard_normal((count, rank))
    vectors = points @ basis.T + 0.02 * rng.standard_normal((count, DIM))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


QUERIES = _clustered(100, seed=1)


def _truth(vectors, allowed, query, k):
    scores = vectors @ query
    scores[~allowed] = -2
    return set(np.argsort(-scores)[: min(k, allowed.sum())].tolist())


def _recall(index, vectors, allowed, k=10, excluded=NONE, queries=QUERIES):
    found = total = 0
    may = allowed.copy()
    may[excluded] = False
    for query in queries:
        truth = _truth(vectors, may, query, k)
        rows, scores = index.search(query, k, Allowed(allowed), excluded)
        assert len(rows) == len(truth)
        assert may[rows].all()
        np.testing.assert_allclose(scores, vectors[rows] @ query, atol=1e-6)
        assert (np.diff(scores) <= 0).all()
        found += len(truth.intersection(rows.tolist()))
        total += len(truth)
    return found / total


@pytest.fixture(scope="module")
def large():
    vectors = _clustered(12_000, seed=2)
    index = VectorIndex(FIELD, IndexSection())
    for start in range(0, len(vectors), 2000):
        step = vectors[start : start + 2000]
        index.prepare(step)
        index.append(range(start, start + len(step)), step)
        index.improve()
    assert index.proposer is not None
    return index, vectors, np.ones(len(vectors), np.bool_)


def test_few_vectors_are_searched_exactly():
    vectors = _clustered(500, seed=3)
    index = VectorIndex(FIELD, IndexSection())
    index.append(range(500), vectors)
    index.improve()
    assert index.proposer is None
    assert _recall(index, vectors, np.ones(500, np.bool_)) == 1.0


def test_queries_that_are_not_stored_find_their_neighbours(large):
    assert _recall(*large) >= 0.99


@pytest.mark.parametrize("share", [0.9, 0.5, 0.2, 0.05, 0.01, 0.001])
def test_recall_holds_for_filters_of_every_width(large, share):
    index, vectors, live = large
    mask = np.random.default_rng(4).random(len(live)) < share
    assert _recall(index, vectors, mask) >= 0.99


@pytest.mark.parametrize("share", [0.5, 0.2, 0.05])
def test_recall_holds_where_the_filter_takes_what_is_near(large, share):
    index, vectors, _ = large
    similarities = vectors @ QUERIES[0]
    mask = similarities < np.quantile(similarities, share)
    assert _recall(index, vectors, mask, queries=QUERIES[:20]) >= 0.99


def test_excluded_rows_are_replaced_by_the_next_best(large):
    index, vectors, live = large
    best, _ = index.search(QUERIES[0], 15, Allowed(live), NONE)
    assert _recall(index, vectors, live, excluded=np.sort(best), queries=QUERIES[:1]) == 1.0


@pytest.mark.parametrize("k", [1, 100, 3000, 50_000])
def test_any_number_of_hits_can_be_asked_for(large, k):
    index, vectors, live = large
    assert _recall(index, vectors, live, k=k, queries=QUERIES[:5]) >= 0.99


def test_recall_survives_vectors_outside_the_range_it_was_built_for(large):
    first = _clustered(5000, seed=5)
    other = np.roll(_clustered(5000, seed=6), DIM // 2, axis=1) * np.float32(-1)
    index = VectorIndex(FIELD, IndexSection())
    index.append(range(5000), first)
    index.improve()
    index.append(range(5000, 10_000), other)
    index.improve()
    vectors = np.concatenate([first, other])
    assert _recall(index, vectors, np.ones(10_000, np.bool_), queries=other[:100]) >= 0.99


def test_growth_in_small_steps_keeps_the_recall(monkeypatch):
    monkeypatch.setattr(choice, "EXACT_BELOW", 1000)
    vectors = _clustered(4000, seed=8)
    index = VectorIndex(FIELD, IndexSection())
    for start in range(0, 4000, 50):
        step = vectors[start : start + 50]
        index.prepare(step)
        index.append(range(start, start + 50), step)
        index.improve()
    assert index.proposer.tuned_at > 1000
    assert _recall(index, vectors, np.ones(4000, np.bool_)) >= 0.99


def test_rows_without_a_vector_are_never_found():
    vectors = _clustered(100, seed=9)
    index = VectorIndex(FIELD, IndexSection())
    index.append(range(0, 200, 2), vectors)
    rows, _ = index.search(QUERIES[0], 200, Allowed(np.ones(201, np.bool_)), NONE)
    assert sorted(rows.tolist()) == list(range(0, 200, 2))
    similarities = index.similarities(QUERIES[0], np.array([1, 0, 198, 200, -1]))
    np.testing.assert_allclose(similarities[[1, 2]], vectors[[0, 99]] @ QUERIES[0], rtol=1e-5)
    assert np.isnan(similarities[[0, 3, 4]]).all()


def test_background_is_that_of_ordinary_items(large):
    index, vectors, live = large
    mean, deviation = index.background(QUERIES[0], live)
    assert mean == pytest.approx((vectors @ QUERIES[0]).mean(), abs=0.05)
    assert deviation == pytest.approx((vectors @ QUERIES[0]).std(), rel=0.2)
    assert (mean, deviation) == index.background(QUERIES[0], live)


def test_background_of_nothing_and_of_little():
    index = VectorIndex(FIELD, IndexSection())
    live = np.ones(3, np.bool_)
    assert index.background(QUERIES[0], live[:0]) == (0.0, 0.0)
    index.append([0, 1, 2], QUERIES[:3])
    live[2] = False
    mean, _ = index.background(QUERIES[0], live)
    assert mean == pytest.approx((QUERIES[:2] @ QUERIES[0]).mean())


def test_threads_get_the_same_answers_as_one(large):
    index, _, live = large
    expected = [index.search(query, 10, Allowed(live), NONE)[0].tolist() for query in QUERIES]
    wrong = []

    def ask():
        for query, rows in zip(QUERIES, expected, strict=True):
            if index.search(query, 10, Allowed(live), NONE)[0].tolist() != rows:
                wrong.append(rows)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
