"""The contract of triggers, and the scale that they all share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tiepoint_security.alerts.observation import Box
from tiepoint_security.rules.places import Zone, in_zone
from tiepoint_security.scene.view import Region, View

About = Literal["scene", "regions", "things"]


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a trigger can say anything yet.

    Attributes:
        ready: Whether it can.
        missing: What is missing if not, in words.
    """

    ready: bool = True
    missing: str = ""


READY = Readiness()


class Trigger(ABC):
    """Looks for one kind of thing on one camera.

    `step` is called once for every analysed frame, then `score` for each subject of the rule.
    Scores lie in [0, 1], and 0.5 is the threshold; see `scaled`.

    Attributes:
        about: What it speaks of: the whole `scene`, each of the `regions` that are followed,
            or `things` that it finds itself.
    """

    about: About

    @abstractmethod
    def step(self, view: View) -> None:
        """Take the next frame."""

    @abstractmethod
    def score(self, subject: Region | None) -> float:
        """Return how far it is the case for a subject now; None is the scene."""

    def things(self) -> list[Region]:
        """Return what it has found by itself."""
        return []

    def box(self) -> Box | None:
        """Return where in the scene it is the case; None if everywhere, or nowhere."""
        return None

    def readiness(self) -> Readiness:
        """Return whether it can say anything yet."""
        return READY


def scaled(ratio: float) -> float:
    """Return the score of something that reached so many times its threshold.

    >>> scaled(0.0), scaled(1.0), scaled(3.0)
    (0.0, 0.5, 0.75)
    """
    return max(0.0, ratio) / (1.0 + max(0.0, ratio))


class Zones:
    """Some zones of a camera.

    Args:
        zones: All zones of the camera.
        names: Which; none stands for the whole picture.
    """

    def __init__(self, zones: Mapping[str, Zone], names: tuple[str, ...]) -> None:
        self._zones = [zones[name] for name in names]

    def hold(self, region: Region) -> bool:
        """Return whether something stands in one of them."""
        return not self._zones or any(in_zone(region.foot, zone) for zone in self._zones)

    def touch(self, box: Box) -> bool:
        """Return whether the middle of a box lies in one of them."""
        middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        return not self._zones or any(in_zone(middle, zone) for zone in self._zones)
