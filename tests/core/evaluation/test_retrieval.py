"""The retrieval protocol, its intervals, and the measures of a joint space, on known answers."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small_encoders import unit
from tiepoint.errors import InputError
from tiepoint.evaluation.geometry import geometry, hubness_skewness, uniformity
from tiepoint.evaluation.retrieval import Retrieval, evaluate, recalls
from tiepoint.evaluation.significance import compare, rsum_interval

LINKS = np.array([[0, 0], [0, 1], [1, 2], [2, 3]])


def test_the_rank_is_that_of_the_first_positive_among_several():
    images = np.eye(3, dtype=np.float32)
    texts = np.array([[0, 1, 0], [1, 0, 0], [0, 1, 0], [0.9, 0, 0.1]], np.float32)
    found = evaluate(images, texts, LINKS)
    assert found.i2t_rank.tolist() == [0, 1, 0]
    assert found.t2i_rank.tolist() == [2, 0, 0, 1]


def test_ties_count_against_us():
    same = np.ones((3, 2), np.float32)
    found = evaluate(same, np.ones((4, 2), np.float32), LINKS)
    assert found.t2i_rank.tolist() == [2, 2, 2, 2]
    assert found.i2t_rank.tolist() == [2, 3, 3], "other positives are no competitors"


def test_figures_have_the_documented_shape():
    figures = Retrieval(np.array([0, 4, 9, 10]), np.array([0, 0])).as_dict()
    assert figures["i2t"] == {"R@1": 25.0, "R@5": 50.0, "R@10": 75.0}
    assert figures["rsum"] == 150 + 300
    assert (figures["n_images"], figures["n_texts"]) == (4, 2)


def test_a_query_without_a_partner_is_refused():
    with pytest.raises(InputError, match="1 of 3 image"):
        evaluate(np.eye(3, dtype=np.float32), np.eye(3, dtype=np.float32), LINKS[[0, 2], :])


def random_ranks(generator, high, images=200):
    i2t, t2i = generator.integers(0, high, images), generator.integers(0, high, 5 * images)
    links = np.stack([np.repeat(np.arange(images), 5), np.arange(5 * images)], 1)
    return Retrieval(i2t, t2i), links


def test_the_interval_holds_the_figure_and_narrows_with_more_images():
    few, few_links = random_ranks(np.random.default_rng(0), 20, 100)
    many, many_links = random_ranks(np.random.default_rng(0), 20, 1000)
    wide, narrow = rsum_interval(few, few_links), rsum_interval(many, many_links)
    assert wide.low < few.rsum < wide.high
    assert 2 < (wide.high - wide.low) / (narrow.high - narrow.low) < 5


def test_a_paired_comparison_tells_a_difference_from_luck():
    generator = np.random.default_rng(1)
    good, links = random_ranks(generator, 12)
    equal, _ = random_ranks(generator, 12)
    bad, _ = random_ranks(generator, 40)
    assert compare(good, bad, links).p_value < 0.01
    assert compare(good, bad, links).difference.low > 0
    assert compare(good, equal, links).p_value > 0.01
    assert compare(good, good, links).difference.value == 0


def test_a_hub_shows_as_skewness():
    generator = np.random.default_rng(2)
    queries = unit(generator.normal(size=(500, 30)))
    gallery = unit(generator.normal(size=(500, 30)))
    hubs = gallery.copy()
    hubs[:20] = unit(queries.mean(0, keepdims=True) + 0.001 * gallery[:20])
    pulled = unit(queries + 0.5)
    assert abs(hubness_skewness(queries, gallery)) < 2
    assert hubness_skewness(pulled, unit(hubs + 0.05)) > hubness_skewness(queries, gallery)


def test_gap_alignment_and_uniformity_of_known_spaces():
    links = np.stack([np.arange(4), np.arange(4)], 1)
    square = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]], np.float32)
    same = geometry(square, square, links)
    assert same.modality_gap == 0
    assert same.alignment == 0
    opposite = geometry(np.repeat(square[:1], 4, 0), np.repeat(square[2:3], 4, 0), links)
    assert opposite.modality_gap == 2
    assert opposite.alignment == 4
    assert uniformity(square) < uniformity(np.repeat(square[:1], 4, 0)) == 0


def test_recalls_are_percentages():
    assert recalls(np.zeros(7, np.int64)) == {"R@1": 100.0, "R@5": 100.0, "R@10": 100.0}
