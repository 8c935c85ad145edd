"""Ridge regression from one modality's vectors to the other's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from tiepoint.alignment import fitted
from tiepoint.alignment.fitted import FitSettings, FittedAligner, Range, Tensors
from tiepoint.alignment.pairs import PairSet
from tiepoint.encoders.base import Vectors
from tiepoint.types import Modality


class RidgeOptions(fitted.Options):
    """Options of `RidgeAligner`.

    Attributes:
        regularisation: Of the regression, in units of the mean variance of an input dimension
            times the number of pairs.
        direction: Which modality is mapped onto the other: the `first` of the pairs onto the
            `second`, or the reverse.
    """

    regularisation: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    direction: Literal["first", "second"] = "first"


class RidgeAligner(FittedAligner):
    """Maps one modality linearly into the centred space of the other."""

    method = "ridge"
    Options = RidgeOptions
    options: RidgeOptions
    tunable: ClassVar[Mapping[str, Range]] = {
        "regularisation": Range(0.01, 100.0, log=True),
        "direction": Range(choices=("first", "second")),
    }

    def learn(
        self, pairs: PairSet, val: PairSet | None, settings: FitSettings
    ) -> tuple[Tensors, list[Mapping[str, float]]]:
        source, target = pairs.modalities
        x, y = pairs.linked()
        if self.options.direction == "second":
            source, target, x, y = target, source, y, x
        mean_x, mean_y = x.mean(0), y.mean(0)
        x, y = (x - mean_x).astype(np.float64), (y - mean_y).astype(np.float64)
        gram = x.T @ x
        gram[np.diag_indices_from(gram)] += self.options.regularisation * np.trace(gram) / len(gram)
        weight = np.linalg.solve(gram, x.T @ y).astype(np.float32)
        return {
            f"mean.{source}": mean_x,
            f"mean.{target}": mean_y,
            f"weight.{source}": weight,
        }, []

    def project(self, modality: Modality, x: Vectors) -> Vectors:
        centred = x - self.tensors[f"mean.{modality}"]
        weight = self.tensors.get(f"weight.{modality}")
        return centred if weight is None else centred @ weight
