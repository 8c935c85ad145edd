"""The calibrated probability of hits, where every route that scored them was calibrated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tiepoint.alignment.languages import LanguageGate
from tiepoint.encoders.base import Vectors
from tiepoint.fusion.base import RouteScores
from tiepoint.fusion.calibration import MatchProbability

Similarities = Callable[[Vectors], Vectors]
"""From a (d,) unit vector to the (n,) inner products of n items' own vectors with it."""


@dataclass(frozen=True)
class Calibration:
    """What the similarities of one query mean on one route.

    Attributes:
        of_all: For items of any language.
        languages: What tells an item's language, where items have several.
        by_language: For items of one language.
    """

    of_all: MatchProbability
    languages: LanguageGate | None = None
    by_language: Mapping[str, MatchProbability] = field(default_factory=dict)

    def of_items(self, similarities: Similarities, count: int) -> list[MatchProbability]:
        """Return what holds for each of n items."""
        if self.languages is None or not self.by_language:
            return [self.of_all] * count
        # The classifier is linear, so the index computes it: its weights are asked for as a query.
        lengths = np.linalg.norm(self.languages.weight, axis=0)
        told = [
            similarities(np.asarray(weight / length, np.float32)) * length + bias
            for weight, length, bias in zip(
                self.languages.weight.T, lengths, self.languages.bias, strict=True
            )
        ]
        names = [self.languages.names[which] for which in np.argmax(told, 0)]
        return [self.by_language.get(name, self.of_all) for name in names]


def hit_probabilities(
    calibrations: Mapping[str, Sequence[MatchProbability]],
    routes: Sequence[RouteScores],
    chosen: NDArray[np.intp],
    size: int,
) -> list[float | None]:
    """Return the probability of some candidates: the highest that a route states.

    None where a route that was not calibrated had a say.

    Args:
        calibrations: By route, what a similarity means for each of the n candidates.
        routes: Each route's view of the candidates.
        chosen: (n,) positions of the candidates that are asked for.
        size: How many items the collection has.
    """
    highest = np.full(len(chosen), np.nan)
    for route in routes:
        scores = route.scores[chosen]
        known = calibrations.get(route.route)
        if known is None:
            if not np.isnan(scores).all():
                highest = np.where(np.isnan(scores), highest, np.inf)
            continue
        standing = (scores - route.mean) / route.scale
        for one in {id(calibration): calibration for calibration in known}.values():
            rows = np.array([calibration is one for calibration in known])
            stated = one(scores[rows], standing[rows], size)
            highest[rows] = np.fmax(highest[rows], stated)
    return [value if np.isfinite(value) else None for value in highest.tolist()]
