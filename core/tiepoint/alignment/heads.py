"""Projection heads as plain arrays: what a fitted contrastive aligner computes, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Vectors

_GELU_SLOPE = np.float32(np.sqrt(2 / np.pi))


@dataclass(frozen=True)
class Head:
    """A linear map, with a residual branch of one hidden layer where there is one.

    Attributes:
        weight: (d_in, d_out) float32.
        bias: (d_out,) float32.
        hidden_weight: (d_in, h) float32 of the residual branch, or None.
        hidden_bias: (h,) float32, or None.
        hidden_output: (h, d_out) float32, or None.
    """

    weight: Vectors
    bias: Vectors
    hidden_weight: Vectors | None = None
    hidden_bias: Vectors | None = None
    hidden_output: Vectors | None = None

    @property
    def dim(self) -> int:
        """Length of what it returns."""
        return self.weight.shape[1]

    def __call__(self, x: Vectors) -> Vectors:
        """Return (n, d_out) for (n, d_in)."""
        joint = x @ self.weight + self.bias
        if self.hidden_weight is not None and self.hidden_output is not None:
            joint += gelu(x @ self.hidden_weight + self.hidden_bias) @ self.hidden_output
        return joint

    def after(self, mean: Vectors, matrix: Vectors) -> Self:
        """Return the head that takes raw vectors, where this one takes `(x - mean) @ matrix`."""
        weight = matrix @ self.weight
        if self.hidden_weight is None or self.hidden_bias is None:
            return type(self)(weight, self.bias - mean @ weight)
        hidden = matrix @ self.hidden_weight
        return type(self)(
            weight,
            self.bias - mean @ weight,
            hidden,
            self.hidden_bias - mean @ hidden,
            self.hidden_output,
        )

    def tensors(self, prefix: str) -> dict[str, NDArray[Any]]:
        """Return the arrays by name, as `restored` takes them."""
        return {
            f"{prefix}.{name}": value for name, value in vars(self).items() if value is not None
        }

    @classmethod
    def restored(cls, tensors: Mapping[str, NDArray[Any]], prefix: str) -> Self:
        """Make a head from named arrays.

        Raises:
            KeyError: A tensor is missing.
        """
        optional = ("hidden_weight", "hidden_bias", "hidden_output")
        return cls(
            tensors[f"{prefix}.weight"],
            tensors[f"{prefix}.bias"],
            *(tensors.get(f"{prefix}.{name}") for name in optional),
        )


def gelu(x: Vectors) -> Vectors:
    """Return the Gaussian error linear unit in its tanh form (Hendrycks and Gimpel, 1606.08415).

    >>> gelu(np.array([0.0, 10.0], np.float32)).tolist()
    [0.0, 10.0]
    """
    inner = _GELU_SLOPE * (x + np.float32(0.044715) * x * x * x)
    return np.float32(0.5) * x * (1 + np.tanh(inner))
