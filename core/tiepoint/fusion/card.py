"""The card of a fitted fusion: what it is, what it was fitted on, and which routes it needs."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tiepoint.cards import SavedCard, SavedFit
from tiepoint.fusion.calibration import MatchProbability


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


class FusionCard(SavedCard):
    """What stands in `fusion.json` beside the tensors.

    Attributes:
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


SAVED = SavedFit(
    "fusion",
    FusionCard,
    "fusion.json",
    "fusion.safetensors",
    "Fit one: tiepoint fusion fit CONFIG --queries FILE --out DIR.",
)
