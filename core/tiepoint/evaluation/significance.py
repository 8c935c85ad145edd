"""How sure a retrieval figure is: bootstrap over images (Efron and Tibshirani, 1993)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import InputError
from tiepoint.evaluation.retrieval import CUTOFFS, Retrieval

RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its confidence interval.

    Attributes:
        value: The figure on all images.
        low: Lower end of the central 95 % of the resamples.
        high: Upper end.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A paired comparison of two systems on the same queries.

    Attributes:
        difference: rsum of the first less that of the second, with its interval.
        p_value: Share of resamples (two-sided) in which the sign is the other one.
    """

    difference: Interval
    p_value: float


def rsum_interval(
    retrieval: Retrieval, links: NDArray[np.int64], seed: int = 0, resamples: int = RESAMPLES
) -> Interval:
    """Return rsum with its 95 % interval; images are drawn with all their texts.

    Args:
        retrieval: The ranks.
        links: (n_links, 2) int64, which image and text belong together.
        seed: Of the resampling.
        resamples: How many.
    """
    drawn = _resampled(retrieval, links, seed, resamples)
    return Interval(retrieval.rsum, *_central(drawn))


def compare(
    first: Retrieval,
    second: Retrieval,
    links: NDArray[np.int64],
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Comparison:
    """Compare two systems by a paired bootstrap: the same images are drawn for both.

    Raises:
        InputError: They were not asked the same number of queries.
    """
    if first.i2t_rank.shape != second.i2t_rank.shape or (
        first.t2i_rank.shape != second.t2i_rank.shape
    ):
        raise InputError("the two systems were not asked the same queries")
    drawn = _resampled(first, links, seed, resamples) - _resampled(second, links, seed, resamples)
    value = first.rsum - second.rsum
    other_sign = float(np.mean(drawn <= 0 if value > 0 else drawn >= 0))
    return Comparison(Interval(value, *_central(drawn)), min(1.0, 2 * other_sign))


def _resampled(
    retrieval: Retrieval, links: NDArray[np.int64], seed: int, resamples: int
) -> NDArray[np.float64]:
    """Return rsum of each resample, from sums of hits by image."""
    n = len(retrieval.i2t_rank)
    image_of = np.zeros(len(retrieval.t2i_rank), np.int64)
    image_of[links[::-1, 1]] = links[::-1, 0]
    i2t = sum((retrieval.i2t_rank < k).astype(float) for k in CUTOFFS)
    hits = sum((retrieval.t2i_rank < k).astype(float) for k in CUTOFFS)
    t2i = np.bincount(image_of, weights=hits, minlength=n)
    texts = np.bincount(image_of, minlength=n)
    draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), resamples)
    return np.asarray(100 * (draws @ i2t / n + (draws @ t2i) / (draws @ texts)), np.float64)


def _central(drawn: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)
