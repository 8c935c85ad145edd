"""How honest probabilities are: reliability, expected calibration error, Brier skill."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Vectors

BINS = 10
BACKGROUND_ROWS = 512
"""Gallery items that a query's background is measured on, as in a collection."""


@dataclass(frozen=True, slots=True)
class Reliability:
    """How stated probabilities compare with what came true.

    Attributes:
        ece: Mean of |stated - true| over equal-mass bins, weighted by their size, 0 to 1
            (Nixon et al., 1904.01685).
        brier: Mean squared error of the probabilities.
        brier_skill: 1 - brier / that of always stating the overall rate; > 0 is better than it.
        stated: Mean stated probability of each bin.
        observed: Share that came true in each bin.
    """

    ece: float
    brier: float
    brier_skill: float
    stated: tuple[float, ...]
    observed: tuple[float, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the figures by name."""
        return asdict(self)


def reliability(
    probabilities: NDArray[np.float64], correct: NDArray[np.bool_], bins: int = BINS
) -> Reliability:
    """Compare (n,) probabilities with (n,) outcomes, in equal-mass bins.

    >>> reliability(np.array([0.1, 0.9]), np.array([False, True]), bins=2).ece
    0.1
    """
    order = np.argsort(probabilities, kind="stable")
    chunks = [c for c in np.array_split(order, bins) if len(c)]
    stated = [float(probabilities[c].mean()) for c in chunks]
    observed = [float(correct[c].mean()) for c in chunks]
    gaps = [len(c) * abs(p - q) for c, p, q in zip(chunks, stated, observed, strict=True)]
    brier = float(np.mean(np.square(probabilities - correct)))
    usual = float(correct.mean() * (1 - correct.mean()))
    return Reliability(
        ece=round(float(sum(gaps)) / len(correct), 12),
        brier=brier,
        brier_skill=1 - brier / usual if usual > 0 else 0.0,
        stated=tuple(stated),
        observed=tuple(observed),
    )


@dataclass(frozen=True)
class TopHits:
    """The best hit of queries against galleries of several sizes.

    Attributes:
        scores: (n,) float32 its similarity.
        standardised: (n,) float32 how many spreads it stands above the query's background in
            that gallery.
        sizes: (n,) int64 how many items the gallery had.
        correct: (n,) whether it is right.
    """

    scores: Vectors
    standardised: Vectors
    sizes: NDArray[np.int64]
    correct: NDArray[np.bool_]


def top_hits(
    queries: Vectors,
    gallery: Vectors,
    links: NDArray[np.int64],
    sizes: tuple[int, ...],
    seed: int,
) -> TopHits:
    """Ask random galleries of about these sizes, each query's positives among them.

    The rows are split at random into galleries, and a gallery is asked by the queries that
    have a partner in it. Rows with the same partner stay together, as the captions of an image
    do in a collection. A size of at least the whole gallery asks the whole.

    Args:
        queries: (n, d) float32 joint vectors.
        gallery: (m, d) float32 joint vectors; every row has a partner.
        links: (n_links, 2) int64, rows of queries and of the gallery.
        sizes: Of the galleries.
        seed: Of the splits.
    """
    generator = np.random.default_rng(seed)
    partner = np.zeros(len(gallery), np.int64)
    partner[links[::-1, 1]] = links[::-1, 0]
    _, group = np.unique(partner, return_inverse=True)
    if len(np.unique(links[:, 1])) == len(links):
        groups = group.reshape(-1)
    else:  # a row with several partners is found by each of them: it stands alone
        groups = np.arange(len(gallery))
    n_groups = int(groups.max()) + 1
    asked = []
    for size in sorted({min(size, len(gallery)) for size in sizes}):
        width = max(1, round(size * n_groups / len(gallery)))
        shuffled = generator.permutation(n_groups)
        for start in range(0, n_groups - width + 1, width):
            rows = np.flatnonzero(np.isin(groups, shuffled[start : start + width]))
            asked.append(_asked(queries, gallery, links, rows, generator))
    return TopHits(
        np.concatenate([hits.scores for hits in asked]),
        np.concatenate([hits.standardised for hits in asked]),
        np.concatenate([hits.sizes for hits in asked]),
        np.concatenate([hits.correct for hits in asked]),
    )


def _asked(
    queries: Vectors,
    gallery: Vectors,
    links: NDArray[np.int64],
    rows: NDArray[np.int64],
    generator: np.random.Generator,
) -> TopHits:
    """Ask the gallery of some rows."""
    inside = links[np.isin(links[:, 1], rows)]
    who = np.unique(inside[:, 0])
    scores = queries[who] @ gallery[rows].T
    best = scores.argmax(1)
    top = scores[np.arange(len(who)), best]
    background = scores[:, generator.permutation(len(rows))[:BACKGROUND_ROWS]]
    spread = np.maximum(background.std(1), 1e-6)
    key = len(gallery)
    right = np.isin(who * key + rows[best], inside[:, 0] * key + inside[:, 1])
    return TopHits(
        top, (top - background.mean(1)) / spread, np.full(len(who), len(rows), np.int64), right
    )
