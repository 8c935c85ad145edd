"""First and second moments of pairs: all that the linear methods learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiepoint.alignment.pairs import PairSet
from tiepoint.encoders.base import Vectors
from tiepoint.errors import InputError

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """Means and covariances over the links; a row counts for each of its links.

    Attributes:
        mean_x: (d_x,) float32 mean of the first modality.
        mean_y: (d_y,) float32 mean of the second.
        xx: (d_x, d_x) covariance of the first.
        yy: (d_y, d_y) covariance of the second.
        xy: (d_x, d_y) covariance between them.
    """

    mean_x: Vectors
    mean_y: Vectors
    xx: Matrix
    yy: Matrix
    xy: Matrix


def moments(pairs: PairSet, weights: Vectors | None = None) -> Moments:
    """Return the moments of pairs, without copying the vectors once per link.

    Args:
        pairs: The pairs; unpaired rows do not count.
        weights: (n_links,) float32 how much each link counts; all alike if not given.
    """
    from scipy.sparse import csr_array

    x, y = pairs.vectors.values()
    rows, columns = pairs.links.T
    counted = np.ones(len(rows), np.float32) if weights is None else weights
    counted = counted / counted.sum()
    uses_x, uses_y = (
        np.bincount(ends, weights=counted, minlength=len(v)).astype(np.float32)[:, None]
        for ends, v in ((rows, x), (columns, y))
    )
    mean_x, mean_y = (x * uses_x).sum(0), (y * uses_y).sum(0)
    x, y = x - mean_x, y - mean_y
    partners = csr_array((counted, (rows, columns)), shape=(len(x), len(y))) @ y
    return Moments(
        mean_x,
        mean_y,
        (x.T @ (x * uses_x)).astype(np.float64),
        (y.T @ (y * uses_y)).astype(np.float64),
        (x.T @ partners).astype(np.float64),
    )


def ridged(covariance: Matrix, regularisation: float) -> Matrix:
    """Return a covariance with the regularisation, in units of its mean variance, added."""
    added = regularisation * np.trace(covariance) / len(covariance)
    return np.asarray(covariance + added * np.eye(len(covariance)), np.float64)


def inverse_root(covariance: Matrix) -> Matrix:
    """Return the symmetric inverse square root of a positive definite matrix.

    Raises:
        InputError: The vectors do not vary enough to invert their covariance.
    """
    from scipy.linalg import eigh

    values, vectors = eigh(covariance)
    if values[0] <= np.finfo(np.float32).eps * values[-1]:
        raise InputError(
            "the vectors span too few dimensions to be whitened",
            hint="Add pairs, or raise the regularisation.",
        )
    return np.asarray((vectors / np.sqrt(values)) @ vectors.T, np.float64)
