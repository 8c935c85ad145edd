"""What a frame holds, before it is followed: the contract of what finds it, and its boxes."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from tiepoint.encoders.images import Pixels
from tiepoint_security.alerts.observation import Box


class Found(NamedTuple):
    """A thing in a frame.

    Attributes:
        box: Where, as parts of the picture's width and height.
        score: How sure it is, in [0, 1].
        label: What it is; empty if unknown.
    """

    box: Box
    score: float = 1.0
    label: str = ""


class Detector(Protocol):
    """Finds things in pictures; one object serves all cameras, from several threads."""

    def warm_up(self) -> None:
        """Load the model. Idempotent."""

    def detect(self, pixels: Pixels) -> list[Found]:
        """Return what is in a picture, (h, w, 3) uint8 RGB of any size."""
