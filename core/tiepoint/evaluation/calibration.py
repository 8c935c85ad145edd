"""How honest probabilities are: reliability, expected calibration error, Brier skill."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Vectors

BINS = 10


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
        sizes: (n,) int64 how many items the gallery had.
        correct: (n,) whether it is right.
    """

    scores: Vectors
    sizes: NDArray[np.int64]
    correct: NDArray[np.bool_]


def top_hits(
    queries: Vectors,
    gallery: Vectors,
    links: NDArray[np.int64],
    sizes: tuple[int, ...],
    seed: int,
) -> TopHits:
    """Ask random galleries of these sizes, each query's positives among them.

    The rows are split at random into galleries, and a gallery is asked by the queries that
    have a partner in it. A size of at least the whole gallery asks the whole.

    Args:
        queries: (n, d) float32 joint vectors.
        gallery: (m, d) float32 joint vectors.
        links: (n_links, 2) int64, rows of queries and of the gallery.
        sizes: Of the galleries.
        seed: Of the splits.
    """
    generator = np.random.default_rng(seed)
    found: list[tuple[Vectors, int, NDArray[np.bool_]]] = []
    for size in sorted({min(size, len(gallery)) for size in sizes}):
        shuffled = generator.permutation(len(gallery))
        for start in range(0, len(gallery) - size + 1, size):
            rows = shuffled[start : start + size]
            inside = np.isin(links[:, 1], rows)
            asked = np.unique(links[inside, 0])
            if not len(asked):
                continue
            scores = queries[asked] @ gallery[rows].T
            best = scores.argmax(1)
            pairs = set(map(tuple, links[inside].tolist()))
            hits = zip(asked.tolist(), rows[best].tolist(), strict=True)
            right = np.array([pair in pairs for pair in hits])
            found.append((scores.max(1), size, right))
    return TopHits(
        np.concatenate([scores for scores, _, _ in found]),
        np.concatenate([np.full(len(s), size, np.int64) for s, size, _ in found]),
        np.concatenate([right for _, _, right in found]),
    )
