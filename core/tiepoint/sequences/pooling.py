"""The contract of poolings: a sequence of frames' vectors in, one vector out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiepoint.alignment.checks import unit_rows
from tiepoint.encoders.base import Vectors
from tiepoint.errors import SchemaError


@dataclass(frozen=True)
class Sequences:
    """Sequences of vectors of different lengths, side by side.

    Attributes:
        frames: (n, t, d) float32; rows of zeros after the end of a shorter sequence.
        mask: (n, t) bool, True for a frame; every sequence has a first one.
    """

    frames: Vectors
    mask: NDArray[np.bool_]

    @classmethod
    def of(cls, each: Sequence[Vectors]) -> Sequences:
        """Put sequences side by side.

        Args:
            each: (t_i, d) vectors of every sequence.

        Raises:
            SchemaError: There is none, one is empty, or their vectors differ in length or are
                not finite.
        """
        if not each:
            raise SchemaError("there are no sequences", hint="Give at least one.")
        for row, vectors in enumerate(each):
            if vectors.ndim != 2 or not len(vectors):
                raise SchemaError(
                    f"sequence {row} has the shape {vectors.shape}",
                    hint="Give (frames, dimensions), with one frame at least.",
                )
            if vectors.shape[1] != each[0].shape[1]:
                raise SchemaError(
                    f"the vectors of sequence {row} have {vectors.shape[1]} values, and those of"
                    f" the first {each[0].shape[1]}"
                )
            if not np.isfinite(vectors).all():
                raise SchemaError(f"sequence {row} holds NaN or infinity")
        lengths = np.array([len(vectors) for vectors in each])
        mask = np.arange(lengths.max()) < lengths[:, None]
        frames = np.zeros((*mask.shape, each[0].shape[1]), np.float32)
        frames[mask] = np.concatenate(each)
        return cls(frames, mask)

    def __len__(self) -> int:
        return len(self.frames)

    def rows(self, chosen: NDArray[np.int64]) -> Sequences:
        """Return some of the sequences."""
        mask = self.mask[chosen]
        longest = int(mask.sum(1).max()) if len(chosen) else 0
        return Sequences(self.frames[chosen, :longest], mask[:, :longest])


class Pooling(ABC):
    """Makes one vector of every sequence; what stands after a sequence's end plays no part.

    Attributes:
        fingerprint: Names everything that its vectors depend on.
        keeps_space: Whether its vectors compare with those of single frames.
    """

    fingerprint: str
    keeps_space: bool = True

    def dim(self, frame_dim: int) -> int:
        """Return the length of its vectors, from that of the frames'.

        Raises:
            FingerprintError: It was fitted for vectors of another length.
        """
        return frame_dim

    @abstractmethod
    def __call__(self, sequences: Sequences) -> Vectors:
        """Return (n, dim) float32 unit vectors of n sequences."""


class MeanPooling(Pooling):
    """The mean of the frames."""

    fingerprint = "mean"

    def __call__(self, sequences: Sequences) -> Vectors:
        return unit_rows(weighted_sum(sequences, sequences.mask.astype(np.float32)))


class MaxPooling(Pooling):
    """The largest value of every dimension."""

    fingerprint = "max"

    def __call__(self, sequences: Sequences) -> Vectors:
        kept = np.where(sequences.mask[:, :, None], sequences.frames, np.float32(-np.inf))
        return unit_rows(np.asarray(kept.max(1), np.float32))


def weighted_sum(sequences: Sequences, weights: Vectors) -> Vectors:
    """Return (n, d) float32 sums of the frames with (n, t) weights."""
    return np.asarray(np.matmul(weights[:, None, :], sequences.frames)[:, 0], np.float32)


PLAIN: dict[str, type[Pooling]] = {"mean": MeanPooling, "max": MaxPooling}
"""The poolings that need no fitting, by name."""
