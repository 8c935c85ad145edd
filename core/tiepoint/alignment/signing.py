"""The card of a new fit, and the fingerprint that follows from it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from tiepoint import __version__, cards
from tiepoint.alignment.card import Card, DataCard, EncoderCard
from tiepoint.alignment.pairs import PairSet
from tiepoint.encoders.base import Encoder
from tiepoint.types import Modality


def signed(
    method: str,
    options: Mapping[str, Any],
    dim: int,
    encoders: Mapping[Modality, Encoder],
    pairs: PairSet,
    seed: int,
    metrics: Mapping[str, Any],
    content: bytes,
) -> Card:
    """Return the card of what was just fitted.

    Args:
        method: The method's name.
        options: What it was told.
        dim: Length of the joint vectors.
        encoders: The encoders by modality.
        pairs: What it was fitted on.
        seed: Of the fit.
        metrics: Its figures.
        content: Of the tensors' file.
    """
    return Card(
        method=method,
        options=dict(options),
        dim=dim,
        encoders={
            m: EncoderCard(fingerprint=e.fingerprint, dim=e.dim) for m, e in encoders.items()
        },
        data=DataCard(
            hash=pairs.data_hash,
            pairs=len(pairs.links),
            rows={m: len(x) for m, x in pairs.vectors.items()},
        ),
        seed=seed,
        metrics=dict(metrics),
        date=cards.now(),
        tiepoint=__version__,
        versions=cards.versions(),
        sha256=cards.sha256(content),
    )


def card_fingerprint(card: Card) -> str:
    """Return the fingerprint of the aligner that a card describes."""
    parts = [card.method, card.sha256, repr(sorted(card.options.items()))]
    parts += [f"{m}={e.fingerprint}" for m, e in sorted(card.encoders.items())]
    return f"{card.method}/{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:32]}"
