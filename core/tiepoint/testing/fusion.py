"""What every fusion must do, as tests to inherit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pytest

from tiepoint.encoders.base import Vectors
from tiepoint.fusion.base import Fusion, RouteScores

CANDIDATES = 7


class FusionConformance(ABC):
    """Subclass it as `TestMyFusion`, and make the fusion in `make_fusion`."""

    @abstractmethod
    def make_fusion(self) -> Fusion:
        """Return a new fusion, the same at every call; fitted, if it learns."""

    _made: ClassVar[Fusion]

    @pytest.fixture
    def fusion(self) -> Fusion:
        """One fusion for all the tests of a class: it holds no state of a query."""
        kind = type(self)
        if "_made" not in vars(kind):
            kind._made = self.make_fusion()
        return kind._made

    def routes(self, fusion: Fusion, seed: int = 0) -> list[RouteScores]:
        """Return three routes' views of seven candidates, the fusion's own names first.

        Every candidate is unknown to some route, and the fifth to all.
        """
        random = np.random.default_rng(seed)
        named = [*fusion.fitted_routes(), *fusion.named_routes(), "one", "two", "three"]
        made = []
        for number, name in enumerate(list(dict.fromkeys(named))[:3]):
            scores = random.normal(size=CANDIDATES).astype(np.float32)
            scores[number::3] = np.nan
            scores[5] = np.nan
            made.append(RouteScores(name, scores, 0.2, 0.5))
        return made

    def test_there_is_an_answer_for_every_candidate(self, fusion: Fusion) -> None:
        """The answers are in the candidates' order, one for each."""
        assert len(fusion.fuse(self.routes(fusion))) == CANDIDATES

    def test_what_a_route_does_not_know_it_does_not_contribute_to(self, fusion: Fusion) -> None:
        """NaN is no contribution, and what knows a candidate says its similarity."""
        routes = self.routes(fusion)
        names = [route.route for route in routes]
        for position, share in enumerate(fusion.fuse(routes)):
            told = {c.route: c.similarity for c in share if c.route in names}
            known = {
                route.route: float(route.scores[position])
                for route in routes
                if not np.isnan(route.scores[position])
            }
            assert told == pytest.approx(known)
            assert [c.route for c in share if c.route in names] == [n for n in names if n in known]

    def test_contributions_are_finite_and_follow_from_their_weights(self, fusion: Fusion) -> None:
        """Each value is weight x standardised, so that a score can be recomputed."""
        for share in fusion.fuse(self.routes(fusion)):
            for contribution in share:
                assert np.isfinite(contribution.value)
                assert contribution.value == pytest.approx(
                    contribution.weight * contribution.standardised, abs=1e-6
                )

    def test_the_order_of_routes_does_not_matter(self, fusion: Fusion) -> None:
        """Scores are the same whichever route comes first."""
        routes = self.routes(fusion)
        np.testing.assert_allclose(
            _scores(fusion, routes), _scores(fusion, routes[::-1]), rtol=1e-4, atol=1e-5
        )

    def test_a_better_candidate_of_a_route_scores_no_less(self, fusion: Fusion) -> None:
        """Where a single route speaks, its order is kept."""
        name = self.routes(fusion)[0].route
        scores = np.linspace(-1, 1, CANDIDATES).astype(np.float32)
        fused = _scores(fusion, [RouteScores(name, scores, 0.0, 1.0)])
        assert (np.diff(fused) >= -1e-6).all() or fusion.takes_single_routes

    def test_no_state_is_kept_between_queries(self, fusion: Fusion) -> None:
        """Another query in between changes nothing."""
        routes = self.routes(fusion)
        before = _scores(fusion, routes)
        fusion.fuse(self.routes(fusion, seed=1))
        np.testing.assert_array_equal(_scores(fusion, routes), before)

    def test_a_second_fusion_gives_the_same(self, fusion: Fusion) -> None:
        """Nothing is random."""
        routes = self.routes(fusion)
        np.testing.assert_array_equal(_scores(fusion, routes), _scores(self.make_fusion(), routes))

    def test_the_scores_are_left_as_they_are(self, fusion: Fusion) -> None:
        """Similarities are not changed in place."""
        routes = self.routes(fusion)
        before = [route.scores.copy() for route in routes]
        fusion.fuse(routes)
        for route, scores in zip(routes, before, strict=True):
            np.testing.assert_array_equal(route.scores, scores)


def _scores(fusion: Fusion, routes: Sequence[RouteScores]) -> Vectors:
    return np.array([sum(c.value for c in share) for share in fusion.fuse(routes)], np.float32)
