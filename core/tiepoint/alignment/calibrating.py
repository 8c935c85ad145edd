"""Calibration of an aligner on held-out pairs, for both directions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.alignment.base import Aligner
from tiepoint.alignment.fitted import FittedAligner
from tiepoint.alignment.fitting import FitSettings
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
    found = asked(aligner, pairs, GALLERIES, seed)
    return {route: _fitted([hits]) for route, hits in found.items()}


def calibrate_out_of_fold(
    make: Callable[[], FittedAligner], pairs: PairSet, folds: int = 3, seed: int = 0
) -> dict[str, MatchProbability]:
    """Fit a calibration for each direction on the very pairs that an aligner learns from.

    A fold is answered by an aligner that was fitted on the others, since an aligner knows its
    own pairs too well. Galleries hold texts of one language; where there are several, texts of
    each have calibrations of their own, such as `text[en]->image` and `image->text[en]`, beside
    those of all.

    Args:
        make: Returns an aligner that was not fitted, the same each time.
        pairs: The pairs.
        folds: How many.
        seed: Of the folds, the fits and the galleries.

    Raises:
        InputError: As for `calibrate`.
    """
    first, second = pairs.modalities
    rows = np.random.default_rng(seed).permutation(len(pairs.vectors[first]))
    hits: dict[str, list[TopHits]] = {}
    for fold in np.array_split(rows, folds):
        aligner = make()
        aligner.fit(pairs.of_first(np.setdiff1d(rows, fold)), settings=FitSettings(seed))
        held_out = pairs.of_first(fold)
        for language in sorted(set(held_out.languages)) or [""]:
            part = held_out.of_language(language) if language else held_out
            found = asked(aligner, part, GALLERIES, seed)
            for route, some in found.items():
                hits.setdefault(route, []).append(some)
            if len(set(held_out.languages)) > 1:
                texts = f"{second}[{language}]"
                hits.setdefault(f"{texts}->{first}", []).append(found[f"{second}->{first}"])
                hits.setdefault(f"{first}->{texts}", []).append(found[f"{first}->{second}"])
    return {route: _fitted(found) for route, found in hits.items()}


def _fitted(hits: Sequence[TopHits]) -> MatchProbability:
    scores, standardised, sizes, correct = (
        np.concatenate([getattr(one, name) for one in hits])
        for name in ("scores", "standardised", "sizes", "correct")
    )
    return MatchProbability.fit(scores, standardised, sizes, correct)


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


def reliabilities(aligner: Aligner, pairs: PairSet, size: int, seed: int = 0) -> dict[str, Any]:
    """Return how reliable the aligner's own calibrations are in galleries of one size.

    By route: the figures of `Reliability`. Texts are those of one language.

    Args:
        aligner: A calibrated aligner.
        pairs: Pairs that neither it nor its calibration was fitted on.
        size: Of the galleries; the whole where it is at least that.
        seed: Of the galleries.

    Raises:
        InputError: A row has no partner.
    """
    figures = {}
    for route, hits in asked(aligner, pairs, (size,), seed).items():
        query, _, gallery = route.partition("->")
        language = pairs.languages[0] if pairs.languages else ""
        calibration = aligner.match_probability(query, gallery, language)
        if calibration is not None:
            stated = calibration(hits.scores, hits.standardised, hits.sizes)
            figures[route] = reliability(stated, hits.correct).as_dict()
    return figures


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
