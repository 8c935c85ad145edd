"""Semi-supervised alignment: few pairs, and many images and texts without a partner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tiepoint.alignment.cca import canonical_directions
from tiepoint.alignment.checks import unit_rows
from tiepoint.alignment.fitted import FittedAligner, Tensors
from tiepoint.alignment.fitting import FitSettings
from tiepoint.alignment.moments import moments
from tiepoint.alignment.options import Options, Range
from tiepoint.alignment.pairs import PairSet, Rows
from tiepoint.encoders.base import Vectors
from tiepoint.errors import InputError
from tiepoint.evaluation.retrieval import evaluate
from tiepoint.types import Modality

_ROWS_AT_ONCE = 512


class SemiSupervisedOptions(Options):
    """Options of `SemiSupervisedAligner`.

    Attributes:
        rounds: How often pseudo-pairs are sought.
        share: Of the unpaired rows of the second modality that the gate lets through, more in
            every round: so much in the first, twice as much in the second.
        partners: Most pseudo-pairs of one row of the first modality in a round.
        pair_weight: Of all true pairs together, in units of that of all pseudo-pairs.
        beta: Inverse temperature of the softmax that makes similarities comparable between
            rows.
        pool: Most unpaired rows of each modality in a round; others come in other rounds.
        first_regularisation: Of the canonical correlation analysis on the true pairs alone.
        regularisation: Of those with pseudo-pairs.
        dimensions: Most canonical directions that are kept.
        power: Directions weigh by their correlation to this power.
    """

    rounds: int = Field(default=6, ge=1, le=50)
    share: float = Field(default=0.15, gt=0, le=1)
    partners: int = Field(default=5, ge=1)
    pair_weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    beta: float = Field(default=10.0, gt=0, allow_inf_nan=False)
    pool: int = Field(default=14_000, ge=2)
    first_regularisation: float = Field(default=8.0, gt=0, allow_inf_nan=False)
    regularisation: float = Field(default=2.5, gt=0, allow_inf_nan=False)
    dimensions: int = Field(default=200, ge=1, le=32_000)
    power: float = Field(default=1.0, ge=0, allow_inf_nan=False)


class SemiSupervisedAligner(FittedAligner):
    """CCA on pairs, and in rounds on pseudo-pairs that it finds among unpaired rows.

    A pseudo-pair is a row of the second modality with its nearest row of the first, if it is
    also among that one's nearest and its similarity, corrected for hubs on both sides, passes a
    gate that opens round by round. Most pseudo-pairs are not the true ones, but they are near
    to them: what they have in common is what the correlations pick up.

    Rows of the pairs without a link are the unpaired data.
    """

    method = "semi-supervised"
    Options = SemiSupervisedOptions
    options: SemiSupervisedOptions
    learns_from_unpaired = True
    tunable: ClassVar[Mapping[str, Range]] = {
        "rounds": Range(choices=(2, 4, 6)),
        "share": Range(0.03, 0.3, log=True),
        "pair_weight": Range(0.2, 5.0, log=True),
        "first_regularisation": Range(0.3, 30.0, log=True),
        "regularisation": Range(0.1, 10.0, log=True),
    }

    def learn(
        self, pairs: PairSet, val: PairSet | None, settings: FitSettings
    ) -> tuple[Tensors, list[Mapping[str, float]]]:
        images, texts = pairs.unlinked()
        if not len(images) or not len(texts):
            raise InputError(
                f"there are {len(images)} unpaired {pairs.modalities[0]}s and {len(texts)}"
                f" unpaired {pairs.modalities[1]}s to learn from",
                hint="Add lines without a text and lines without an image, or choose cca.",
            )
        generator = np.random.default_rng(settings.seed)
        history: list[Mapping[str, float]] = []
        self.tensors = self._correlated(pairs, None, self.options.first_regularisation)
        for done in range(1, self.options.rounds + 1):
            first, second = (
                generator.permutation(rows)[: self.options.pool] for rows in (images, texts)
            )
            found = self._pseudo_pairs(pairs, first, second, done * self.options.share)
            weights = np.ones(len(pairs.links) + len(found), np.float32)
            weights[: len(pairs.links)] = self.options.pair_weight * len(found) / len(pairs.links)
            widened = PairSet(pairs.vectors, np.concatenate([pairs.links, found]))
            self.tensors = self._correlated(widened, weights, self.options.regularisation)
            figures = {"pseudo_pairs": float(len(found))}
            if val is not None:
                joint = [unit_rows(self.project(m, x)) for m, x in val.vectors.items()]
                figures["val/rsum"] = evaluate(joint[0], joint[1], val.links).rsum
            history.append(figures)
            settings.tell(done, self.options.rounds, **figures)
        return self.tensors, history

    def project(self, modality: Modality, x: Vectors) -> Vectors:
        weight = self.tensors[f"weight.{modality}"]
        return np.asarray((x - self.tensors[f"mean.{modality}"]) @ weight, np.float32)

    def _correlated(
        self, pairs: PairSet, weights: Vectors | None, regularisation: float
    ) -> Tensors:
        first, second = pairs.modalities
        m = moments(pairs, weights)
        weight_x, weight_y = canonical_directions(
            m, (regularisation, regularisation), self.options.dimensions, self.options.power
        )
        return {
            f"mean.{first}": m.mean_x,
            f"mean.{second}": m.mean_y,
            f"weight.{first}": weight_x,
            f"weight.{second}": weight_y,
        }

    def _pseudo_pairs(self, pairs: PairSet, first: Rows, second: Rows, share: float) -> Rows:
        """Return (n, 2) rows of both modalities: mutual neighbours, the surest ones."""
        x, y = (
            unit_rows(self.project(m, pairs.vectors[m][rows]))
            for m, rows in zip(pairs.modalities, (first, second), strict=True)
        )
        hubs_x, hubs_y = _hubs(x, y, self.options.beta)
        nearest, scores = _nearest(y, x, hubs_x)
        surest = np.argsort(hubs_y - scores, kind="stable")
        # Of the rows that chose a partner, those stay that are among its own nearest.
        partner = nearest[surest]
        by_partner = np.argsort(partner, kind="stable")
        starts = np.searchsorted(partner[by_partner], partner[by_partner])
        place = np.empty(len(partner), np.int64)
        place[by_partner] = np.arange(len(partner)) - starts
        kept = surest[place < self.options.partners][: max(1, round(share * len(second)))]
        return np.stack([first[nearest[kept]], second[kept]], 1).astype(np.int64)


def _hubs(x: Vectors, y: Vectors, beta: float) -> tuple[Vectors, Vectors]:
    """Log-mean-exp of each row's similarities to all rows of the other side, over beta."""
    of_x = np.empty(len(x), np.float32)
    of_y = np.zeros(len(y), np.float64)
    for start in range(0, len(x), _ROWS_AT_ONCE):
        weights = np.exp(beta * (x[start : start + _ROWS_AT_ONCE] @ y.T))
        of_x[start : start + len(weights)] = np.log(weights.mean(1)) / beta
        of_y += weights.sum(0)
    return of_x, np.asarray(np.log(of_y / len(x)) / beta, np.float32)


def _nearest(
    queries: Vectors, gallery: Vectors, hubs: Vectors
) -> tuple[NDArray[np.int64], Vectors]:
    """Each query's nearest row of a gallery less its hub scores, and that similarity."""
    rows = np.empty(len(queries), np.int64)
    scores = np.empty(len(queries), np.float32)
    for start in range(0, len(queries), _ROWS_AT_ONCE):
        similar = queries[start : start + _ROWS_AT_ONCE] @ gallery.T - hubs
        best = similar.argmax(1)
        rows[start : start + len(best)] = best
        scores[start : start + len(best)] = similar[np.arange(len(best)), best]
    return rows, scores
