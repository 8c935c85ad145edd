"""Standardised principal components: what learned heads take instead of raw vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from tiepoint.encoders.base import Vectors

_SMALLEST_DEVIATION = 1e-6


@dataclass(frozen=True)
class Components:
    """The map `(x - mean) @ matrix`.

    Attributes:
        mean: (d_in,) float32.
        matrix: (d_in, k) float32.
    """

    mean: Vectors
    matrix: Vectors

    @classmethod
    def fit(cls, x: Vectors, most: int) -> Self:
        """Standardise every dimension, and keep the principal components of largest variance.

        A dimension that does not vary is left out: it would be noise, standardised.

        Args:
            x: (n, d_in) vectors.
            most: Components that are kept; all where there are no more than that, and then
                the dimensions are standardised without being turned.
        """
        mean, deviation = x.mean(0), x.std(0)
        varies = deviation > _SMALLEST_DEVIATION
        scale = np.where(varies, 1 / np.where(varies, deviation, 1), 0).astype(np.float32)
        if x.shape[1] <= most and len(x) > x.shape[1]:
            return cls(mean, np.diag(scale).astype(np.float32))
        standardised = ((x - mean) * scale).astype(np.float64)
        variances, directions = np.linalg.eigh(standardised.T @ standardised)
        kept = min(most, len(x) - 1, x.shape[1])
        largest = np.argsort(-variances)[:kept]
        return cls(mean, (scale[:, None] * directions[:, largest]).astype(np.float32))

    def scaled_to(self, x: Vectors) -> Self:
        """Return the same map, scaled so that what it makes of x has the mean square length 1."""
        length = np.sqrt(np.square(self(x)).sum(1).mean())
        return type(self)(self.mean, np.asarray(self.matrix / length, np.float32))

    def __call__(self, x: Vectors) -> Vectors:
        """Return (n, k) float32 components of (n, d_in) vectors."""
        return np.asarray((x - self.mean) @ self.matrix, np.float32)
