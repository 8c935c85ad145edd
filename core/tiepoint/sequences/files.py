"""A fitted pooling on disk: safetensors with a JSON card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from tiepoint.cards import SavedCard, SavedFit, sha256
from tiepoint.encoders.base import Encoder
from tiepoint.errors import ConfigError, FingerprintError
from tiepoint.sequences.learned import LEARNED, LearnedPooling


class PoolingCard(SavedCard):
    """What stands in `pooling.json` beside the tensors.

    Attributes:
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


SAVED = SavedFit(
    "pooling",
    PoolingCard,
    "pooling.json",
    "pooling.safetensors",
    "Give mean, max, or the folder of a fitted one.",
)


def save_pooling(folder: Path | str, pooling: LearnedPooling, card: PoolingCard) -> Path:
    """Write tensors and card into a folder (made if absent); returns it.

    A failure leaves the pooling that was saved before.
    """
    from safetensors.numpy import save

    content = save(dict(pooling.tensors))
    signed = card.model_copy(update={"sha256": sha256(content)})
    return SAVED.write(Path(folder), signed, content)


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
    from safetensors.numpy import load

    place = Path(folder)
    if not (place / SAVED.card).is_file():
        raise ConfigError(f"there is no pooling {str(place)!r}", where="pooling", hint=SAVED.hint)
    card = SAVED.read_card(place)
    if card.frames != frames.fingerprint:
        raise FingerprintError(
            f"the pooling was fitted for the frames of {card.frames!r}, not of"
            f" {frames.fingerprint!r}",
            where=str(place),
            hint="Use that encoder, or fit the pooling again.",
        )
    content = SAVED.read_tensors(place, card.sha256)
    with SAVED.taking(place):
        return LEARNED[card.method](load(content))
