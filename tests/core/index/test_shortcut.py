"""Easy queries are answered with less effort than far ones, and no worse."""

import numpy as np
import pytest

from tiepoint.index.kinds.base import candidates_for
from tiepoint.index.kinds.building import build
from tiepoint.index.kinds.hnsw import HnswProposer
from tiepoint.index.snapshot import IndexCard

COUNT, DIM = 6000, 96


def _unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def repeated():
    """Each of 400 vectors fifteen times with a little noise, as pictures of one thing are."""
    rng = np.random.default_rng(3)
    things = np.repeat(_unit(rng.standard_normal((400, DIM))), 16, axis=0)
    vectors = _unit(things + 0.03 * rng.standard_normal(things.shape))
    vectors = rng.permutation(vectors)
    return vectors[:COUNT], vectors[COUNT:]


@pytest.fixture(scope="module")
def proposer(repeated):
    return build(HnswProposer, repeated[0], "cosine", 0.99)


def _recall(proposer, vectors, queries):
    found = proposer.propose(queries, candidates_for(10, proposer.effort.oversampling))
    best = np.argsort(-(queries @ vectors.T), axis=1)[:, :10]
    return np.mean([np.isin(own, near).mean() for own, near in zip(best, found, strict=True)])


def test_queries_like_the_stored_vectors_take_the_shortcut(proposer, repeated):
    vectors, near = repeated
    assert proposer.shortcut is not None
    assert proposer.shortcut.breadth < proposer.effort.breadth
    full = proposer.entries(near, 15, proposer.effort.breadth)[0]
    short = proposer.entries(near, 15, proposer.shortcut.breadth)[0]
    asked = proposer.propose(near, 15)
    np.testing.assert_array_equal(asked, proposer.order[short])
    assert (asked != proposer.order[full]).any()
    assert _recall(proposer, vectors, near) >= 0.98


def test_far_queries_are_asked_again_with_the_whole_effort(proposer, repeated):
    far = _unit(repeated[1] + _unit(np.random.default_rng(4).standard_normal(repeated[1].shape)))
    whole = proposer.order[proposer.entries(far, 15, proposer.effort.breadth)[0]]
    np.testing.assert_array_equal(proposer.propose(far, 15), whole)
    one_by_one = np.concatenate([proposer.propose(query[None], 15) for query in far[:20]])
    np.testing.assert_array_equal(one_by_one, whole[:20])


def test_an_inner_product_has_no_shortcut(repeated):
    assert build(HnswProposer, repeated[0], "inner_product", 0.99).shortcut is None


def test_a_snapshot_keeps_the_shortcut(proposer):
    card = IndexCard(
        kind="hnsw", breadth=48, oversampling=1, shortcut=proposer.shortcut, tuned_at=1, recall=1.0
    )
    again = IndexCard.model_validate_json(card.model_dump_json())
    assert again.shortcut == tuple(proposer.shortcut)
