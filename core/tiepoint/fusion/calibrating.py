"""Calibration of a fitted fusion on held-out queries, and how honest it is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import InputError
from tiepoint.evaluation.calibration import TopHits, reliability
from tiepoint.fusion.calibration import MatchProbability
from tiepoint.fusion.evaluating import fused_scores
from tiepoint.fusion.examples import FusionExamples, wanted_items
from tiepoint.fusion.fitted import FittedFusion

SHARES = (1.0, 0.5, 0.25, 0.1)
"""Shares of the gallery that a calibration learns from: several sizes teach their effect."""


def calibrate(fusion: FittedFusion, held_out: FusionExamples, seed: int = 0) -> MatchProbability:
    """Fit what a fused score means, on queries that the fusion was not fitted on.

    Raises:
        InputError: Too few queries, or all answered rightly or wrongly.
    """
    return _fitted(fused_hits(fused_scores(fusion, held_out), held_out, seed))


def cross_validated(
    fusion: FittedFusion, held_out: FusionExamples, seed: int = 0
) -> dict[str, Any]:
    """Return the figures of `Reliability` of calibrations by half of the queries on the other.

    Queries with the same relevant item stay in the same half.

    Raises:
        InputError: As for `calibrate`.
    """
    scores = fused_scores(fusion, held_out)
    wanted = wanted_items(held_out)
    chosen = np.random.default_rng(seed).permutation(int(wanted.max()) + 1) % 2
    stated, correct = [], []
    for half in (0, 1):
        learned, tested = (np.flatnonzero(chosen[wanted] == side) for side in (half, 1 - half))
        calibration = _fitted(fused_hits(scores[learned], held_out.of(learned), seed))
        hits = fused_hits(scores[tested], held_out.of(tested), seed, (1.0,))
        stated.append(calibration(hits.scores, hits.standardised, hits.sizes))
        correct.append(hits.correct)
    return reliability(np.concatenate(stated), np.concatenate(correct)).as_dict()


def fused_hits(
    scores: NDArray[np.float64],
    examples: FusionExamples,
    seed: int,
    shares: tuple[float, ...] = SHARES,
) -> TopHits:
    """Return the best hit of queries against the gallery and random parts of it.

    A part keeps each query's relevant candidates. How far a hit stands above the best other
    candidate is its standing.

    Args:
        scores: (q, c) fused scores, -inf in the padding.
        examples: The queries.
        seed: Of the parts.
        shares: Which parts of the gallery are asked.
    """
    generator = np.random.default_rng(seed)
    found = []
    for share in shares:
        kept = generator.random(int(examples.candidates.max()) + 1) < share
        left = np.where(kept[examples.candidates] | examples.relevant, scores, -np.inf)
        two = np.sort(left, axis=1)[:, -2:]
        top, other = two[:, -1], two[:, 0] if two.shape[1] > 1 else np.full(len(two), -np.inf)
        asked = np.isfinite(top)
        right = examples.relevant[np.arange(len(left)), left.argmax(1)]
        lead = np.where(np.isfinite(other), top - other, 0)
        size = max(1, round(share * examples.gallery))
        found.append((top[asked], lead[asked], np.full(asked.sum(), size), right[asked]))
    return TopHits(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _fitted(hits: TopHits) -> MatchProbability:
    if not len(hits.scores):
        raise InputError("no held-out query has a candidate", hint="Give more queries.")
    return MatchProbability.fit(hits.scores, hits.standardised, hits.sizes, hits.correct)
