"""Poolings that are learned, as plain arrays: what they compute needs no torch."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from tiepoint.alignment.checks import unit_rows
from tiepoint.encoders.base import Vectors
from tiepoint.errors import FingerprintError
from tiepoint.sequences.pooling import Pooling, Sequences, weighted_sum

Tensors = Mapping[str, NDArray[Any]]


class LearnedPooling(Pooling):
    """A pooling with parameters.

    Args:
        tensors: The parameters by name, float32: `mean` (d,) and `scale` (d,) standardise the
            frames; the others are the method's.

    Raises:
        KeyError: A parameter is missing.
        ValueError: The parameters' shapes do not fit each other.

    Attributes:
        method: Its name.
    """

    method: ClassVar[str]
    shapes: ClassVar[Mapping[str, tuple[str, ...]]]

    def __init__(self, tensors: Tensors) -> None:
        self.tensors = {
            name: np.ascontiguousarray(tensors[name], np.float32)
            for name in ("mean", "scale", *self.shapes)
        }
        self._check()
        content = hashlib.sha256()
        for name, value in sorted(self.tensors.items()):
            content.update(f"{name} {value.shape}\n".encode() + value.tobytes())
        self.fingerprint = f"{self.method}/{content.hexdigest()[:32]}"

    @property
    def frame_dim(self) -> int:
        """Length of the frames' vectors."""
        return len(self.tensors["mean"])

    def dim(self, frame_dim: int) -> int:
        if frame_dim != self.frame_dim:
            raise FingerprintError(
                f"the pooling was fitted for frames of {self.frame_dim} values, not {frame_dim}",
                hint="Use the encoder that it was fitted for, or fit it again.",
            )
        return self._dim()

    def __call__(self, sequences: Sequences) -> Vectors:
        self.dim(sequences.frames.shape[2])
        standard = (sequences.frames - self.tensors["mean"]) * self.tensors["scale"]
        return self._pooled(sequences, np.asarray(standard, np.float32))

    @abstractmethod
    def _dim(self) -> int: ...

    @abstractmethod
    def _pooled(self, sequences: Sequences, standard: Vectors) -> Vectors: ...

    def _check(self) -> None:
        sizes: dict[str, int] = {}
        for name, axes in {"mean": ("d",), "scale": ("d",), **self.shapes}.items():
            shape = self.tensors[name].shape
            if len(shape) != len(axes):
                raise ValueError(f"{name} has the shape {shape}")
            for axis, size in zip(axes, shape, strict=True):
                if sizes.setdefault(axis, size) != size:
                    raise ValueError(f"{name} has the shape {shape}")
        if "3h" in sizes and sizes["3h"] != 3 * sizes["h"]:
            raise ValueError(f"the gates have {sizes['3h']} rows for a state of {sizes['h']}")

    @classmethod
    def restored(cls, tensors: Tensors) -> Self:
        """Make it from its parameters."""
        return cls(tensors)


class AttentionPooling(LearnedPooling):
    """A mean of the frames in which those that matter weigh more.

    The weights are a softmax over the frames of `score · tanh(hidden · x + bias)`, the
    attention of multiple-instance learning (Ilse et al., 1802.04712). The frames themselves
    are averaged as they are, so the result stays in their space.
    """

    method = "attention"
    shapes: ClassVar = {"hidden": ("d", "h"), "bias": ("h",), "score": ("h",)}

    def _dim(self) -> int:
        return self.frame_dim

    def _pooled(self, sequences: Sequences, standard: Vectors) -> Vectors:
        return unit_rows(weighted_sum(sequences, self._weights(sequences, standard)))

    def weights(self, sequences: Sequences) -> Vectors:
        """Return (n, t) float32 how much each frame counts; a sequence's sum is 1."""
        standard = (sequences.frames - self.tensors["mean"]) * self.tensors["scale"]
        return self._weights(sequences, np.asarray(standard, np.float32))

    def _weights(self, sequences: Sequences, standard: Vectors) -> Vectors:
        hidden = np.tanh(standard @ self.tensors["hidden"] + self.tensors["bias"])
        scores = np.where(sequences.mask, hidden @ self.tensors["score"], -np.inf)
        powers = np.exp(scores - scores.max(1, keepdims=True))
        return np.asarray(powers / powers.sum(1, keepdims=True), np.float32)


class RecurrentPooling(LearnedPooling):
    """The mean of the frames beside the last state of a gated recurrent unit.

    The mean says what there is, the state also in which order it came (Cho et al., 1406.1078,
    in the form of cuDNN and torch, gates in the order reset, update, new). Both have length 1
    and weigh equally. The result has a space of its own.
    """

    method = "gru"
    keeps_space = False
    shapes: ClassVar = {
        "input": ("3h", "d"),
        "input_bias": ("3h",),
        "state": ("3h", "h"),
        "state_bias": ("3h",),
    }

    def _dim(self) -> int:
        return self.frame_dim + int(self.tensors["state"].shape[1])

    def _pooled(self, sequences: Sequences, standard: Vectors) -> Vectors:
        mean = unit_rows(weighted_sum(sequences, sequences.mask.astype(np.float32)))
        state = unit_rows(self._last_state(standard, sequences.mask))
        beside = np.concatenate([mean, state], axis=1)
        return np.asarray(beside / np.sqrt(2), np.float32)

    def _last_state(self, standard: Vectors, mask: NDArray[np.bool_]) -> Vectors:
        of_input = standard @ self.tensors["input"].T + self.tensors["input_bias"]
        state = np.zeros((len(standard), self.tensors["state"].shape[1]), np.float32)
        for step in range(mask.shape[1]):
            input_reset, input_update, input_new = np.split(of_input[:, step], 3, axis=1)
            of_state = state @ self.tensors["state"].T + self.tensors["state_bias"]
            state_reset, state_update, state_new = np.split(of_state, 3, axis=1)
            update = _logistic(input_update + state_update)
            new = np.tanh(input_new + _logistic(input_reset + state_reset) * state_new)
            following = (1 - update) * new + update * state
            state = np.where(mask[:, step, None], following, state)
        return np.asarray(state, np.float32)


def _logistic(x: Vectors) -> Vectors:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)), np.float32)


LEARNED: dict[str, type[LearnedPooling]] = {
    kind.method: kind for kind in (AttentionPooling, RecurrentPooling)
}
"""The poolings that are learned, by method."""
