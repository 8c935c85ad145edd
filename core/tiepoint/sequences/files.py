"""A fitted pooling on disk: safetensors with a JSON card."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tiepoint.encoders.base import Encoder
from tiepoint.errors import ConfigError, FingerprintError, InputError
from tiepoint.saving import replace_together
from tiepoint.sequences.learned import LEARNED, LearnedPooling

CARD = "pooling.json"
TENSORS = "pooling.safetensors"
FORMAT = 1


class PoolingCard(BaseModel):
    """What stands in `pooling.json` beside the tensors.

    Attributes:
        format: Version of this layout.
        method: `attention` or `gru`.
        frames: Fingerprint of the encoder of the frames; others are refused.
        options: What the fit was told.
        data_hash: SHA-256 of the sequences, the targets and the links.
        pairs: Number of links.
        seed: Of everything random.
        metrics: Figures of the fit, such as those on the validation pairs.
        date: When it was fitted, ISO 8601 in UTC.
        tiepoint: The version that wrote it.
        versions: Of Python and the libraries that computed it.
        sha256: Of the tensors' file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = FORMAT
    method: str
    frames: str
    options: dict[str, Any]
    data_hash: str
    pairs: int
    seed: int
    metrics: dict[str, float] = Field(default_factory=dict)
    date: str
    tiepoint: str
    versions: dict[str, str]
    sha256: str = ""


def save_pooling(folder: Path | str, pooling: LearnedPooling, card: PoolingCard) -> Path:
    """Write tensors and card into a folder (made if absent); returns it.

    A failure leaves the pooling that was saved before.
    """
    from safetensors.numpy import save

    content = save(dict(pooling.tensors))
    signed = card.model_copy(update={"sha256": hashlib.sha256(content).hexdigest()})
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    stated = signed.model_dump_json(indent=2).encode() + b"\n"
    replace_together({target / TENSORS: content, target / CARD: stated})
    return target


def load_pooling(folder: Path | str, frames: Encoder) -> LearnedPooling:
    """Read a saved pooling.

    Args:
        folder: What `save_pooling` wrote.
        frames: The encoder of the frames; must be the one that it was fitted for.

    Raises:
        ConfigError: There is none.
        InputError: Files that are missing, truncated, or were changed.
        FingerprintError: Another encoder.
    """
    import safetensors
    from safetensors.numpy import load

    place = Path(folder)
    card = read_pooling_card(place)
    if card.frames != frames.fingerprint:
        raise FingerprintError(
            f"the pooling was fitted for the frames of {card.frames!r}, not of"
            f" {frames.fingerprint!r}",
            where=str(place),
            hint="Use that encoder, or fit the pooling again.",
        )
    path = place / TENSORS
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"the tensors cannot be read ({error.strerror})",
            where=str(path),
            hint="Fit the pooling again.",
        ) from error
    if hashlib.sha256(content).hexdigest() != card.sha256:
        raise InputError(
            "the file is truncated or was changed: its SHA-256 is not that of the card",
            where=str(path),
            hint="Copy the folder again, or fit the pooling again.",
        )
    try:
        return LEARNED[card.method](load(content))
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise InputError(
            f"the tensors do not fit the pooling {card.method!r} ({error})",
            where=str(path),
            hint="Fit the pooling again.",
        ) from error


def read_pooling_card(folder: Path) -> PoolingCard:
    """Read the card of a saved pooling.

    Raises:
        ConfigError: There is none.
        InputError: It is not one.
    """
    path = folder / CARD
    try:
        card = PoolingCard.model_validate_json(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(
            f"there is no pooling {str(folder)!r}",
            where="pooling",
            hint="Give mean, max, or the folder of a fitted one.",
        ) from error
    except (ValidationError, UnicodeDecodeError) as error:
        raise InputError(
            "this is not the card of a fitted pooling", where=str(path), hint="Fit it again."
        ) from error
    if card.format != FORMAT:
        raise InputError(
            f"the card has format {card.format}, and this release reads {FORMAT}",
            where=str(path),
            hint="Fit it again, or install the release that wrote it.",
        )
    return card
