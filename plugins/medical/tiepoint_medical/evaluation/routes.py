"""The similarity of every query with every candidate, by three routes.

What is fitted never saw the query's patient. The archive that is searched is another matter: it is
known, with its images, reports and codes, as a hospital knows its own; and the stricter figure,
where what is fitted saw the candidate's patient as little, is computed beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiepoint.alignment.pairs import PairSet
from tiepoint.alignment.ridge import RidgeAligner
from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.types import IMAGE, TEXT, Modality
from tiepoint_medical.evaluation.codes import CodePredictor
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
Routes = dict[str, Matrix]


@dataclass(frozen=True)
class Similarities:
    """What the routes say, for all rows of the features against all others; (n, n) each.

    Attributes:
        by_image: The query is an image, the candidate a case with its report.
        by_text: The query is a report, the candidate a case with its image.
    """

    by_image: Mapping[str, Matrix]
    by_text: Mapping[str, Matrix]


@dataclass(frozen=True)
class _Seen:
    """Rows as the fitted routes see them.

    Attributes:
        image: (n, d) unit vectors, standardised by the fitted cases.
        pictured: (n, d) the mean image of the fitted reports that are nearest to the report.
        joint_image: (n, j) in the joint space.
        joint_text: (n, j) in the joint space.
        coded_image: (n, c) the codes that the image is expected to have.
        coded_text: (n, c) the codes that the report is expected to have.
    """

    image: Matrix
    pictured: Matrix
    joint_image: Matrix
    joint_text: Matrix
    coded_image: Matrix
    coded_text: Matrix


class FittedRoutes:
    """What is learned from a site's own pairs and codes.

    Args:
        encoders: For `image` and `text`.
        features: The cases.
        rows: Those to learn from.
    """

    def __init__(
        self, encoders: Mapping[Modality, Encoder], features: Features, rows: Rows
    ) -> None:
        self._features, self._rows = features, rows
        self._scale = {
            IMAGE: _moments(features.images[rows]),
            TEXT: _moments(features.texts[rows]),
        }
        self._images = self._standardised(IMAGE, rows)
        self._texts = self._standardised(TEXT, rows)
        self.aligner = _aligner(encoders, features, rows)
        labels = [features.cases[row].label for row in rows]
        self._codes = {
            IMAGE: CodePredictor(self._images, labels),
            TEXT: CodePredictor(self._texts, labels),
        }

    def compare(self, queries: Rows, candidates: Rows) -> tuple[Routes, Routes]:
        """Return what `Similarities` has, for some queries and candidates."""
        asked, offered = self._seen(queries), self._seen(candidates)
        # The findings of a case are its code where the archive is known, else its report's.
        findings = _first(self._known(candidates), offered.coded_text)
        return (
            {
                IMAGE_IMAGE: asked.image @ offered.image.T,
                IMAGE_TEXT: asked.joint_image @ offered.joint_text.T,
                FINDINGS: asked.coded_image @ findings.T,
            },
            {
                IMAGE_IMAGE: asked.pictured @ offered.image.T,
                IMAGE_TEXT: asked.joint_text @ offered.joint_image.T,
                FINDINGS: asked.coded_text @ findings.T,
            },
        )

    def _known(self, candidates: Rows) -> Matrix:
        """Return the codes of the fitted cases among the candidates, NaN for the others."""
        fitted = np.isin(candidates, self._rows)
        labels = [self._features.cases[row].label for row in candidates]
        return self._codes[IMAGE].codes_of(
            [label if seen else None for label, seen in zip(labels, fitted, strict=True)]
        )

    def _standardised(self, modality: Modality, rows: Rows) -> Matrix:
        vectors = self._features.images if modality == IMAGE else self._features.texts
        mean, deviation = self._scale[modality]
        return _unit((vectors[rows] - mean) / deviation)

    def _seen(self, rows: Rows) -> _Seen:
        image, text = self._standardised(IMAGE, rows), self._standardised(TEXT, rows)
        features = self._features
        return _Seen(
            image=image,
            pictured=_unit(_nearest(text @ self._texts.T) @ self._images),
            joint_image=self.aligner.transform(IMAGE, features.images[rows]),
            joint_text=self.aligner.transform(TEXT, features.texts[rows]),
            coded_image=self._codes[IMAGE].predict(image),
            coded_text=self._codes[TEXT].predict(text),
        )


def folds_of(groups: NDArray[np.str_], folds: int, seed: int) -> Rows:
    """Return each row's fold; a patient's rows are all in one."""
    names = np.unique(groups)
    order = np.random.default_rng(seed).permutation(len(names))
    fold = {name: index % folds for name, index in zip(names, order, strict=True)}
    return np.array([fold[group] for group in groups], np.intp)


def cross_fitted(
    encoders: Mapping[Modality, Encoder],
    features: Features,
    fold: Rows,
    progress: Callable[[int, int], None] | None = None,
) -> Similarities:
    """Compare all cases: queries of one fold by what was fitted on all other folds."""
    everything = np.arange(len(fold))
    whole = _Whole(len(fold))
    count = int(fold.max()) + 1
    for one in range(count):
        if progress is not None:
            progress(one, count)
        fitted = FittedRoutes(encoders, features, np.flatnonzero(fold != one))
        queries = np.flatnonzero(fold == one)
        whole.take(queries, everything, fitted.compare(queries, everything))
    return whole.similarities()


def cross_fitted_both(
    encoders: Mapping[Modality, Encoder],
    features: Features,
    fold: Rows,
    progress: Callable[[int, int], None] | None = None,
) -> Similarities:
    """Compare all cases, each pair by what was fitted on the folds of neither."""
    whole = _Whole(len(fold))
    count = int(fold.max()) + 1
    pairs = [(a, b) for a in range(count) for b in range(a, count)]
    for done, (a, b) in enumerate(pairs):
        if progress is not None:
            progress(done, len(pairs))
        fitted = FittedRoutes(encoders, features, np.flatnonzero((fold != a) & (fold != b)))
        for one, other in {(a, b), (b, a)}:
            queries, candidates = np.flatnonzero(fold == one), np.flatnonzero(fold == other)
            whole.take(queries, candidates, fitted.compare(queries, candidates))
    return whole.similarities()


def held_out(
    encoders: Mapping[Modality, Encoder], features: Features, fitted_on: Rows, scored: Rows
) -> Similarities:
    """Compare the scored cases by what was fitted on the others."""
    whole = _Whole(len(features.cases))
    fitted = FittedRoutes(encoders, features, fitted_on)
    whole.take(scored, scored, fitted.compare(scored, scored))
    return whole.similarities()


class _Whole:
    """Matrices that are filled block by block."""

    def __init__(self, count: int) -> None:
        self._made = tuple(
            {route: np.full((count, count), np.nan, np.float32) for route in ROUTES}
            for _ in range(2)
        )

    def take(self, queries: Rows, candidates: Rows, blocks: tuple[Routes, Routes]) -> None:
        for made, block in zip(self._made, blocks, strict=True):
            for route, values in block.items():
                made[route][np.ix_(queries, candidates)] = values

    def similarities(self) -> Similarities:
        return Similarities(*self._made)


def _aligner(encoders: Mapping[Modality, Encoder], features: Features, rows: Rows) -> RidgeAligner:
    """Fit the joint space; equal reports are one text with several images."""
    place: dict[str, int] = {}
    firsts: list[int] = []
    links = []
    for index, row in enumerate(rows):
        text = features.cases[row].text
        if text not in place:
            place[text] = len(firsts)
            firsts.append(int(row))
        links.append((index, place[text]))
    aligner = RidgeAligner(
        encoders, direction="second", regularisation=1.0, inputs={"standardise": True}
    )
    pairs = {IMAGE: features.images[rows], TEXT: features.texts[firsts]}
    aligner.fit(PairSet(pairs, np.array(links, np.int64)), None)
    return aligner


def _moments(x: Vectors) -> tuple[Matrix, Matrix]:
    return x.mean(0), x.std(0) + np.float32(1e-6)


def _unit(x: Vectors) -> Matrix:
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9), np.float32)


def _first(known: Matrix, otherwise: Matrix) -> Matrix:
    return np.where(np.isfinite(known), known, otherwise)


def _nearest(similarities: Matrix) -> Matrix:
    """Return (n, m) weights of the nearest fitted cases, summing to 1."""
    most = min(_NEIGHBOURS, similarities.shape[1])
    limit = np.sort(similarities, axis=1)[:, -most][:, None]
    weights = np.where(similarities >= limit, np.exp(_SHARPNESS * (similarities - limit)), 0)
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float32)
