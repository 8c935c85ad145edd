"""Changed versions of pictures: cropped, mirrored and recoloured, the same for the same seed."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.encoders.images import Pixels, read_image
from tiepoint.types import IMAGE, Modality

_RATIOS = (3 / 4, 4 / 3)
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)


class Augmentation(BaseModel):
    """How a picture is changed.

    Attributes:
        crop: The smallest share of the picture's area that is kept; 1 keeps all of it. The
            crop's aspect ratio differs from the picture's by a third at most (Szegedy et al.,
            1409.4842).
        flip: Whether every second picture is mirrored. Not for texts that tell left from right.
        colour: By how much brightness, contrast and saturation change at most, as a share.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    crop: float = Field(default=0.5, gt=0, le=1)
    flip: bool = True
    colour: float = Field(default=0.2, ge=0, lt=1)

    def __call__(self, pixels: Pixels, random: np.random.Generator) -> Pixels:
        """Return a changed version of (h, w, 3) uint8 pixels; its height and width may differ."""
        cropped = _crop(pixels, self.crop, random)
        if self.flip and random.random() < 0.5:
            cropped = cropped[:, ::-1]
        if self.colour:
            return _recolour(cropped, 1 + self.colour * random.uniform(-1, 1, 3))
        return np.ascontiguousarray(cropped)


class AugmentedEncoder(Encoder):
    """An encoder of changed versions of pictures.

    Which change a picture gets follows from its pixels and the number of the view, so that
    its vector can be kept in the embedding cache.

    Args:
        encoder: Encodes the changed picture.
        augmentation: How pictures are changed.
        view: Its number; another view is another change.
    """

    modalities = (IMAGE,)

    def __init__(self, encoder: Encoder, augmentation: Augmentation, view: int) -> None:
        self._encoder = encoder
        self._augmentation = augmentation
        self._view = view
        self.dim = encoder.dim
        self.batch_size = encoder.batch_size
        said = " ".join(f"{name}={value}" for name, value in augmentation)
        self.fingerprint = f"{encoder.fingerprint}/augmented {said} {view}"

    def warm_up(self) -> None:
        self._encoder.warm_up()

    def prepare(self, part: Any, modality: Modality | None = None) -> Any:
        pixels = read_image(part)
        random = np.random.default_rng([self._view, zlib.crc32(np.ascontiguousarray(pixels).data)])
        return self._encoder.prepare(self._augmentation(pixels, random), IMAGE)

    def infer(self, prepared: Sequence[Any], modality: Modality | None = None) -> Vectors:
        return self._encoder.infer(prepared, IMAGE)


def _crop(pixels: Pixels, least: float, random: np.random.Generator) -> Pixels:
    """Return a random rectangle with at least a share of the area, within rounding."""
    if least == 1:
        return pixels
    height, width = pixels.shape[:2]
    side = np.sqrt(random.uniform(least, 1))
    stretch = np.sqrt(np.exp(random.uniform(*np.log(_RATIOS))))
    # A stretch beyond the picture's edge is given up, so that the area stays.
    stretch = float(np.clip(stretch, side, 1 / side))
    cut = (max(1, round(height * side / stretch)), max(1, round(width * side * stretch)))
    top = int(random.integers(0, height - cut[0] + 1))
    left = int(random.integers(0, width - cut[1] + 1))
    return pixels[top : top + cut[0], left : left + cut[1]]


def _recolour(pixels: Pixels, factors: Any) -> Pixels:
    """Return pixels with brightness, contrast and saturation multiplied by three factors."""
    brightness, contrast, saturation = np.asarray(factors, np.float32)
    mean = float(pixels.mean(axis=(0, 1)) @ _LUMINANCE)
    # All three are linear in the channels, so one matrix does them.
    mix = saturation * np.eye(3, dtype=np.float32) + (1 - saturation) * _LUMINANCE[:, None]
    changed = pixels.astype(np.float32) @ (mix * (brightness * contrast))
    changed += brightness * (1 - contrast) * mean
    return np.asarray(np.clip(np.rint(changed), 0, 255), np.uint8)
