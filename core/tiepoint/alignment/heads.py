"""Projection heads as plain arrays: what a fitted contrastive aligner computes, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tiepoint.alignment.components import Components
from tiepoint.encoders.base import Vectors

_GELU_SLOPE = np.float32(np.sqrt(2 / np.pi))


@dataclass(frozen=True)
class Branch:
    """The residual branch of a head: one hidden layer.

    Attributes:
        weight: (d_in, h) float32.
        bias: (h,) float32.
        output: (h, d_out) float32.
    """

    weight: Vectors
    bias: Vectors
    output: Vectors


@dataclass(frozen=True)
class Head:
    """A linear map, with a residual branch where there is one.

    Attributes:
        weight: (d_in, d_out) float32.
        bias: (d_out,) float32.
        branch: Added to the linear map, or None.
    """

    weight: Vectors
    bias: Vectors
    branch: Branch | None = None

    @property
    def dim(self) -> int:
        """Length of what it returns."""
        return int(self.weight.shape[1])

    def __call__(self, x: Vectors) -> Vectors:
        """Return (n, d_out) for (n, d_in)."""
        joint = x @ self.weight + self.bias
        if self.branch is not None:
            joint += gelu(x @ self.branch.weight + self.branch.bias) @ self.branch.output
        return np.asarray(joint, np.float32)

    def after(self, components: Components) -> Self:
        """Return the head that takes raw vectors, where this one takes components of them."""
        mean, matrix = components.mean, components.matrix
        weight = matrix @ self.weight
        branch = None
        if self.branch is not None:
            hidden = matrix @ self.branch.weight
            branch = Branch(hidden, self.branch.bias - mean @ hidden, self.branch.output)
        return type(self)(weight, self.bias - mean @ weight, branch)

    def tensors(self, prefix: str) -> dict[str, NDArray[Any]]:
        """Return the arrays by name, as `restored` takes them."""
        named = {f"{prefix}.weight": self.weight, f"{prefix}.bias": self.bias}
        if self.branch is not None:
            named |= {
                f"{prefix}.hidden_weight": self.branch.weight,
                f"{prefix}.hidden_bias": self.branch.bias,
                f"{prefix}.hidden_output": self.branch.output,
            }
        return named

    @classmethod
    def restored(cls, tensors: Mapping[str, NDArray[Any]], prefix: str) -> Self:
        """Make a head from named arrays.

        Raises:
            KeyError: A tensor is missing.
        """
        branch = None
        if f"{prefix}.hidden_weight" in tensors:
            branch = Branch(
                tensors[f"{prefix}.hidden_weight"],
                tensors[f"{prefix}.hidden_bias"],
                tensors[f"{prefix}.hidden_output"],
            )
        return cls(tensors[f"{prefix}.weight"], tensors[f"{prefix}.bias"], branch)


def gelu(x: Vectors) -> Vectors:
    """Return the Gaussian error linear unit in its tanh form (Hendrycks and Gimpel, 1606.08415).

    >>> gelu(np.array([0.0, 10.0], np.float32)).tolist()
    [0.0, 10.0]
    """
    inner = _GELU_SLOPE * (x + np.float32(0.044715) * x * x * x)
    return np.asarray(np.float32(0.5) * x * (1 + np.tanh(inner)), np.float32)
