"""The card of a fitted aligner: what it is, what it was fitted on, and what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tiepoint.cards import SavedCard, SavedFit
from tiepoint.encoders.base import Encoder
from tiepoint.errors import FingerprintError
from tiepoint.fusion.calibration import MatchProbability
from tiepoint.types import Modality


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EncoderCard(_Part):
    """An encoder whose vectors the aligner takes.

    Attributes:
        fingerprint: Names everything that the vectors depend on.
        dim: Length of the vectors.
        section: What a deployment file says of it (`type` and options), where it is known, so
            that the aligner can be evaluated without naming its encoders again.
    """

    fingerprint: str
    dim: int
    section: dict[str, Any] = Field(default_factory=dict)


class DataCard(_Part):
    """What the aligner was fitted on.

    Attributes:
        hash: SHA-256 of vectors and links.
        pairs: Number of links.
        rows: Number of vectors by modality.
    """

    hash: str
    pairs: int
    rows: dict[Modality, int]


class Card(SavedCard):
    """What stands in `aligner.json` beside the tensors.

    Attributes:
        method: The method's entry point in `tiepoint.aligners`.
        options: What the method was told.
        dim: Length of the joint vectors.
        encoders: The encoders by modality; others are refused.
        data: What it was fitted on.
        seed: The seed of the fit.
        metrics: Figures of the fit, such as those on the validation pairs.
        calibration: From the similarity of a top hit to the probability that it is right, by
            route, such as `text->image`, or `text[en]->image` and `image->text[en]` for texts of
            one language; empty where it was not calibrated.
        notice: What the weights may be used for, where the data say so.
        date: When it was fitted, ISO 8601 in UTC.
        tiepoint: The version that wrote it.
        versions: Of Python and the libraries that computed it.
        sha256: Of the tensors' file.
    """

    method: str
    options: dict[str, Any]
    dim: int
    encoders: dict[Modality, EncoderCard]
    data: DataCard
    seed: int
    metrics: dict[str, Any] = Field(default_factory=dict)
    calibration: dict[str, MatchProbability] = Field(default_factory=dict)
    notice: str = ""
    date: str
    tiepoint: str
    versions: dict[str, str]
    sha256: str

    def match_probability(
        self, query: Modality, gallery: Modality, language: str
    ) -> MatchProbability | None:
        """Return the calibration of a route for a language, or for all where it has none."""
        names = (f"{query}[{language}]->{gallery}", f"{query}->{gallery}[{language}]")
        of_language = (self.calibration[name] for name in names if name in self.calibration)
        return next(of_language, self.calibration.get(f"{query}->{gallery}"))


SAVED = SavedFit(
    "aligner",
    Card,
    "aligner.json",
    "aligner.safetensors",
    "Fit one: tiepoint align fit --out DIR.",
)


def check_encoders(card: Card, encoders: Mapping[Modality, Encoder], folder: Path) -> None:
    """Refuse encoders other than those that the aligner was fitted for.

    Raises:
        FingerprintError: A modality that it does not know, or another encoder for it.
    """
    for modality, encoder in encoders.items():
        fitted = card.encoders.get(modality)
        if fitted is None:
            raise FingerprintError(
                f"the aligner was not fitted for {modality}, but for {', '.join(card.encoders)}",
                where=str(folder),
                hint="Remove the modality, or fit an aligner for it.",
            )
        if fitted.fingerprint != encoder.fingerprint:
            raise FingerprintError(
                f"the aligner was fitted for the {modality} encoder {fitted.fingerprint!r},"
                f" not for {encoder.fingerprint!r}",
                where=str(folder),
                hint="Use that encoder, or fit the aligner again with this one.",
            )
