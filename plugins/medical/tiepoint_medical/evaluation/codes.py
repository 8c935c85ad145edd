"""Which coded finding an image or a report is expected to have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Vectors

_BALANCE = 0.5
"""Power of a code's frequency by which its cases count less: 0 not at all, 1 fully."""

_RIDGE = 2.0
"""In units of a unit vector's own product."""


class CodePredictor:
    """Kernel ridge regression on indicators of the codes, rare ones counting more.

    With few cases of many dimensions it is as good as a logistic regression and has a closed form.

    Args:
        vectors: (n, d) unit vectors of cases.
        labels: (n,) their codes; None where there is none.
    """

    def __init__(self, vectors: Vectors, labels: Sequence[str | None]) -> None:
        rows = [row for row, label in enumerate(labels) if label is not None]
        self.names = tuple(sorted({label for label in labels if label is not None}))
        self._vectors = vectors[rows]
        self._center = self._vectors.mean(0) if rows else np.zeros(vectors.shape[1], np.float32)
        column = {name: index for index, name in enumerate(self.names)}
        targets = np.zeros((len(rows), len(self.names)))
        targets[np.arange(len(rows)), [column[str(labels[row])] for row in rows]] = 1
        counts = targets.sum(0)
        weights = (targets @ (1 / np.maximum(counts, 1))) ** _BALANCE
        weights /= weights.mean() if rows else 1
        self._prior = weights @ targets / max(weights.sum(), 1e-9)
        self._unit = np.sqrt(np.maximum(self._prior, 1e-3))
        centred = self._vectors - self._center
        kernel = centred @ centred.T
        ridge = _RIDGE * max(float(np.diag(kernel).mean()), 1e-9) if rows else 1.0
        self._dual = np.linalg.solve(kernel + ridge * np.diag(1 / weights), targets - self._prior)

    def predict(self, vectors: Vectors) -> NDArray[np.float32]:
        """Return (n, codes) float32: how much more than usual each is expected.

        In units of the root of its share, as in the chi-square metric: the product with
        `codes_of` a case is then how much likelier its code is than usual.
        """
        products = (vectors - self._center) @ (self._vectors - self._center).T
        return np.asarray(products @ self._dual / self._unit, np.float32)

    def codes_of(self, labels: Sequence[str | None]) -> NDArray[np.float32]:
        """Return the same for known codes; NaN for None, and for a code that was never seen."""
        column = {name: index for index, name in enumerate(self.names)}
        known = np.full((len(labels), len(self.names)), np.nan)
        for row, label in enumerate(labels):
            if label in column:
                known[row] = -self._prior
                known[row, column[label]] += 1
        return np.asarray(known / self._unit, np.float32)
