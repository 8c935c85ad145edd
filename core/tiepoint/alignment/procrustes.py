"""Orthogonal Procrustes: the rotation that brings one modality nearest to the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from tiepoint.alignment.fitted import FittedAligner, Tensors
from tiepoint.alignment.fitting import FitSettings
from tiepoint.alignment.moments import Matrix, moments
from tiepoint.alignment.options import Options, Range
from tiepoint.alignment.pairs import PairSet
from tiepoint.encoders.base import Vectors
from tiepoint.types import Modality


class ProcrustesOptions(Options):
    """Options of `ProcrustesAligner`.

    Attributes:
        dimensions: Principal components of each modality that are rotated onto each other.
        whitening: How far the components are brought to one variance, 0 (as they are) to 1.
    """

    dimensions: int = Field(default=512, ge=1)
    whitening: float = Field(default=0.5, ge=0, le=1)


class ProcrustesAligner(FittedAligner):
    """Rotates the principal components of one modality onto those of the other.

    Schoenemann (1966): the rotation is `U V^T` of the singular value decomposition of the
    covariance between the two.
    """

    method = "procrustes"
    Options = ProcrustesOptions
    options: ProcrustesOptions
    tunable: ClassVar[Mapping[str, Range]] = {
        "dimensions": Range(choices=(64, 128, 256, 384, 512)),
        "whitening": Range(0.0, 1.0),
    }

    def learn(
        self, pairs: PairSet, val: PairSet | None, settings: FitSettings
    ) -> tuple[Tensors, list[Mapping[str, float]]]:
        from scipy.linalg import svd

        first, second = pairs.modalities
        m = moments(pairs)
        size = min(self.options.dimensions, len(m.xx), len(m.yy), max(1, len(pairs.links) - 1))
        basis_x, basis_y = (self._components(c, size) for c in (m.xx, m.yy))
        left, _, right = svd(basis_x.T @ m.xy @ basis_y, full_matrices=False)
        return {
            f"mean.{first}": m.mean_x,
            f"mean.{second}": m.mean_y,
            f"weight.{first}": (basis_x @ left @ right).astype(np.float32),
            f"weight.{second}": basis_y.astype(np.float32),
        }, []

    def _components(self, covariance: Matrix, size: int) -> Matrix:
        from scipy.linalg import eigh

        last = len(covariance) - 1
        values, vectors = eigh(covariance, subset_by_index=(last - size + 1, last))
        floor = np.finfo(np.float32).eps * values[-1]
        return np.asarray(
            vectors * np.maximum(values, floor) ** (-0.5 * self.options.whitening), np.float64
        )

    def project(self, modality: Modality, x: Vectors) -> Vectors:
        weight = self.tensors[f"weight.{modality}"]
        return np.asarray((x - self.tensors[f"mean.{modality}"]) @ weight, np.float32)
