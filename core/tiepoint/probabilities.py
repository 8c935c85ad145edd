"""The calibrated probability of hits, where every route that scored them was calibrated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tiepoint.fusion.base import RouteScores
from tiepoint.fusion.calibration import MatchProbability
from tiepoint.routes import Layout


class HitProbabilities:
    """The calibrations of a collection's routes.

    Args:
        layout: The collection's routes.
    """

    def __init__(self, layout: Layout) -> None:
        self._calibrations: Mapping[str, MatchProbability] = {
            route.name: route.probability
            for routes in layout.routes.values()
            for route in routes
            if route.probability is not None
        }

    def known(self, route: str) -> bool:
        """Tell whether a route was calibrated."""
        return route in self._calibrations

    def of(
        self, routes: Sequence[RouteScores], chosen: NDArray[np.intp], size: int
    ) -> list[float | None]:
        """Return the probability of some candidates: the highest that a route states.

        None where a route that was not calibrated had a say.

        Args:
            routes: Each route's view of the candidates.
            chosen: (n,) positions of the candidates that are asked for.
            size: How many items the collection has.
        """
        highest = np.full(len(chosen), np.nan)
        for route in routes:
            scores = route.scores[chosen]
            calibration = self._calibrations.get(route.route)
            if calibration is None:
                if not np.isnan(scores).all():
                    highest = np.where(np.isnan(scores), highest, np.inf)
                continue
            stated = calibration(scores, (scores - route.mean) / route.scale, size)
            highest = np.fmax(highest, stated)
        return [value if np.isfinite(value) else None for value in highest.tolist()]
