"""What things look like: pictures and sentences through the core's encoders and aligner."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tiepoint.alignment.base import Aligner
from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.encoders.images import Pixels
from tiepoint.errors import ConfigError, QueryError
from tiepoint.inference import Priority, prioritised
from tiepoint.types import IMAGE, TEXT
from tiepoint_security.alerts.observation import Box

_AROUND = 0.15  # of a box: what a thing stands on and beside says much of what it is
_LEAST_SIDE = 8  # pixels


class Vision:
    """Turns pictures into vectors, in batches across cameras; overtakes other inference.

    Args:
        encoder: Of pictures.
        aligner: Of the joint space, where sentences are compared with pictures; None without
            one, or where it is made for another encoder of pictures.
    """

    def __init__(self, encoder: Encoder, aligner: Aligner | None) -> None:
        self.encoder = encoder
        fits = aligner is not None and aligner.encoders.get(IMAGE) is encoder
        self.aligner = aligner if fits else None
        self.encoded = 0

    @classmethod
    def chosen(
        cls, name: str | None, aligner: Aligner | None, encoder: Callable[[str], Encoder]
    ) -> Vision | None:
        """Return the eyes of a deployment; None where it has no encoder for them.

        Args:
            name: The encoder that the settings name.
            aligner: The deployment's.
            encoder: Gives the deployment's encoder of a name.

        Raises:
            ConfigError: It has no encoder of that name, or one that takes no pictures.
        """
        if name is None:
            found = None if aligner is None else aligner.encoders.get(IMAGE)
            return None if found is None else cls(found, aligner)
        place = "plugins.security.encoder"
        try:
            found = encoder(name)
        except QueryError as error:
            raise ConfigError(error.what, where=place, hint=error.hint) from error
        if IMAGE not in found.modalities:
            raise ConfigError(
                f"the encoder {name!r} takes no pictures", where=place, hint="Name another one."
            )
        return cls(found, aligner)

    @property
    def fingerprint(self) -> str:
        """Of everything that its vectors depend on."""
        joint = "" if self.aligner is None else self.aligner.fingerprint
        return f"{self.encoder.fingerprint}|{joint}"

    def warm_up(self) -> None:
        """Load the model of pictures. Idempotent."""
        self.encoder.warm_up()
        if self.aligner is not None:
            self.aligner.warm_up()

    def see(self, pictures: Sequence[Pixels]) -> tuple[Vectors, Vectors | None]:
        """Return what pictures look like, (n, d) by the encoder and (n, k) in the joint space."""
        with prioritised(Priority.ALERT):
            own = self.encoder.encode(pictures, IMAGE)
        self.encoded += len(pictures)
        if self.aligner is None or not len(pictures):
            return own, None
        return own, self.aligner.transform(IMAGE, own)

    def sentence(self, text: str) -> NDArray[np.float32]:
        """Return a sentence in the joint space, (k,).

        Raises:
            ConfigError: The deployment cannot compare sentences with pictures.
        """
        aligner, words = self.words("plugins.security.rules")
        return np.asarray(aligner.transform(TEXT, words.encode([text], TEXT))[0])

    def words(self, where: str) -> tuple[Aligner, Encoder]:
        """Return what compares sentences with pictures, and the encoder of sentences.

        Args:
            where: What of the deployment asks for it.

        Raises:
            ConfigError: The deployment has none.
        """
        words = None if self.aligner is None else self.aligner.encoders.get(TEXT)
        if self.aligner is None or words is None:
            raise ConfigError(
                "a sentence needs an alignment of texts with the encoder of pictures",
                where=where,
                hint="Add `alignment` to the deployment, or describe it by `picture`.",
            )
        return self.aligner, words

    def example(self, picture: Path) -> NDArray[np.float32]:
        """Return an example picture by the encoder, (d,).

        Raises:
            DecodeError: It cannot be read.
        """
        return np.asarray(self.encoder.encode([picture], IMAGE)[0])


def cut_out(pixels: Pixels, box: Box) -> Pixels | None:
    """Return a box of a picture with a little around it; None where there is too little of it.

    Args:
        pixels: (h, w, 3) uint8.
        box: As parts of the picture's sides.
    """
    height, width = pixels.shape[:2]
    around_x, around_y = _AROUND * (box[2] - box[0]), _AROUND * (box[3] - box[1])
    left, right = round((box[0] - around_x) * width), round((box[2] + around_x) * width)
    top, bottom = round((box[1] - around_y) * height), round((box[3] + around_y) * height)
    piece = pixels[max(0, top) : min(height, bottom), max(0, left) : min(width, right)]
    if min(piece.shape[:2]) < _LEAST_SIDE:
        return None
    return np.ascontiguousarray(piece)
