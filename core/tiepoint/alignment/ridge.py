"""Ridge regression from one modality's vectors to the other's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from tiepoint.alignment.fitted import FittedAligner, Tensors
from tiepoint.alignment.fitting import FitSettings
from tiepoint.alignment.moments import moments, ridged
from tiepoint.alignment.options import Options, Range
from tiepoint.alignment.pairs import PairSet
from tiepoint.encoders.base import Vectors
from tiepoint.types import Modality


class RidgeOptions(Options):
    """Options of `RidgeAligner`.

    Attributes:
        regularisation: In units of the mean variance of an input dimension.
        direction: Which modality of the pairs is mapped onto the other one.
    """

    regularisation: float = Field(default=0.05, gt=0, allow_inf_nan=False)
    direction: Literal["first", "second"] = "second"


class RidgeAligner(FittedAligner):
    """Maps one modality linearly into the centred space of the other."""

    method = "ridge"
    Options = RidgeOptions
    options: RidgeOptions
    tunable: ClassVar[Mapping[str, Range]] = {
        "regularisation": Range(0.01, 10.0, log=True),
        "direction": Range(choices=("first", "second")),
    }

    def learn(
        self, pairs: PairSet, val: PairSet | None, settings: FitSettings
    ) -> tuple[Tensors, list[Mapping[str, float]]]:
        from scipy.linalg import solve

        first, second = pairs.modalities
        m = moments(pairs)
        forward = self.options.direction == "first"
        source, own, cross = (first, m.xx, m.xy) if forward else (second, m.yy, m.xy.T)
        weight = solve(ridged(own, self.options.regularisation), cross, assume_a="pos")
        return {
            f"mean.{first}": m.mean_x,
            f"mean.{second}": m.mean_y,
            f"weight.{source}": weight.astype("float32"),
        }, []

    def project(self, modality: Modality, x: Vectors) -> Vectors:
        centred = x - self.tensors[f"mean.{modality}"]
        weight = self.tensors.get(f"weight.{modality}")
        return centred if weight is None else centred @ weight
