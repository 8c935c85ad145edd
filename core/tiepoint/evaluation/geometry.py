"""What a joint space looks like: gap, hubs, alignment, uniformity."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Vectors

NEIGHBOURS = 10
_MOST_ROWS = 2000


@dataclass(frozen=True, slots=True)
class Geometry:
    """Measures of a joint space on pairs.

    Attributes:
        modality_gap: Distance between the mean vectors of the modalities, 0 to 2 (Liang et al.,
            2203.02053).
        hubness_first: Skewness of how often a row of the first modality is among the 10
            nearest of the second's rows (Radovanovic et al., 2010); 0 without hubs.
        hubness_second: Likewise for the second modality.
        alignment: Mean squared distance of pairs, 0 to 4; lower is better (Wang and Isola,
            2005.10242).
        uniformity_first: Log of the mean Gaussian potential of the first modality, at most 0;
            lower is more uniform (same source).
        uniformity_second: Likewise for the second.
    """

    modality_gap: float
    hubness_first: float
    hubness_second: float
    alignment: float
    uniformity_first: float
    uniformity_second: float

    def as_dict(self) -> dict[str, float]:
        """Return the measures by name."""
        return asdict(self)


def geometry(first: Vectors, second: Vectors, links: NDArray[np.int64]) -> Geometry:
    """Measure a joint space.

    Args:
        first: (n, d) float32 unit vectors.
        second: (m, d) float32 unit vectors.
        links: (n_links, 2) int64, which rows belong together.
    """
    apart = first[links[:, 0]] - second[links[:, 1]]
    return Geometry(
        modality_gap=float(np.linalg.norm(first.mean(0) - second.mean(0))),
        hubness_first=hubness_skewness(second, first),
        hubness_second=hubness_skewness(first, second),
        alignment=float(np.mean(np.square(apart).sum(1))),
        uniformity_first=uniformity(first),
        uniformity_second=uniformity(second),
    )


def hubness_skewness(queries: Vectors, gallery: Vectors) -> float:
    """Return the skewness of how often each gallery row is among a query's 10 nearest.

    Args:
        queries: (n, d) float32.
        gallery: (m, d) float32.
    """
    k = min(NEIGHBOURS, len(gallery))
    counts = np.zeros(len(gallery), np.int64)
    for start in range(0, len(queries), _MOST_ROWS):
        scores = queries[start : start + _MOST_ROWS] @ gallery.T
        nearest = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        counts += np.bincount(nearest.ravel(), minlength=len(gallery))
    deviation = counts - counts.mean()
    spread = float(counts.std())
    return float(np.mean(deviation**3)) / spread**3 if spread > 0 else 0.0


def uniformity(x: Vectors) -> float:
    """Return the log of the mean of exp(-2 d^2) over pairs of rows, of 2,000 rows at most."""
    rows = x[:: -(-len(x) // _MOST_ROWS)]
    if len(rows) < 2:
        return 0.0
    similar = (rows @ rows.T)[np.triu_indices(len(rows), 1)]
    return float(np.log(np.mean(np.exp(4 * similar - 4))))
