"""Class names as a part of ensembles: what an image network was trained to tell apart."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, lru_cache

import numpy as np
from pydantic import Field

from tiepoint.alignment.checks import unit_rows
from tiepoint.alignment.conse import class_name_space, class_weights, classifier_of
from tiepoint.alignment.fitted import FittedAligner, Tensors
from tiepoint.alignment.fitting import FitSettings
from tiepoint.alignment.options import Options
from tiepoint.alignment.pairs import PairSet
from tiepoint.encoders.base import Classifier, Encoder, Vectors
from tiepoint.errors import ConfigError
from tiepoint.types import IMAGE, TEXT, Modality


class ClassNamesOptions(Options):
    """Options of `ClassNamesAligner`.

    Attributes:
        temperature: Divides the logits before the softmax.
        dimensions: Most principal components of the class names that are kept.
        columns: The first column of the text vectors that takes part, and the one after the
            last: one encoder of a concatenation may know the names best. All if not given.
    """

    temperature: float = Field(default=2.0, gt=0, allow_inf_nan=False)
    dimensions: int = Field(default=192, ge=1)
    columns: tuple[int, int] | None = None


class ClassNamesAligner(FittedAligner):
    """ConSE (see `ConseAligner`) in few dimensions, as a member of ensembles.

    It learns nothing from the pairs: the names of the classes and the text encoder make it, and
    it is saved with the rest. So it is no worse for pictures that are unlike the pairs.
    """

    method = "class-names"
    Options = ClassNamesOptions
    options: ClassNamesOptions

    def learn(
        self, pairs: PairSet, val: PairSet | None, settings: FitSettings
    ) -> tuple[Tensors, list[Mapping[str, float]]]:
        names = _encoded(self.encoders[TEXT], self._classifier.labels)
        space = class_name_space(self._texts(names))
        _, _, directions = np.linalg.svd(space.names, full_matrices=False)
        kept = directions[: self.options.dimensions].T
        return {
            "names": np.asarray(space.names @ kept, np.float32),
            f"mean.{TEXT}": space.mean,
            f"weight.{TEXT}": np.asarray(space.whitening @ kept, np.float32),
        }, []

    def warm_up(self) -> None:
        self._classifier  # noqa: B018 - it is read at the first use

    def project(self, modality: Modality, x: Vectors) -> Vectors:
        if modality == TEXT:
            centred = self._texts(x) - self.tensors[f"mean.{TEXT}"]
            return np.asarray(centred @ self.tensors[f"weight.{TEXT}"], np.float32)
        return class_weights(self._classifier, x, self.options.temperature) @ self.tensors["names"]

    @cached_property
    def _classifier(self) -> Classifier:
        return classifier_of(self.encoders[IMAGE])

    def _texts(self, x: Vectors) -> Vectors:
        """Return unit vectors of the columns that take part."""
        if self.options.columns is None:
            return x
        first, end = self.options.columns
        if not 0 <= first < end <= x.shape[1]:
            raise ConfigError(
                f"the text vectors have {x.shape[1]} columns, not {first} to {end}",
                where="columns",
                hint="Give the first column and the one after the last.",
            )
        return unit_rows(x[:, first:end])


@lru_cache(maxsize=1)
def _encoded(encoder: Encoder, labels: tuple[str, ...]) -> Vectors:
    """Return the vectors of the names, which every fit of a tuning or of folds asks for."""
    return encoder.encode(labels, TEXT)
