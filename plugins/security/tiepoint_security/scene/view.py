"""A frame as rules see it: what moves in it, since when, and what it looks like."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tiepoint_adapters.media.cameras.frames import CameraFrame
from tiepoint_security.alerts.observation import Box
from tiepoint_security.frames.grey import Grey
from tiepoint_security.normality.standing import Standing
from tiepoint_security.rules.places import Point

PATH_S = 300.0
"""How long the way of a region is remembered."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What something looked like.

    Attributes:
        time_s: When (the stream's time).
        own: (d,) float32, unit norm, of the encoder.
        joint: (k,) float32, unit norm, in the space of the alignment; None without one.
    """

    time_s: float
    own: NDArray[np.float32]
    joint: NDArray[np.float32] | None


@dataclass(slots=True, eq=False)
class Region:
    """A thing that is followed from frame to frame; the same object in every view.

    Attributes:
        track: Its name, unique for this camera, also across processes.
        box: Where it is, or was when it was seen last.
        since_s: When it was first seen (the stream's time).
        seen_s: When it was last seen.
        label: What the detector calls it; empty without one.
        path: Where it stood (the middle of its lower edge), with the times, oldest first.
        look: What it looked like last.
        looks: How often it was looked at.
    """

    track: str
    box: Box
    since_s: float
    seen_s: float
    label: str = ""
    path: deque[tuple[float, Point]] = field(default_factory=lambda: deque(maxlen=4096))
    look: Look | None = None
    looks: int = 0

    @property
    def foot(self) -> Point:
        """Where it stands: the middle of its lower edge."""
        return (self.box[0] + self.box[2]) / 2, self.box[3]

    def move(self, box: Box, time_s: float) -> None:
        """Note where it is now."""
        self.box, self.seen_s = box, time_s
        self.path.append((time_s, self.foot))
        while time_s - self.path[0][0] > PATH_S:
            self.path.popleft()


@dataclass(slots=True, eq=False)
class View:
    """What is known of one analysed frame.

    Attributes:
        frame: The frame, its privacy masks burned in.
        grey: The working picture, (h, w) uint8.
        moving: Whether anything changed since a moment ago.
        regions: What is followed now; those with `seen_s` of this frame were seen in it.
        standing: How unusual its motion is; None while that is not known.
        look: The whole picture's; of an earlier frame where little changed since.
        fresh: The regions that were looked at in this frame.
        scene_is_fresh: Whether the whole picture was.
    """

    frame: CameraFrame
    grey: Grey
    moving: bool
    regions: tuple[Region, ...] = ()
    standing: Standing | None = None
    look: Look | None = None
    fresh: tuple[Region, ...] = ()
    scene_is_fresh: bool = False

    @property
    def time_s(self) -> float:
        """The stream's time of the frame."""
        return self.frame.time_s
