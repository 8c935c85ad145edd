"""Encoders small enough to know the answer by hand; they are real, and registered by code."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tiepoint import registry
from tiepoint.alignment.base import Aligner
from tiepoint.config.models import Deployment
from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.encoders.images import read_image
from tiepoint.errors import DecodeError

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


class ColourEncoder(Encoder):
    """Mean colour of a picture, as a unit vector of red, green, blue and a constant."""

    modalities = ("image",)
    dim = 4

    def __init__(self, version: int = 1) -> None:
        self.fingerprint = f"colour-{version}"

    def prepare(self, part: Any, modality: str | None = None) -> Any:
        from PIL import Image, UnidentifiedImageError

        try:
            if isinstance(part, np.ndarray):
                part = Image.fromarray(part)
            picture = part if isinstance(part, Image.Image) else Image.open(_readable(part))
            return np.asarray(picture.convert("RGB").resize((1, 1)), np.float32).reshape(3)
        except (UnidentifiedImageError, Image.DecompressionBombError, OSError) as error:
            raise DecodeError(f"not a picture: {error}", where=str(part)[:80]) from error

    def infer(self, prepared: Sequence[Any], modality: str | None = None) -> Vectors:
        return unit(np.stack([np.append(p / 255, 0.1) for p in prepared]))


class PixelColourEncoder(ColourEncoder):
    """Takes frames and slices, too."""

    def __init__(self, version: int = 1) -> None:
        self.fingerprint = f"pixel-colour-{version}"

    def prepare(self, part: Any, modality: str | None = None) -> Any:
        return read_image(part).mean((0, 1))


class ColourWordEncoder(Encoder):
    """Counts the names of colours in a text."""

    modalities = ("text",)
    dim = 4
    fingerprint = "colour-words-1"

    def prepare(self, part: Any, modality: str | None = None) -> Any:
        if not isinstance(part, str) or not part.strip():
            raise DecodeError("the text is empty", hint="Give some words.")
        return [part.lower().split().count(name) for name in COLOURS]

    def infer(self, prepared: Sequence[Any], modality: str | None = None) -> Vectors:
        return unit(np.array([[*counts, 0.1] for counts in prepared], np.float32))


class ColourAligner(Aligner):
    """Both encoders name the same axes; the joint space has them in another order."""

    dim = 4

    def __init__(self, encoders: Any) -> None:
        super().__init__(encoders)
        names = ",".join(f"{m}={e.fingerprint}" for m, e in sorted(encoders.items()))
        self.fingerprint = "colour-aligner|" + hashlib.sha256(names.encode()).hexdigest()

    def transform(self, modality: str, x: Vectors) -> Vectors:
        return np.ascontiguousarray(x[:, ::-1])


def unit(x: Any) -> Vectors:
    x = np.asarray(x, np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


COLOUR_COMPONENTS = (
    (registry.ENCODERS, "colour", ColourEncoder),
    (registry.ENCODERS, "pixel-colour", PixelColourEncoder),
    (registry.ENCODERS, "colour-words", ColourWordEncoder),
    (registry.ALIGNERS, "colour", ColourAligner),
)


@contextmanager
def registered(*components: tuple[str, str, Any]) -> Iterator[None]:
    """Make components known by group and name, until the block is left."""
    with ExitStack() as undone:
        for component in components:
            undone.callback(registry.register(*component))
        yield


def colour_deployment(store: Path, metadata: Mapping[str, str], **changes: Any) -> Deployment:
    """Return a deployment of the collection `items` with pictures and texts of colours."""
    fields = {"image": {"encoder": "photo"}, "text": {"encoder": "words", "words": True}}
    content = {
        "version": 1,
        "encoders": {"photo": {"type": "colour"}, "words": {"type": "colour-words"}},
        "alignment": {"type": "colour", "encoders": {"image": "photo", "text": "words"}},
        "store": {"uri": str(store)},
        "collections": {"items": {"fields": fields, "metadata": dict(metadata)}},
    }
    return Deployment.model_validate(content | changes)


def _readable(part: Any) -> Any:
    import io

    return io.BytesIO(part) if isinstance(part, bytes) else Path(part)
