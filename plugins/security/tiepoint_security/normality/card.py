"""The card of a camera's normality: what it was fitted on, and what its thresholds rest on."""

from __future__ import annotations

from pydantic import Field

from tiepoint.cards import SavedCard, SavedFit, sha256
from tiepoint.fusion.calibration import BackgroundQuantile


class NormalityCard(SavedCard):
    """What stands in `normality.json` beside the tensors.

    Attributes:
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
        return sha256(repr(parts).encode())[:16]


SAVED = SavedFit(
    "normality",
    NormalityCard,
    "normality.json",
    "normality.safetensors",
    "Fit one: tiepoint security fit --train DIR --out DIR.",
)
