"""Which language a text is in, told from its vector alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Vectors

_REGULARISATION = 1e-3


@dataclass(frozen=True)
class LanguageGate:
    """A linear classifier of languages, by least squares over text vectors.

    A joint vector is made from an encoder's vector alone, so what the head must know of the
    text has to be read from there. Sentence encoders keep the language nearly exactly.

    Attributes:
        names: The languages.
        weight: (d, n_languages) float32.
        bias: (n_languages,) float32.
    """

    PREFIX: ClassVar[str] = "language."

    names: tuple[str, ...]
    weight: Vectors
    bias: Vectors

    @classmethod
    def fit(cls, x: Vectors, languages: NDArray[np.str_], names: Sequence[str]) -> Self:
        """Learn from (n, d) vectors whose languages are known."""
        target = (languages[:, None] == np.array(names)).astype(np.float64)
        # Classes weigh equally, however many texts each has.
        weights = np.sqrt((target / target.sum(0)).sum(1))[:, None]
        mean = x.mean(0)
        centred = (x - mean).astype(np.float64) * weights
        gram = centred.T @ centred
        gram[np.diag_indices_from(gram)] += _REGULARISATION * np.trace(gram) / len(gram)
        middle = 1 / len(names)
        weight = np.linalg.solve(gram, centred.T @ ((target - middle) * weights))
        bias = middle - mean @ weight
        return cls(tuple(names), weight.astype(np.float32), bias.astype(np.float32))

    def __call__(self, x: Vectors) -> NDArray[np.int64]:
        """Return (n,) the position in `names` of each text's language."""
        return np.asarray((x @ self.weight + self.bias).argmax(1), np.int64)

    def tensors(self, modality: str) -> dict[str, NDArray[Any]]:
        """Return the arrays by name, as `restored` takes them: one column a language."""
        named: dict[str, NDArray[Any]] = {}
        for index, name in enumerate(self.names):
            prefix = f"{self.PREFIX}{modality}.{name}"
            named[f"{prefix}.weight"] = np.ascontiguousarray(self.weight[:, index])
            named[f"{prefix}.bias"] = self.bias[index : index + 1]
        return named

    @classmethod
    def is_in(cls, tensors: Mapping[str, NDArray[Any]], modality: str) -> bool:
        """Tell whether there is a gate for a modality among named arrays."""
        return any(name.startswith(f"{cls.PREFIX}{modality}.") for name in tensors)

    @classmethod
    def restored(cls, tensors: Mapping[str, NDArray[Any]], modality: str) -> Self:
        """Make a gate from named arrays.

        Raises:
            KeyError: A tensor is missing.
        """
        start = f"{cls.PREFIX}{modality}."
        names = sorted(
            name.removeprefix(start).removesuffix(".weight")
            for name in tensors
            if name.startswith(start) and name.endswith(".weight")
        )
        return cls(
            tuple(names),
            np.stack([tensors[f"{start}{name}.weight"] for name in names], 1),
            np.concatenate([tensors[f"{start}{name}.bias"] for name in names]),
        )
