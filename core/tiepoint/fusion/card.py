"""The card of a fitted fusion: what it is, what it was fitted on, and which routes it needs."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tiepoint.errors import InputError
from tiepoint.fusion.calibration import MatchProbability

CARD = "fusion.json"
TENSORS = "fusion.safetensors"
FORMAT = 1


class FusionData(BaseModel):
    """What a fusion was fitted on.

    Attributes:
        hash: SHA-256 of the standings, labels and routes.
        queries: Number of labelled queries.
        gallery: Number of items that they were asked of.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    hash: str
    queries: int
    gallery: int


class FusionCard(BaseModel):
    """What stands in `fusion.json` beside the tensors.

    Attributes:
        format: Version of this layout.
        method: The method's entry point in `tiepoint.fusions`.
        options: What the method was told.
        routes: The routes in the order of the tensors, with the fingerprint of what made their
            vectors, or `bm25`; a deployment whose routes are others is refused.
        data: What it was fitted on.
        seed: The seed of the fit.
        metrics: Figures on held-out queries.
        calibration: From a fused score to the probability that it is right; None without
            enough held-out queries.
        date: When it was fitted, ISO 8601 in UTC.
        tiepoint: The version that wrote it.
        versions: Of Python and the libraries that computed it.
        sha256: Of the tensors' file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = FORMAT
    method: str
    options: dict[str, Any]
    routes: dict[str, str]
    data: FusionData
    seed: int
    metrics: dict[str, Any] = Field(default_factory=dict)
    calibration: MatchProbability | None = None
    date: str
    tiepoint: str
    versions: dict[str, str]
    sha256: str


def read_card(folder: Path) -> FusionCard:
    """Read the card of a saved fusion.

    Raises:
        InputError: There is none, or it is not one.
    """
    path = folder / CARD
    try:
        card = FusionCard.model_validate_json(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(
            f"there is no fitted fusion here ({error.strerror})",
            where=str(path),
            hint="Fit one: tiepoint fusion fit CONFIG --queries FILE --out DIR.",
        ) from error
    except (ValidationError, UnicodeDecodeError) as error:
        raise InputError(
            "this is not the card of a fitted fusion", where=str(path), hint="Fit it again."
        ) from error
    if card.format != FORMAT:
        raise InputError(
            f"the card has format {card.format}, and this release reads {FORMAT}",
            where=str(path),
            hint="Fit it again, or install the release that wrote it.",
        )
    return card


def read_tensors(card: FusionCard, folder: Path) -> bytes:
    """Return the content of the tensors' file, if it is what the card says.

    Raises:
        InputError: It is missing, truncated, or was changed.
    """
    path = folder / TENSORS
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"the tensors cannot be read ({error.strerror})",
            where=str(path),
            hint="Fit the fusion again.",
        ) from error
    if hashlib.sha256(content).hexdigest() != card.sha256:
        raise InputError(
            "the file is truncated or was changed: its SHA-256 is not that of the card",
            where=str(path),
            hint="Copy the folder again, or fit the fusion again.",
        )
    return content
