"""Regularised canonical correlation analysis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from tiepoint.alignment.fitted import FittedAligner, Tensors
from tiepoint.alignment.fitting import FitSettings
from tiepoint.alignment.moments import Moments, inverse_root, moments, ridged
from tiepoint.alignment.options import Options, Range
from tiepoint.alignment.pairs import PairSet
from tiepoint.encoders.base import Vectors
from tiepoint.types import Modality


class CcaOptions(Options):
    """Options of `CcaAligner`.

    Attributes:
        regularisation_first: Of the first modality, in units of the mean variance of one of
            its dimensions.
        regularisation_second: Of the second modality, likewise.
        dimensions: Most canonical directions that are kept, the most correlated first.
        power: Directions weigh by their correlation to this power; 0 weighs all alike.
    """

    regularisation_first: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    regularisation_second: float = Field(default=0.5, gt=0, allow_inf_nan=False)
    dimensions: int = Field(default=384, ge=1, le=32_000)
    power: float = Field(default=0.5, ge=0, allow_inf_nan=False)


class CcaAligner(FittedAligner):
    """Whitens both modalities and keeps the directions in which pairs agree most.

    Regularised CCA (Vinod, 1976), with directions weighed by a power of their correlation as
    Gong et al. (1212.4522) do for retrieval.
    """

    method = "cca"
    Options = CcaOptions
    options: CcaOptions
    tunable: ClassVar[Mapping[str, Range]] = {
        "regularisation_first": Range(0.01, 10.0, log=True),
        "regularisation_second": Range(0.01, 10.0, log=True),
        "power": Range(0.0, 4.0),
    }

    def learn(
        self, pairs: PairSet, val: PairSet | None, settings: FitSettings
    ) -> tuple[Tensors, list[Mapping[str, float]]]:
        first, second = pairs.modalities
        m = moments(pairs)
        weight_x, weight_y = canonical_directions(
            m,
            (self.options.regularisation_first, self.options.regularisation_second),
            self.options.dimensions,
            self.options.power,
        )
        return {
            f"mean.{first}": m.mean_x,
            f"mean.{second}": m.mean_y,
            f"weight.{first}": weight_x,
            f"weight.{second}": weight_y,
        }, []

    def project(self, modality: Modality, x: Vectors) -> Vectors:
        weight = self.tensors[f"weight.{modality}"]
        return np.asarray((x - self.tensors[f"mean.{modality}"]) @ weight, np.float32)


def canonical_directions(
    m: Moments, regularisation: tuple[float, float], dimensions: int, power: float
) -> tuple[Vectors, Vectors]:
    """Return (d_x, k) and (d_y, k) float32 canonical directions, the most correlated first.

    Args:
        m: The moments of pairs.
        regularisation: Of each modality, in units of the mean variance of one dimension.
        dimensions: The largest k.
        power: Directions are scaled by their correlation to this power.

    Raises:
        InputError: The vectors do not vary enough.
    """
    from scipy.linalg import svd

    root_x = inverse_root(ridged(m.xx, regularisation[0]))
    root_y = inverse_root(ridged(m.yy, regularisation[1]))
    left, correlations, right = svd(root_x @ m.xy @ root_y, full_matrices=False)
    kept = min(dimensions, len(correlations))
    weighed = correlations[:kept] ** power
    return (
        np.asarray(root_x @ left[:, :kept] * weighed, np.float32),
        np.asarray(root_y @ right[:kept].T * weighed, np.float32),
    )
