"""Maximal marginal relevance: hits that are not all alike (Carbonell and Goldstein, SIGIR 1998)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Vectors
from tiepoint.types import Contribution

ROUTE = "diversity"


class Marginal:
    """Picks items one after the other: relevant, and unlike those picked before.

    The method picks the greatest (1 - dial) x relevance - dial x likeness, with the relevance
    brought to [0, 1] over the candidates and the likeness that to the most similar item picked
    so far. The order is the same, and the score stays in its unit, when the likeness is taken
    from the score as it is, with the weight dial / (1 - dial) x (best - worst score).

    Args:
        dial: From 0 (relevance alone) to below 1 (likeness weighs all but alone).
        scores: (n,) scores of the first candidates, which set the unit.
    """

    def __init__(self, dial: float, scores: NDArray[np.float64]) -> None:
        spread = float(np.ptp(scores)) if len(scores) else 0.0
        self.weight = dial / (1.0 - dial) * spread
        self._picked: list[list[Vectors]] = []

    def pick(
        self, scores: NDArray[np.float64], vectors: Sequence[Vectors], count: int
    ) -> list[tuple[int, Contribution | None]]:
        """Return the positions of up to `count` candidates in the order in which they are picked.

        Each comes with what its likeness takes from its score; None where that is nothing.

        Args:
            scores: (n,) the candidates' scores.
            vectors: By vector field, (n, d) vectors, NaN where an item has none. Items are as
                alike as the mean of their cosines over the fields that both have.
            count: How many to pick.
        """
        fields = [_unit(np.nan_to_num(field)) for field in vectors]
        present = [~np.isnan(field[:, 0]) for field in vectors]
        likeness = np.zeros(len(scores))
        for picked in self._picked:
            np.maximum(likeness, _alike(fields, present, picked), out=likeness)
        open_ = np.ones(len(scores), np.bool_)
        chosen: list[tuple[int, Contribution | None]] = []
        for _ in range(min(count, len(scores))):
            marginal = np.where(open_, scores - self.weight * likeness, -np.inf)
            best = int(marginal.argmax())
            open_[best] = False
            chosen.append((best, self._penalty(float(likeness[best]))))
            picked = [field[best] for field in fields]
            self._picked.append(picked)
            np.maximum(likeness, _alike(fields, present, picked), out=likeness)
        return chosen

    def _penalty(self, likeness: float) -> Contribution | None:
        if likeness <= 0.0 or self.weight == 0.0:
            return None
        return Contribution(ROUTE, likeness, likeness, -self.weight, -self.weight * likeness)


def _unit(vectors: Vectors) -> Vectors:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), np.float32)


def _alike(
    fields: Sequence[Vectors], present: Sequence[NDArray[np.bool_]], picked: Sequence[Vectors]
) -> NDArray[np.float64]:
    """Return (n,) mean cosines to one item over the shared fields, 0 where there is none."""
    total = np.zeros(len(fields[0]))
    shared = np.zeros(len(fields[0]))
    for field, there, vector in zip(fields, present, picked, strict=True):
        if vector.any():  # a missing vector is zeros here
            total += field @ vector
            shared += there
    return total / np.maximum(shared, 1)
