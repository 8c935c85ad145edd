"""Frame-level micro AUC, its interval, and a paired comparison: clips are drawn, not frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000

Scores = Sequence[NDArray[np.float64]]
Labels = Sequence[NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with the central 95 % of its resamples."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """How much better the first system's AUC is than the second's.

    Attributes:
        difference: With its interval.
        p_value: Two-sided share of resamples in which the sign is the other one.
    """

    difference: Interval
    p_value: float


def auc(scores: NDArray[np.float64], labels: NDArray[np.bool_]) -> float | None:
    """Return the area under the ROC curve; None where all labels are the same.

    >>> auc(np.array([1.0, 2.0, 3.0]), np.array([False, True, True]))
    1.0
    """
    from scipy.stats import rankdata

    abnormal = int(labels.sum())
    normal = len(labels) - abnormal
    if not abnormal or not normal:
        return None
    above = float(rankdata(scores)[labels].sum()) - abnormal * (abnormal + 1) / 2
    return above / (abnormal * normal)


def micro_auc(scores: Scores, labels: Labels) -> float | None:
    """Return the AUC over the frames of all clips together."""
    return auc(np.concatenate(list(scores)), np.concatenate(list(labels)))


def interval(scores: Scores, labels: Labels, seed: int = 0) -> Interval | None:
    """Return the micro AUC with its interval; None where all labels are the same.

    Resamples of clips that hold no normal, or no abnormal, frame have no AUC and are left out.
    """
    value = micro_auc(scores, labels)
    if value is None:
        return None
    drawn = [figure for (figure,) in _resampled([scores], labels, seed)]
    return Interval(value, *_central(drawn))


def compare(first: Scores, second: Scores, labels: Labels, seed: int = 0) -> Comparison | None:
    """Compare two systems on the same clips by a paired bootstrap over clips."""
    values = micro_auc(first, labels), micro_auc(second, labels)
    if values[0] is None or values[1] is None:
        return None
    value = values[0] - values[1]
    drawn = [a - b for a, b in _resampled([first, second], labels, seed)]
    other = float(np.mean([(d <= 0 if value > 0 else d >= 0) for d in drawn]))
    return Comparison(Interval(value, *_central(drawn)), min(1.0, 2 * other))


def _resampled(systems: Sequence[Scores], labels: Labels, seed: int) -> list[list[float]]:
    clips = len(labels)
    figures = []
    for draw in np.random.default_rng(seed).integers(clips, size=(RESAMPLES, clips)):
        drawn = [micro_auc([s[i] for i in draw], [labels[i] for i in draw]) for s in systems]
        whole = [figure for figure in drawn if figure is not None]
        if len(whole) == len(systems):
            figures.append(whole)
    return figures


def _central(drawn: Sequence[float]) -> tuple[float, float]:
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)
