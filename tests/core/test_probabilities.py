"""A hit has a probability where every route that scored it was calibrated."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.small_encoders import ColourAligner, ColourEncoder, ColourWordEncoder
from tiepoint.alignment.languages import LanguageGate
from tiepoint.config.collections import CollectionSection
from tiepoint.fusion.base import RouteScores
from tiepoint.fusion.calibration import MatchProbability
from tiepoint.probabilities import hit_probabilities
from tiepoint.routes import Layout

CALIBRATION = MatchProbability(
    kind="platt", slope=2.0, standing_slope=1.0, size_slope=-0.5, intercept=0.0
)
OF_RED = CALIBRATION.model_copy(update={"intercept": 1.0})
GATE = LanguageGate(
    ("red", "other"),
    np.array([[3.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, 0.0]], np.float32),
    np.array([0.0, 0.1], np.float32),
)


class CalibratedAligner(ColourAligner):
    """Red is a language of its own, which is surer."""

    def match_probability(self, query, gallery, language=""):
        if (query, gallery) not in {("text", "image"), ("image", "text")}:
            return None
        return OF_RED if language == "red" else CALIBRATION

    def languages(self, modality):
        return GATE if modality == "text" else None


@pytest.fixture
def routes():
    encoders = {"photo": ColourEncoder(), "words": ColourWordEncoder()}
    aligner = CalibratedAligner({"image": encoders["photo"], "text": encoders["words"]})
    section = CollectionSection.model_validate(
        {"fields": {"image": {"encoder": "photo"}, "text": {"encoder": "words"}}}
    )
    layout = Layout("items", section, encoders, aligner)
    return {route.name: route for routes in layout.routes.values() for route in routes}


def scores(route, *values):
    return RouteScores(route, np.array(values, np.float32), 0.1, 0.2)


def test_the_language_of_the_query_counts(routes):
    for word, expected in (("red", OF_RED), ("blue", CALIBRATION)):
        found = routes["text->image"].calibration(ColourWordEncoder().encode([word]))
        assert found.of_items(lambda vector: np.zeros(2), 2) == [expected] * 2
    assert routes["text->text"].calibration(ColourWordEncoder().encode(["red"])) is None


def test_the_language_of_each_item_counts_where_texts_are_found(routes):
    own = ColourWordEncoder().encode(["blue", "red", "green"])
    picture = ColourEncoder().encode([Image.new("RGB", (4, 4), "red")])
    found = routes["image->text"].calibration(picture)
    stated = found.of_items(lambda vector: own @ vector, len(own))
    assert stated == [CALIBRATION, OF_RED, CALIBRATION]
    assert routes["image->text"].own_field == "text"
    routed = hit_probabilities(
        {"image->text": stated}, [scores("image->text", 0.5, 0.5, 0.5)], np.arange(3), 10
    )
    assert routed[1] > routed[0] == routed[2]


def test_a_probability_follows_the_calibration_and_the_size_of_the_collection():
    chosen = np.array([0, 1])
    small, large = (
        hit_probabilities(
            {"text->image": [CALIBRATION] * 2}, [scores("text->image", 0.9, 0.3)], chosen, size
        )
        for size in (10, 1000)
    )
    expected = CALIBRATION([0.9, 0.3], [4.0, 1.0], 10)
    np.testing.assert_allclose(small, expected, rtol=1e-5)
    assert small[0] > small[1]
    assert large[0] < small[0]


def test_a_route_that_was_not_calibrated_and_had_a_say_leaves_none():
    routes = [
        scores("text->image", 0.9, 0.3, np.nan),
        scores("text->text", np.nan, 0.5, 0.5),
    ]
    stated = hit_probabilities({"text->image": [CALIBRATION] * 3}, routes, np.array([0, 1, 2]), 10)
    assert stated[0] is not None
    assert stated[1:] == [None, None]
