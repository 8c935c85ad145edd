"""Probabilities and quantiles keep what they promise on data that they were not fitted on."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small_encoders import unit
from tiepoint.errors import InputError
from tiepoint.evaluation.calibration import reliability, top_hits
from tiepoint.fusion.calibration import BackgroundQuantile, MatchProbability


def space(seed, n=1200):
    """Queries of unequal quality, as those of users are."""
    generator = np.random.default_rng(seed)
    gallery = unit(generator.normal(size=(n, 24)))
    noise = generator.uniform(0.1, 0.6, (n, 1))
    queries = unit(gallery + noise * generator.normal(size=(n, 24)))
    return queries, gallery, np.stack([np.arange(n), np.arange(n)], 1)


@pytest.mark.parametrize("kind", ["isotonic", "platt"])
@pytest.mark.parametrize("size", [100, 1000])
def test_probabilities_hold_on_unseen_queries_at_galleries_of_other_sizes(kind, size):
    hits = top_hits(*space(0, 2000), (50, 200, 2000), 0)
    fitted = MatchProbability.fit(hits.scores, hits.standardised, hits.sizes, hits.correct, kind)
    unseen = top_hits(*space(1, 3000), (size,), 1)
    stated = fitted(unseen.scores, unseen.standardised, size)
    found = reliability(stated, unseen.correct)
    assert found.ece <= 0.05
    assert found.brier_skill > 0


def test_a_match_is_less_probable_in_a_larger_gallery_and_more_so_at_a_higher_score():
    hits = top_hits(*space(0, 2000), (50, 200, 2000), 0)
    fitted = MatchProbability.fit(hits.scores, hits.standardised, hits.sizes, hits.correct, "platt")
    low, high = fitted([0.5, 0.8], [3.0, 5.0], 1000)
    assert low < high
    assert fitted([0.5], [3.0], 100)[0] > low
    assert MatchProbability.model_validate_json(fitted.model_dump_json()) == fitted


@pytest.mark.parametrize("correct", [[True] * 50, [False] * 50, [True, False]])
def test_outcomes_that_teach_nothing_are_refused(correct):
    n = len(correct)
    with pytest.raises(InputError, match="not enough to calibrate"):
        MatchProbability.fit(np.arange(n), np.arange(n), np.full(n, 10), correct)


def test_reliability_sees_overconfidence():
    generator = np.random.default_rng(3)
    true = generator.random(5000)
    correct = generator.random(5000) < true
    assert reliability(true, correct).ece < 0.03
    assert reliability(true**0.2, correct).ece > 0.2
    assert reliability(np.full(5000, correct.mean()), correct).brier_skill == pytest.approx(0)


def test_captions_of_one_image_stay_in_one_gallery():
    queries, gallery, _ = space(4, 40)
    links = np.stack([np.repeat(np.arange(8), 5), np.arange(40)], 1)
    hits = top_hits(queries[:8], gallery, links, (10,), 0)
    assert len(hits.scores) == 8, "each image asks the one gallery that holds its captions"
    assert set(hits.sizes.tolist()) == {10}


@pytest.mark.parametrize("draw", ["normal", "exponential", "gumbel"])
def test_a_threshold_is_reached_as_often_as_asked_even_beyond_the_data(draw):
    generator = np.random.default_rng(5)
    fitted = BackgroundQuantile.fit(getattr(generator, draw)(size=3000))
    ordinary = getattr(generator, draw)(size=400_000)
    # 3,000 scores hold one or two of the rarest kind: their rate is known by the tail alone.
    for share, factor in ((0.3, 1.2), (0.01, 1.5), (0.0005, 3)):
        threshold = fitted.threshold(share)
        assert share / factor < np.mean(ordinary >= threshold) < share * factor
        assert fitted.exceedance(threshold) == pytest.approx(share, rel=0.02)


def test_too_little_ordinary_data_is_refused():
    with pytest.raises(InputError, match="100"):
        BackgroundQuantile.fit(np.arange(99))
