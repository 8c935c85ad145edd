"""What is done to an encoder's vectors before an aligner learns from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from tiepoint.alignment.languages import LanguageGate
from tiepoint.alignment.pairs import PairSet
from tiepoint.encoders.base import Vectors
from tiepoint.types import Modality

_SMALLEST_DEVIATION = 1e-6
_PREFIX = "inputs."


class InputOptions(BaseModel):
    """How vectors are prepared.

    Attributes:
        root: Modalities whose vectors' signed square root is taken. It evens out features that
            come from rectified units, where few are large and most are near zero (the Hellinger
            map of Arandjelovic and Zisserman, CVPR 2012).
        standardise: Whether every dimension is brought to mean 0 and deviation 1.
        languages: `shared`: texts of all languages are treated alike. `separate`: each language
            of the pairs has dimensions of its own, so that a linear method learns a map for
            each, and all meet in the same joint space. The language is told from the vector.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    root: tuple[Modality, ...] = ()
    standardise: bool = False
    languages: Literal["shared", "separate"] = "shared"


@dataclass(frozen=True)
class Inputs:
    """Prepares the vectors of one modality.

    Attributes:
        root: Whether the signed square root is taken.
        mean: (n_languages, d) float32 what is subtracted; one row where languages are shared.
        scale: (n_languages, d) float32 what it is multiplied by.
        lengths: (n_languages, 2) float32, the median and the 99th percentile of the lengths of
            the prepared vectors that it was learned from.
        gate: Tells the language, or None where there is one map for all.
    """

    root: bool
    mean: Vectors
    scale: Vectors
    lengths: Vectors
    gate: LanguageGate | None

    @classmethod
    def fit(
        cls, options: InputOptions, modality: Modality, x: Vectors, languages: tuple[str, ...]
    ) -> Self:
        """Learn from (n, d) vectors; `languages` names each row's, or is empty."""
        names = sorted(set(languages)) if options.languages == "separate" else []
        gate = LanguageGate.fit(x, np.array(languages), names) if len(names) > 1 else None
        root = modality in options.root
        rooted = signed_root(x) if root else x
        which = np.zeros(len(x), np.int64) if gate is None else gate(x)
        groups = [rooted[which == index] for index in range(len(names) if gate else 1)]
        centred = options.standardise or gate is not None
        mean = np.stack([group.mean(0) if centred else np.zeros(x.shape[1]) for group in groups])
        scale = np.stack(
            [_scale(group) if options.standardise else np.ones(x.shape[1]) for group in groups]
        )
        lengths = np.stack(
            [
                np.percentile(np.linalg.norm((group - m) * s, axis=1), [50, 99])
                for group, m, s in zip(groups, mean, scale, strict=True)
            ]
        )
        return cls(
            root,
            mean.astype(np.float32),
            scale.astype(np.float32),
            lengths.astype(np.float32),
            gate,
        )

    def __call__(self, x: Vectors) -> Vectors:
        """Return (n, d * n_languages) float32 for (n, d) vectors."""
        rooted = signed_root(x) if self.root else x
        if self.gate is None:
            return np.asarray((rooted - self.mean[0]) * self.scale[0], np.float32)
        which = self.gate(x)
        dim = x.shape[1]
        blocks = np.zeros((len(x), len(self.gate.names), dim), np.float32)
        blocks[np.arange(len(x)), which] = (rooted - self.mean[which]) * self.scale[which]
        return blocks.reshape(len(x), -1)

    def unusual(self, x: Vectors) -> Vectors:
        """Return how unlike the vectors that it was learned from (n, d) others are: (n,) float32.

        0 is usual, and 1 is as unusual as one in a hundred of them. It is the length of a
        standardised vector that tells: one from elsewhere is far off in many dimensions.
        """
        which = np.zeros(len(x), np.int64) if self.gate is None else self.gate(x)
        median, far = self.lengths[which].T
        length = np.linalg.norm(self(x), axis=1)
        return np.asarray((length - median) / np.maximum(far - median, 1e-6), np.float32)

    def tensors(self, modality: Modality) -> dict[str, NDArray[Any]]:
        """Return the arrays by name, as `restored` takes them."""
        start = f"{_PREFIX}{modality}."
        named: dict[str, NDArray[Any]] = {
            f"{start}root": np.array([self.root], np.uint8),
            f"{start}mean": self.mean,
            f"{start}scale": self.scale,
            f"{start}lengths": self.lengths,
        }
        return named | (self.gate.tensors(modality) if self.gate is not None else {})

    @classmethod
    def restored(cls, tensors: Mapping[str, NDArray[Any]], modality: Modality) -> Self:
        """Make it from named arrays.

        Raises:
            KeyError: A tensor is missing.
        """
        start = f"{_PREFIX}{modality}."
        gate = None
        if LanguageGate.is_in(tensors, modality):
            gate = LanguageGate.restored(tensors, modality)
        return cls(
            bool(tensors[f"{start}root"][0]),
            tensors[f"{start}mean"],
            tensors[f"{start}scale"],
            tensors[f"{start}lengths"],
            gate,
        )


def signed_root(x: Vectors) -> Vectors:
    """Return the square root of the magnitudes with the signs of x.

    >>> signed_root(np.array([4.0, -9.0], np.float32)).tolist()
    [2.0, -3.0]
    """
    return np.asarray(np.sign(x) * np.sqrt(np.abs(x)), np.float32)


def prepared(pairs: PairSet, inputs: Mapping[Modality, Inputs]) -> PairSet:
    """Return pairs with prepared vectors and views."""
    vectors = {modality: inputs[modality](x) for modality, x in pairs.vectors.items()}
    views = {
        modality: np.stack([inputs[modality](view) for view in seen])
        for modality, seen in pairs.views.items()
    }
    return replace(pairs, vectors=vectors, views=views)


def _scale(x: Vectors) -> Vectors:
    """Return one over the deviation; 0 for a dimension that does not vary: it would be noise."""
    deviation = x.std(0)
    varies = deviation > _SMALLEST_DEVIATION
    return np.asarray(np.where(varies, 1 / np.where(varies, deviation, 1), 0), np.float32)
