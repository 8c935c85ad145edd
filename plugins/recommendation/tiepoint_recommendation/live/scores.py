"""What every item is worth in one answer, and what made it so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tiepoint_recommendation.histories import Floats, Histories
from tiepoint_recommendation.model import Model


@dataclass(frozen=True, slots=True)
class Part:
    """What one ranker, or a query, gives: `values` times `scale` plus `shift`.

    Attributes:
        values: (n,) float32.
        scale: What they are multiplied with.
        shift: What is added.
    """

    values: Floats
    scale: float
    shift: float

    @classmethod
    def standardised(cls, values: Floats, weight: float) -> Part:
        """Return values less their mean, divided by their deviation, times a weight.

        As `blend.standardised`, but nothing is computed for items that are not in the answer.
        """
        n = len(values)
        mean = float(values.mean())
        variance = float(np.dot(values, values)) / n - mean * mean
        # Where all values are equal, what is left of float32's rounding is no variance.
        if variance <= 1e-6 * mean * mean + 1e-24:
            return cls(values, 0.0, 0.0)
        scale = weight / variance**0.5
        return cls(values, scale, -mean * scale)

    def of(self, number: int) -> float:
        """Return what is given to one item."""
        return float(self.values[number]) * self.scale + self.shift


@dataclass(frozen=True, slots=True)
class Scores:
    """What every item is worth.

    Attributes:
        parts: By ranker or query.
        total: (n,) float32, their sum.
    """

    parts: Mapping[str, Part]
    total: Floats

    @classmethod
    def of(cls, parts: Mapping[str, Part], n: int) -> Scores:
        """Return the sum of parts over n items."""
        from scipy.linalg.blas import saxpy

        total = np.full(n, sum(part.shift for part in parts.values()), np.float32)
        for part in parts.values():
            saxpy(np.ascontiguousarray(part.values), total, a=part.scale)  # adds in place
        return cls(parts, total)


def blended(model: Model, histories: Histories, factors: Mapping[str, float]) -> dict[str, Part]:
    """Return what each ranker of the blend gives for one history; as `Model.score`.

    Args:
        model: The model.
        histories: Of one user.
        factors: What the weights of rankers are multiplied with.
    """
    blend = model.blend
    [row] = blend.weights[blend.segments(histories.lengths)].tolist()
    return {
        name: Part.standardised(
            model.rankers[name].scores(histories)[0], weight * factors.get(name, 1.0)
        )
        for name, weight in zip(blend.rankers, row, strict=True)
        if weight
    }
