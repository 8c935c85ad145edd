"""The similarity of every query with every candidate, by four routes.

A case is its image and its report. An image is compared with the case's image as it is, and with
its report by what the reports of the nearest fitted images say; a report the other way round.
Across, both are compared in the joint space, and by the findings that they let expect.

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
TEXT_TEXT = "text-text"
FINDINGS = "findings"
ROUTES = (IMAGE_IMAGE, IMAGE_TEXT, TEXT_TEXT, FINDINGS)
ACROSS = "findings-across"
"""The findings of an image with those of the report alone, and of a report with the image's."""

_OF_IMAGE = 0.5
"""What a case's image says of its findings, of what its report says."""

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
        image: (n, d) unit vectors of look and tones, standardised by the fitted cases.
        text: (n, e) unit vectors of the reports, standardised likewise.
        pictured: (n, d) the mean image of the fitted reports that are nearest to the report.
        told: (n, e) the mean report of the fitted images that are nearest to the image.
        joint_image: (n, j) in the joint space.
        joint_text: (n, j) in the joint space.
        coded_image: (n, c) how much more than usual the image lets expect each code.
        coded_text: (n, c) how much more than usual the report lets expect each code.
    """

    image: Matrix
    text: Matrix
    pictured: Matrix
    told: Matrix
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
        self._images = self._image(rows)
        self._texts = self._standardised(features.texts, rows)
        self.aligner = _aligner(encoders, features, rows)
        labels = [features.cases[row].label for row in rows]
        self._codes = {
            IMAGE: CodePredictor(self._images, labels),
            TEXT: CodePredictor(self._texts, labels),
        }

    def compare(self, queries: Rows, candidates: Rows) -> tuple[Routes, Routes]:
        """Return what `Similarities` has, for some queries and candidates."""
        asked, offered = self._seen(queries), self._seen(candidates)
        findings = self._findings(candidates, offered)
        return (
            {
                IMAGE_IMAGE: asked.image @ offered.image.T,
                IMAGE_TEXT: asked.joint_image @ offered.joint_text.T,
                TEXT_TEXT: asked.told @ offered.text.T,
                FINDINGS: asked.coded_image @ findings.T,
                ACROSS: asked.coded_image @ _damped(offered.coded_text).T,
            },
            {
                IMAGE_IMAGE: asked.pictured @ offered.image.T,
                IMAGE_TEXT: asked.joint_text @ offered.joint_image.T,
                TEXT_TEXT: asked.text @ offered.text.T,
                FINDINGS: asked.coded_text @ findings.T,
                ACROSS: asked.coded_text @ _damped(offered.coded_image).T,
            },
        )

    def _findings(self, candidates: Rows, offered: _Seen) -> Matrix:
        """Return (n, c) the findings of cases: their codes where the archive is known.

        Otherwise what their report and their image let expect, averaged over the patient's cases.
        """
        groups = self._features.groups[candidates]
        expected = _mean_by(groups, offered.coded_text + _OF_IMAGE * offered.coded_image)
        fitted = np.isin(candidates, self._rows)
        labels = [self._features.cases[row].label for row in candidates]
        codes = self._codes[IMAGE].codes_of(
            [label if seen else None for label, seen in zip(labels, fitted, strict=True)]
        )
        known = np.isfinite(codes).all(1)
        findings = np.zeros_like(expected)
        findings[known], findings[~known] = _damped(codes[known]), _damped(expected[~known])
        return findings

    def _image(self, rows: Rows) -> Matrix:
        look = self._standardised(self._features.images, rows)
        return _unit(np.hstack([look, self._standardised(self._features.tones, rows)]))

    def _standardised(self, vectors: Vectors, rows: Rows) -> Matrix:
        fitted = vectors[self._rows]
        return _unit((vectors[rows] - fitted.mean(0)) / (fitted.std(0) + np.float32(1e-6)))

    def _seen(self, rows: Rows) -> _Seen:
        features = self._features
        image, text = self._image(rows), self._standardised(features.texts, rows)
        return _Seen(
            image=image,
            text=text,
            pictured=_unit(_nearest(text @ self._texts.T) @ self._images),
            told=_unit(_nearest(image @ self._images.T) @ self._texts),
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
            {route: np.full((count, count), np.nan, np.float32) for route in (*ROUTES, ACROSS)}
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


def _unit(x: Vectors) -> Matrix:
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9), np.float32)


def _mean_by(groups: NDArray[np.str_], x: Matrix) -> Matrix:
    """Return each row's mean over the rows of its group."""
    _, group, counts = np.unique(groups, return_inverse=True, return_counts=True)
    sums = np.zeros((len(counts), x.shape[1]), np.float32)
    np.add.at(sums, group, x)
    return np.asarray((sums / counts[:, None])[group], np.float32)


def _damped(x: Matrix) -> Matrix:
    """Return rows whose length is the root of what it was, 1 in the mean: sure ones lead, a bit."""
    roots = np.sqrt(np.linalg.norm(x, axis=1, keepdims=True))
    return np.asarray(x / np.maximum(roots * roots.mean(), 1e-9), np.float32) if len(x) else x


def _nearest(similarities: Matrix) -> Matrix:
    """Return (n, m) weights of the nearest fitted cases, summing to 1."""
    most = min(_NEIGHBOURS, similarities.shape[1])
    limit = np.sort(similarities, axis=1)[:, -most][:, None]
    weights = np.where(similarities >= limit, np.exp(_SHARPNESS * (similarities - limit)), 0)
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float32)
