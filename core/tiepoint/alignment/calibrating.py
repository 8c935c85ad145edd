"""Calibration of an aligner on held-out pairs, for both directions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.alignment.base import Aligner
from tiepoint.alignment.pairs import PairSet
from tiepoint.errors import InputError
from tiepoint.evaluation.calibration import TopHits, reliability, top_hits
from tiepoint.fusion.calibration import MatchProbability

GALLERIES = (50, 100, 200, 500, 1000, 2000, 5000)
"""Sizes of the galleries that a calibration learns from, as far as the pairs suffice."""


def calibrate(aligner: Aligner, pairs: PairSet, seed: int = 0) -> dict[str, MatchProbability]:
    """Fit a calibration for each direction, by the name of its route.

    Args:
        aligner: The aligner.
        pairs: Pairs that it was not fitted on.
        seed: Of the galleries.

    Raises:
        InputError: Too few pairs, or all answered rightly or wrongly.
    """
    return {
        route: MatchProbability.fit(hits.scores, hits.standardised, hits.sizes, hits.correct)
        for route, hits in asked(aligner, pairs, GALLERIES, seed).items()
    }


def cross_validated(aligner: Aligner, pairs: PairSet, seed: int = 0) -> dict[str, Any]:
    """Return the reliability of calibrations by half of the pairs on the other half.

    By route: the figures of `Reliability`, both halves pooled.

    Raises:
        InputError: As for `calibrate`.
    """
    rows = np.random.default_rng(seed).permutation(len(pairs.vectors[pairs.modalities[0]]))
    halves = [pairs.of_first(half) for half in np.array_split(rows, 2)]
    stated: dict[str, list[NDArray[np.float64]]] = {}
    correct: dict[str, list[NDArray[np.bool_]]] = {}
    for fitted_on, tested_on in (halves, halves[::-1]):
        calibrations = calibrate(aligner, fitted_on, seed)
        for route, hits in asked(aligner, tested_on, GALLERIES, seed + 1).items():
            whole = hits.sizes == hits.sizes.max()
            probabilities = calibrations[route](hits.scores, hits.standardised, hits.sizes)
            stated.setdefault(route, []).append(probabilities[whole])
            correct.setdefault(route, []).append(hits.correct[whole])
    return {
        route: reliability(np.concatenate(stated[route]), np.concatenate(correct[route])).as_dict()
        for route in stated
    }


def asked(
    aligner: Aligner, pairs: PairSet, sizes: tuple[int, ...], seed: int
) -> dict[str, TopHits]:
    """Return the top hits of both directions by route, in galleries of these sizes.

    Raises:
        InputError: A row has no partner.
    """
    first, second = pairs.modalities
    joint = {m: aligner.transform(m, x) for m, x in pairs.vectors.items()}
    if len(np.unique(pairs.links[:, 0])) < len(joint[first]):
        raise InputError("a calibration needs pairs without unpaired rows")
    return {
        f"{second}->{first}": top_hits(
            joint[second], joint[first], pairs.links[:, ::-1], sizes, seed
        ),
        f"{first}->{second}": top_hits(joint[first], joint[second], pairs.links, sizes, seed),
    }
