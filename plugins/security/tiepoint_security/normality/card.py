"""The card of a camera's normality: what it was fitted on, and what its thresholds rest on."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tiepoint.errors import InputError
from tiepoint.fusion.calibration import BackgroundQuantile

CARD = "normality.json"
TENSORS = "normality.safetensors"
FORMAT = 1


class NormalityCard(BaseModel):
    """What stands in `normality.json` beside the tensors.

    Attributes:
        format: Version of this layout.
        fps: Frames per second that it was fitted at; a stream has to be analysed at the same.
        lag: Frames that the flow looks back.
        width: Of the working picture, in pixels.
        height: Of the working picture.
        clips: Number of clips it was fitted on.
        frames: Number of frames.
        data: SHA-256 of the motion that was counted.
        background: How rare a sustained score is on ordinary footage, from clips held out in
            turn; None with too little footage to hold any out.
        alerts_per_hour: The rate of alerts on ordinary footage that the threshold was set for.
        threshold: The sustained score from which a frame is alarming.
        date: When it was fitted, ISO 8601 in UTC.
        tiepoint_security: The version that wrote it.
        versions: Of Python and the libraries that computed it.
        sha256: Of the tensors' file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = FORMAT
    fps: float = Field(gt=0, allow_inf_nan=False)
    lag: int = Field(ge=1)
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    clips: int
    frames: int
    data: str
    background: BackgroundQuantile
    alerts_per_hour: float = Field(gt=0)
    threshold: float = Field(gt=0, allow_inf_nan=False)
    date: str
    tiepoint_security: str
    versions: dict[str, str]
    sha256: str

    @property
    def fingerprint(self) -> str:
        """Of everything that decides the scores, in hexadecimal."""
        parts = (self.format, self.fps, self.lag, self.width, self.height, self.sha256)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def read_card(folder: Path) -> NormalityCard:
    """Read the card of a saved normality.

    Raises:
        InputError: There is none, or it is not one.
    """
    path = folder / CARD
    try:
        card = NormalityCard.model_validate_json(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(
            f"there is no fitted normality here ({error.strerror})",
            where=str(path),
            hint="Fit one: tiepoint security fit --train DIR --out DIR.",
        ) from error
    except (ValidationError, UnicodeDecodeError) as error:
        raise InputError(
            "this is not the card of a fitted normality", where=str(path), hint="Fit it again."
        ) from error
    if card.format != FORMAT:
        raise InputError(
            f"the card has format {card.format}, and this release reads {FORMAT}",
            where=str(path),
            hint="Fit it again, or install the release that wrote it.",
        )
    return card


def read_tensors(card: NormalityCard, folder: Path) -> bytes:
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
            hint="Fit the normality again.",
        ) from error
    if hashlib.sha256(content).hexdigest() != card.sha256:
        raise InputError(
            "the file is truncated or was changed: its SHA-256 is not that of the card",
            where=str(path),
            hint="Copy the folder again, or fit the normality again.",
        )
    return content
