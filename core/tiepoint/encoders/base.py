"""The contract of encoders: parts of one modality in, unit vectors out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.files import is_file, read_bytes
from tiepoint.types import Modality

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Classifier:
    """A linear classifier over an encoder's own vectors, as ConSE needs it.

    Attributes:
        weight: (n_classes, dim) float32; logits are `x @ weight.T + bias` for unit vectors x
            (the usual norm of the features before normalisation is folded in).
        bias: (n_classes,) float32.
        labels: n_classes names in English, without underscores.
    """

    weight: Vectors
    bias: Vectors
    labels: tuple[str, ...]


class Encoder(ABC):
    """Turns parts of one modality (or more, for a joint model) into unit vectors.

    A constructor is cheap: it reads options and, at most, file names. Weights load in
    `warm_up`, or at the first use. Encoding has two steps, so that a caller can drop one
    broken part without losing its batch and can prepare while another batch is inferred:
    `prepare` (one part, plain Python, thread-safe) and `infer` (a batch of prepared parts).
    Both are safe to call from several threads.

    Attributes:
        modalities: The modalities it takes; the first is its main one.
        dim: Length of its vectors.
        fingerprint: Names everything that its vectors depend on (model, weights' hash,
            preprocessing, pooling, dim): equal fingerprints mean interchangeable vectors.
            Known without loading the model.
        batch_size: Parts that are best given to `infer` together.
    """

    modalities: tuple[Modality, ...]
    dim: int
    fingerprint: str
    batch_size: int = 32

    def warm_up(self) -> None:
        """Load weights and compile, so that the next call is fast. Idempotent."""

    def read(self, part: Any, modality: Modality | None = None) -> Any:
        """Return what is hashed, and then prepared: the bytes of a file, else the part itself.

        An encoder of parts that do not fit into memory returns an object of its own, with a
        method `content_digest`.

        Raises:
            DecodeError: A file that cannot be read.
        """
        kind = modality or self.modalities[0]
        return read_bytes(part) if is_file(part, kind) else part

    @abstractmethod
    def prepare(self, part: Any, modality: Modality | None = None) -> Any:
        """Decode one part into what `infer` takes.

        Raises:
            DecodeError: The part is broken, empty, too large, or of another type.
        """

    @abstractmethod
    def infer(self, prepared: Sequence[Any], modality: Modality | None = None) -> Vectors:
        """Return (n, dim) float32 unit vectors for n prepared parts, in their order."""

    def encode(self, batch: Sequence[Any], modality: Modality | None = None) -> Vectors:
        """Return (n, dim) float32 unit vectors for n parts.

        Args:
            batch: Parts: paths, bytes, PIL images, arrays or strings, as the modality takes.
            modality: Which of `modalities`; the main one if not given.

        Raises:
            DecodeError: One of the parts cannot be read.
        """
        if not len(batch):
            return np.empty((0, self.dim), np.float32)
        return self.infer([self.prepare(part, modality) for part in batch], modality)

    def stands_for(self, modality: Modality) -> tuple[Encoder, Modality]:
        """Return the encoder and the modality whose vectors those of a modality compare with.

        That is the encoder itself, unless its vectors are made of another's and stay in their
        space, as the mean of a video's frames is among pictures.
        """
        return self, modality

    def classifier(self) -> Classifier | None:
        """Return the classifier that the model was trained with, where it has one."""
        return None

    def describe(self) -> dict[str, Any]:
        """Return what `tiepoint doctor` shows: model, weights, runtime, dim."""
        return {"fingerprint": self.fingerprint, "dim": self.dim}
