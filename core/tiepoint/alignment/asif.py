"""ASIF: a joint space without training, of similarities to known pairs (2210.01738)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from tiepoint.alignment.checks import unit_rows
from tiepoint.alignment.fitted import FittedAligner, Tensors
from tiepoint.alignment.fitting import FitSettings
from tiepoint.alignment.options import Options, Range
from tiepoint.alignment.pairs import PairSet
from tiepoint.encoders.base import Vectors
from tiepoint.types import Modality


class AsifOptions(Options):
    """Options of `AsifAligner`.

    Attributes:
        anchors: Most pairs that are kept; this is the length of the joint vectors.
        neighbours: Of the anchors, that a vector is described by; the others are zero.
        power: Similarities are raised to it.
    """

    anchors: int = Field(default=4096, ge=2, le=32_000)
    neighbours: int = Field(default=400, ge=1)
    power: float = Field(default=3.0, gt=0, allow_inf_nan=False)


class AsifAligner(FittedAligner):
    """Describes a vector by its similarities to the anchors of its own modality.

    The anchors of both modalities are pairs, so that descriptions compare across them. An
    anchor is a row of the first modality with the mean of its partners. Nothing is trained:
    a pair is added or withdrawn by its anchor alone.
    """

    method = "asif"
    Options = AsifOptions
    options: AsifOptions
    tunable: ClassVar[Mapping[str, Range]] = {
        "neighbours": Range(choices=(50, 100, 200, 400, 800)),
        "power": Range(1.0, 12.0),
    }

    def learn(
        self, pairs: PairSet, val: PairSet | None, settings: FitSettings
    ) -> tuple[Tensors, list[Mapping[str, float]]]:
        first, second = pairs.modalities
        rows = np.unique(pairs.links[:, 0])
        if len(rows) > self.options.anchors:
            chosen = np.random.default_rng(settings.seed).permutation(len(rows))
            rows = np.sort(rows[chosen[: self.options.anchors]])
        kept = pairs.of_first(rows)
        x, y = kept.vectors.values()
        mean_x, mean_y = x.mean(0), y.mean(0)
        partners = np.zeros((len(x), y.shape[1]), np.float32)
        np.add.at(partners, kept.links[:, 0], (y - mean_y)[kept.links[:, 1]])
        return {
            f"mean.{first}": mean_x,
            f"mean.{second}": mean_y,
            f"anchors.{first}": unit_rows(x - mean_x).astype(np.float16),
            f"anchors.{second}": unit_rows(partners).astype(np.float16),
        }, []

    def prepare(self) -> None:
        self._anchors = {
            name.removeprefix("anchors."): np.ascontiguousarray(tensor.T, np.float32)
            for name, tensor in self.tensors.items()
            if name.startswith("anchors.")
        }

    def project(self, modality: Modality, x: Vectors) -> Vectors:
        centred = unit_rows(x - self.tensors[f"mean.{modality}"])
        similar = np.maximum(centred @ self._anchors[modality], 0)
        k = min(self.options.neighbours, similar.shape[1])
        threshold = np.partition(similar, -k, axis=1)[:, -k, None]
        similar[similar < threshold] = 0
        return np.asarray(similar**self.options.power, np.float32)
