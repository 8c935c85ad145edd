"""The protocol: whose images and reports are asked, what may answer, and the figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Encoder
from tiepoint.errors import InputError
from tiepoint.types import Modality
from tiepoint_medical.evaluation.cases import Case, check_apart
from tiepoint_medical.evaluation.features import Features
from tiepoint_medical.evaluation.retrieval import Candidate, Query, Ranking, precision, rank
from tiepoint_medical.evaluation.routes import (
    ACROSS,
    FINDINGS,
    IMAGE_IMAGE,
    IMAGE_TEXT,
    ROUTES,
    TEXT_TEXT,
    Similarities,
    cross_fitted,
    cross_fitted_both,
    folds_of,
    held_out,
)

IMAGE_TO_TEXT = "image-text"
TEXT_TO_IMAGE = "text-image"
WEIGHTS: Mapping[str, Mapping[str, float]] = {
    IMAGE_TO_TEXT: {IMAGE_IMAGE: 0.5, IMAGE_TEXT: 0.1, TEXT_TEXT: 0.5, FINDINGS: 1.0},
    TEXT_TO_IMAGE: {IMAGE_IMAGE: 0.1, IMAGE_TEXT: 0.1, TEXT_TEXT: 1.0, FINDINGS: 1.0},
}
"""From the middle of what did well on four splits of 182 patients that no figure is of.

Half or twice as much of a route changes little.
"""

_ACROSS: Mapping[str, Mapping[str, float]] = {
    IMAGE_TO_TEXT: {IMAGE_TEXT: 0.1, TEXT_TEXT: 0.5, ACROSS: 1.0},
    TEXT_TO_IMAGE: {IMAGE_IMAGE: 0.1, IMAGE_TEXT: 0.1, ACROSS: 1.0},
}
"""The routes from an image to reports without their images, and from a report to mere images."""

_FEWEST_PATIENTS = 10


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found.

    Attributes:
        rankings: By direction, of the fused routes.
        figures: Plain data, as `--json` has it.
    """

    rankings: Mapping[str, Ranking]
    figures: dict[str, Any]


def evaluate_folds(
    encoders: Mapping[Modality, Encoder],
    features: Features,
    folds: int,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Evaluate on all cases, fitted on the folds that do not hold the query's patient.

    The stricter figures, `archive_unseen`, are fitted on the folds of neither query nor candidate.

    Raises:
        InputError: There are fewer patients than folds need, or fewer than two labels.
    """
    patients = len(np.unique(features.groups))
    if folds < 3 or patients < max(_FEWEST_PATIENTS, 2 * folds):
        raise InputError(
            f"{patients} patients are too few for {folds} folds, or the folds fewer than 3",
            hint="Give more cases, or --fit-metadata.",
        )
    fold = folds_of(features.groups, folds, seed)
    rows = np.arange(len(features.cases))
    known = cross_fitted(encoders, features, fold, progress)
    strict = cross_fitted_both(encoders, features, fold, progress)
    extra = {"folds": folds, "seed": seed}
    found = _evaluation(features.cases, rows, known, extra)
    stricter = _evaluation(features.cases, rows, strict, extra)
    for direction in (IMAGE_TO_TEXT, TEXT_TO_IMAGE):
        found.figures[direction]["archive_unseen"] = stricter.figures[direction]
        del found.figures[direction]["across"]  # what was fitted on an image knows its code
    return found


def evaluate_held_out(
    encoders: Mapping[Modality, Encoder], features: Features, fitted_on: NDArray[np.intp]
) -> Evaluation:
    """Evaluate on the cases that were not fitted on.

    Args:
        encoders: For `image` and `text`.
        features: Both parts.
        fitted_on: The rows to fit on; a patient of theirs must not be among the others.

    Raises:
        InputError: A patient is in both parts, or there are fewer than two labels.
    """
    scored = np.setdiff1d(np.arange(len(features.cases)), fitted_on)
    cases = features.cases
    check_apart([cases[row] for row in fitted_on], [cases[row] for row in scored])
    similarities = held_out(encoders, features, fitted_on, scored)
    extra = {"fitted_on": len(fitted_on)}
    return _evaluation(features.cases, scored, similarities, extra)


def _evaluation(
    cases: Sequence[Case],
    scored: NDArray[np.intp],
    similarities: Similarities,
    extra: Mapping[str, Any],
) -> Evaluation:
    labelled = [int(row) for row in scored if cases[row].label is not None]
    if len({cases[row].label for row in labelled}) < 2:
        raise InputError(
            "fewer than two labels are left without the placeholders",
            hint="Check --label-column.",
        )
    images = [_candidate(cases, [row]) for row in labelled]
    by_text: dict[str, list[int]] = {}
    for row in labelled:
        by_text.setdefault(cases[row].text, []).append(row)
    texts = [_candidate(cases, rows) for rows in by_text.values()]
    rankings, figures = {}, {}
    for direction, asked, offered, routes in (
        (IMAGE_TO_TEXT, images, texts, similarities.by_image),
        (TEXT_TO_IMAGE, texts, images, similarities.by_text),
    ):
        queries = [Query(c.name, c.label, c.groups, c.rows[0]) for c in asked]
        rankings[direction] = rank(queries, offered, routes, WEIGHTS[direction])
        figures[direction] = _figures(queries, offered, rankings[direction], routes)
        across = rank(queries, offered, routes, _ACROSS[direction])
        figures[direction]["across"] = precision(across).value
    return Evaluation(
        rankings,
        {
            **figures,
            "n_images": len(images),
            "n_texts": len(texts),
            "n_patients": len({cases[row].group for row in labelled}),
            "n_labels": len({cases[row].label for row in labelled}),
            **extra,
        },
    )


def _candidate(cases: Sequence[Case], rows: Sequence[int]) -> Candidate:
    first = cases[rows[0]]
    return Candidate(
        first.image,
        first.label or "",
        frozenset(cases[row].group for row in rows),
        tuple(rows),
    )


def _figures(
    queries: Sequence[Query],
    offered: Sequence[Candidate],
    ranking: Ranking,
    routes: Mapping[str, NDArray[np.float32]],
) -> dict[str, Any]:
    fused = precision(ranking)
    figure = asdict(fused)
    by_label = figure.pop("by_label")
    return {
        "P@5": figure.pop("value"),
        "P@5_interval": [figure.pop("low"), figure.pop("high")],
        **figure,
        "times_chance": fused.value / fused.chance if fused.chance else None,
        "routes": {
            route: precision(rank(queries, offered, routes, {route: 1.0})).value for route in ROUTES
        },
        "by_label": by_label,
    }
