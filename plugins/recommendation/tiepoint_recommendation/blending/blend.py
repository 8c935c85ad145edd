"""The blend: standardised scores of rankers, summed with the weights of the user's segment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiepoint_recommendation.histories import Floats

SEGMENTS = ("new", "light", "heavy")


@dataclass(frozen=True, slots=True)
class Blend:
    """Weights of rankers for each segment of users.

    Attributes:
        rankers: Names of the rankers.
        weights: (3, rankers) float32, at least 0, a row for each of `SEGMENTS`.
        light_from: A user with so many items in the history is light; with fewer, new.
        heavy_from: A user with so many items in the history is heavy.
    """

    rankers: tuple[str, ...]
    weights: Floats
    light_from: int = 1
    heavy_from: int = 20

    def segments(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return (n,) int64: the number in `SEGMENTS` of users with so many items each."""
        return np.searchsorted([self.light_from, self.heavy_from], lengths, side="right")

    def used(self, lengths: NDArray[np.int64]) -> list[str]:
        """Return the rankers that count for any user with so many items."""
        weights = self.weights[np.unique(self.segments(lengths))]
        return [name for name, column in zip(self.rankers, weights.T, strict=True) if column.any()]

    def parts(
        self,
        scores: Mapping[str, Floats],
        lengths: NDArray[np.int64],
        gallery: NDArray[np.bool_] | None = None,
    ) -> dict[str, Floats]:
        """Return what each ranker adds to the blended score; the sum is the score.

        Args:
            scores: (n, n_items) of each ranker; one that is missing adds nothing.
            lengths: (n,) how many items each history has.
            gallery: (n_items,) bool, the items that scores are standardised by; all if None.

        Returns:
            (n, n_items) float32 by ranker.
        """
        weights = self.weights[self.segments(lengths)]
        return {
            name: standardised(scores[name], gallery, weights[:, column, None])
            for column, name in enumerate(self.rankers)
            if name in scores and weights[:, column].any()
        }


def standardised(
    scores: Floats, gallery: NDArray[np.bool_] | None = None, weights: Floats | float = 1.0
) -> Floats:
    """Return each row less its mean and divided by its deviation; zeros where all are equal.

    Args:
        scores: (n, n_items) float32.
        gallery: (n_items,) bool, the items that mean and deviation are of; all if None.
        weights: (n, 1), what each row is multiplied with.
    """
    within = scores if gallery is None else scores[:, gallery]
    mean = within.mean(axis=1, keepdims=True)
    centred = np.asarray(scores - mean, np.float32)
    spread = centred if gallery is None else within - mean
    deviation = np.sqrt(np.einsum("ij,ij->i", spread, spread) / spread.shape[1])[:, None]
    centred *= np.asarray(weights / np.where(deviation > 1e-12, deviation, np.inf), np.float32)
    return centred
