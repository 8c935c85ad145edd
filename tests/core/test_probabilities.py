"""A hit has a probability where every route that scored it was calibrated."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small_encoders import ColourAligner, ColourEncoder, ColourWordEncoder
from tiepoint.config.models import CollectionSection
from tiepoint.fusion.base import RouteScores
from tiepoint.fusion.calibration import MatchProbability
from tiepoint.probabilities import HitProbabilities
from tiepoint.routes import Layout

CALIBRATION = MatchProbability(
    kind="platt", slope=2.0, standing_slope=1.0, size_slope=-0.5, intercept=0.0
)


class CalibratedAligner(ColourAligner):
    def match_probability(self, query, gallery):
        return CALIBRATION if (query, gallery) == ("text", "image") else None


@pytest.fixture
def probabilities():
    encoders = {"photo": ColourEncoder(), "words": ColourWordEncoder()}
    aligner = CalibratedAligner({"image": encoders["photo"], "text": encoders["words"]})
    section = CollectionSection.model_validate(
        {"fields": {"image": {"encoder": "photo"}, "text": {"encoder": "words"}}}
    )
    return HitProbabilities(Layout("items", section, encoders, aligner))


def scores(route, *values):
    return RouteScores(route, np.array(values, np.float32), 0.1, 0.2)


def test_only_the_calibrated_direction_is_known(probabilities):
    assert probabilities.known("text->image")
    assert not probabilities.known("image->text")
    assert not probabilities.known("text->text")


def test_a_probability_follows_the_calibration_and_the_size_of_the_collection(probabilities):
    chosen = np.array([0, 1])
    small, large = (
        probabilities.of([scores("text->image", 0.9, 0.3)], chosen, size) for size in (10, 1000)
    )
    expected = CALIBRATION([0.9, 0.3], [4.0, 1.0], 10)
    np.testing.assert_allclose(small, expected, rtol=1e-5)
    assert small[0] > small[1]
    assert large[0] < small[0]


def test_a_route_that_was_not_calibrated_and_had_a_say_leaves_none(probabilities):
    routes = [
        scores("text->image", 0.9, 0.3, np.nan),
        scores("text->text", np.nan, 0.5, 0.5),
    ]
    stated = probabilities.of(routes, np.array([0, 1, 2]), 10)
    assert stated[0] is not None
    assert stated[1:] == [None, None]
