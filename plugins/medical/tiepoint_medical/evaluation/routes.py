"""The similarity of every query with every candidate, by three routes, without seeing either.

What is fitted never saw a patient that it scores: with folds, queries of one fold and candidates of
another are compared by what was fitted on the remaining folds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiepoint.alignment.pairs import PairSet
from tiepoint.alignment.ridge import RidgeAligner
from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.types import IMAGE, TEXT, Modality
from tiepoint_medical.evaluation.features import Features

IMAGE_IMAGE = "image-image"
IMAGE_TEXT = "image-text"
FINDINGS = "findings"
ROUTES = (IMAGE_IMAGE, IMAGE_TEXT, FINDINGS)

_NEIGHBOURS = 15
_SHARPNESS = 10.0
"""By how much a neighbour's weight falls with its distance, as exp(sharpness x cosine)."""

Rows = NDArray[np.intp]
Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Similarities:
    """What the routes say, for all rows of the features against all others.

    Attributes:
        image_to_case: By route, (n, n): an image as the query, a case with its report and
            image as the candidate. NaN where a route says nothing.
        text_to_case: The same for a report as the query.
        image_to_text: As the first, where a candidate is known by its report alone.
        text_to_image: As the second, where a candidate is known by its image alone.
    """

    image_to_case: Mapping[str, Matrix]
    text_to_case: Mapping[str, Matrix]
    image_to_text: Mapping[str, Matrix]
    text_to_image: Mapping[str, Matrix]


class FittedRoutes:
    """What is learned from a site's own pairs.

    Args:
        encoders: For `image` and `text`.
        features: The cases.
        rows: Those to learn from.
    """

    def __init__(
        self, encoders: Mapping[Modality, Encoder], features: Features, rows: Rows
    ) -> None:
        self._features = features
        texts = [features.cases[row].text for row in rows]
        first = {text: index for index, text in reversed(list(enumerate(texts)))}
        distinct = list(first.values())
        place = {text: index for index, text in enumerate(texts[index] for index in distinct)}
        links = np.array([[index, place[text]] for index, text in enumerate(texts)], np.int64)
        self.aligner = RidgeAligner(encoders, direction="first", regularisation=1.0)
        self.aligner.fit(
            PairSet(
                {IMAGE: features.images[rows], TEXT: features.texts[rows][distinct]}, links
            ),
            None,
        )
        self._mean = {
            IMAGE: features.images[rows].mean(0),
            TEXT: features.texts[rows][distinct].mean(0),
        }
        self._images = _unit(features.images[rows] - self._mean[IMAGE])
        self._texts = _unit(features.texts[rows] - self._mean[TEXT])
        self._findings = features.findings[rows]

    def block(self, queries: Rows, candidates: Rows) -> dict[str, dict[str, Matrix]]:
        """Return what `Similarities` has, for some queries and candidates."""
        q, c = self._seen(queries), self._seen(candidates)
        images = q.image @ c.image.T
        reports = _cosines(q.findings, c.findings)
        by_image = _cosines(q.expected, c.findings)
        return {
            "image_to_case": {
                IMAGE_IMAGE: images,
                IMAGE_TEXT: q.joint_image @ c.joint_text.T,
                FINDINGS: by_image,
            },
            "text_to_case": {
                IMAGE_IMAGE: q.pictured @ c.image.T,
                IMAGE_TEXT: q.joint_text @ c.joint_image.T,
                FINDINGS: reports,
            },
            "image_to_text": {
                IMAGE_IMAGE: q.told @ c.text.T,
                IMAGE_TEXT: q.joint_image @ c.joint_text.T,
                FINDINGS: by_image,
            },
            "text_to_image": {
                IMAGE_IMAGE: q.pictured @ c.image.T,
                IMAGE_TEXT: q.joint_text @ c.joint_image.T,
                FINDINGS: _cosines(q.findings, c.expected),
            },
        }

    def _seen(self, rows: Rows) -> _Seen:
        features = self._features
        image = _unit(features.images[rows] - self._mean[IMAGE])
        text = _unit(features.texts[rows] - self._mean[TEXT])
        by_image = _weights(image @ self._images.T)
        by_text = _weights(text @ self._texts.T)
        return _Seen(
            image=image,
            text=text,
            joint_image=self.aligner.transform(IMAGE, features.images[rows]),
            joint_text=self.aligner.transform(TEXT, features.texts[rows]),
            findings=features.findings[rows],
            expected=_expected(by_image, self._findings),
            told=_unit(by_image @ self._texts),
            pictured=_unit(by_text @ self._images),
        )


@dataclass(frozen=True)
class _Seen:
    """Rows as the fitted routes see them; `expected`, `told` and `pictured` are made of the
    nearest fitted cases: an image's findings, its report, and a report's image.
    """

    image: Matrix
    text: Matrix
    joint_image: Matrix
    joint_text: Matrix
    findings: Matrix
    expected: Matrix
    told: Matrix
    pictured: Matrix


def folds_of(groups: NDArray[np.str_], folds: int, seed: int) -> NDArray[np.intp]:
    """Return each row's fold; a patient's rows are all in one."""
    names = np.unique(groups)
    order = np.random.default_rng(seed).permutation(len(names))
    fold = {name: index % folds for name, index in zip(names, order, strict=True)}
    return np.array([fold[group] for group in groups], np.intp)


def cross_fitted(
    encoders: Mapping[Modality, Encoder],
    features: Features,
    fold: NDArray[np.intp],
    progress: Callable[[int, int], None] | None = None,
) -> Similarities:
    """Compare all cases, each pair by what was fitted on the folds of neither."""
    count = int(fold.max()) + 1
    pairs = [(a, b) for a in range(count) for b in range(a, count)]

    def blocks() -> Iterator[tuple[Rows, Rows, dict[str, dict[str, Matrix]]]]:
        for done, (a, b) in enumerate(pairs):
            if progress is not None:
                progress(done, len(pairs))
            fitted = FittedRoutes(encoders, features, np.flatnonzero((fold != a) & (fold != b)))
            for one, other in {(a, b), (b, a)}:
                queries, candidates = np.flatnonzero(fold == one), np.flatnonzero(fold == other)
                yield queries, candidates, fitted.block(queries, candidates)

    return _assembled(len(fold), blocks())


def held_out(
    encoders: Mapping[Modality, Encoder], features: Features, fitted_on: Rows, scored: Rows
) -> Similarities:
    """Compare the scored cases by what was fitted on the others."""
    fitted = FittedRoutes(encoders, features, fitted_on)
    return _assembled(len(features.cases), iter([(scored, scored, fitted.block(scored, scored))]))


def _assembled(
    count: int, blocks: Iterator[tuple[Rows, Rows, dict[str, dict[str, Matrix]]]]
) -> Similarities:
    whole: dict[str, dict[str, Matrix]] = {}
    for queries, candidates, kinds in blocks:
        for kind, routes in kinds.items():
            for route, values in routes.items():
                matrix = whole.setdefault(kind, {}).setdefault(
                    route, np.full((count, count), np.nan, np.float32)
                )
                matrix[np.ix_(queries, candidates)] = values
    return Similarities(**whole)


def _unit(x: Vectors) -> Matrix:
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9), np.float32)


def _weights(similarities: Matrix) -> Matrix:
    """Return (n, m) weights of the nearest fitted cases, summing to 1."""
    most = min(_NEIGHBOURS, similarities.shape[1])
    limit = np.sort(similarities, axis=1)[:, -most][:, None]
    weights = np.where(similarities >= limit, np.exp(_SHARPNESS * (similarities - limit)), 0)
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float32)


def _expected(weights: Matrix, findings: Matrix) -> Matrix:
    known = np.isfinite(findings).all(1)
    return _unit(weights[:, known] @ findings[known])


def _cosines(first: Matrix, second: Matrix) -> Matrix:
    return np.asarray(first @ second.T, np.float32)
