"""What encoders of sequences share: pictures through an image encoder, pooled into one vector."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.encoders.nested import encoder_of
from tiepoint.errors import ConfigError
from tiepoint.sequences.pooling import PLAIN, Pooling, Sequences
from tiepoint.types import IMAGE, Modality


class FramewiseEncoder(Encoder):
    """Encodes every picture of a sequence by an image encoder, and pools their vectors.

    A single picture is a sequence of one. Poolings that average stay in the space of the
    image encoder, so that such a sequence is found by, and finds, pictures; and an aligner
    that was made for the image encoder takes its vectors as those of pictures.

    Args:
        frames: The image encoder, as in a deployment file: `type`, and its options.
        pooling: `mean`, `max`, or the folder of a fitted pooling.

    Raises:
        ConfigError: The encoder takes no pictures, or there is no such pooling.
    """

    batch_size = 2  # sequences: the pictures of each go through the network in its own batches
    kind: Modality

    def __init__(self, frames: Mapping[str, Any], pooling: str = "mean") -> None:
        self.frames = encoder_of(frames, "frames")
        if IMAGE not in self.frames.modalities:
            raise ConfigError(
                f"the encoder of the frames takes {', '.join(self.frames.modalities)}",
                where="frames",
                hint="Name an encoder of images, such as {type: timm}.",
            )
        self._pooling = str(pooling)
        self.modalities = (self.kind, IMAGE)

    @cached_property
    def pooling(self) -> Pooling:
        """What makes one vector of many.

        Raises:
            ConfigError: There is no such pooling.
            FingerprintError: It was fitted for another encoder.
            InputError: Its files are damaged.
        """
        if self._pooling in PLAIN:
            return PLAIN[self._pooling]()
        from tiepoint.sequences.files import load_pooling

        return load_pooling(self._pooling, self.frames)

    @cached_property
    def dim(self) -> int:  # type: ignore[override]  # a cached property can be set
        """Length of the vectors."""
        return self.pooling.dim(self.frames.dim)

    @cached_property
    def fingerprint(self) -> str:  # type: ignore[override]  # a cached property can be set
        """The encoder of the frames, how they are chosen, and the pooling."""
        return f"{self.kind}[{self.frames.fingerprint}]:{self.choice}:{self.pooling.fingerprint}"

    @property
    @abstractmethod
    def choice(self) -> str:
        """Names which pictures of a sequence are taken."""

    @abstractmethod
    def pictures(self, part: Any) -> list[Any]:
        """Return the pictures of a part, as the image encoder takes them; at least one.

        Raises:
            DecodeError: The part cannot be read, or has none.
        """

    def warm_up(self) -> None:
        self.frames.warm_up()

    def read(self, part: Any, modality: Modality | None = None) -> Any:
        return self.frames.read(part, IMAGE) if modality == IMAGE else self.located(part)

    def located(self, part: Any) -> Any:
        """Return what stands for a part of the encoder's own kind until it is prepared."""
        return part

    def prepare(self, part: Any, modality: Modality | None = None) -> list[Any]:
        if modality == IMAGE:
            return [self.frames.prepare(part, IMAGE)]
        return [self.frames.prepare(picture, IMAGE) for picture in self.pictures(part)]

    def infer(self, prepared: Sequence[list[Any]], modality: Modality | None = None) -> Vectors:
        if not len(prepared):
            return np.empty((0, self.dim), np.float32)
        return self.pooling(Sequences.of(self._vectors(prepared)))

    def frame_vectors(self, part: Any) -> Vectors:
        """Return (t, d) float32 unit vectors of a part's pictures, as a pooling is fitted on.

        Raises:
            DecodeError: The part cannot be read.
        """
        return self._vectors([self.prepare(part)])[0]

    def stands_for(self, modality: Modality) -> tuple[Encoder, Modality]:
        if self.pooling.keeps_space:
            return self.frames.stands_for(IMAGE)
        return self, self.kind

    def describe(self) -> dict[str, Any]:
        return {
            **super().describe(),
            "frames": self.frames.describe(),
            "pooling": self.pooling.fingerprint,
        }

    def _vectors(self, prepared: Sequence[list[Any]]) -> list[Vectors]:
        """Return the vectors of each sequence's pictures, inferred in batches across them."""
        pictures = [picture for sequence in prepared for picture in sequence]
        size = self.frames.batch_size
        vectors = np.concatenate(
            [
                self.frames.infer(pictures[start : start + size], IMAGE)
                for start in range(0, len(pictures), size)
            ]
        )
        ends = np.cumsum([len(sequence) for sequence in prepared])[:-1]
        return np.split(vectors, ends)
