"""*Abnormal*: what the camera's ordinary footage does not have, by motion or by looks."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from tiepoint_security.alerts.observation import Box
from tiepoint_security.scene.ordinary import Ordinary
from tiepoint_security.scene.view import Region, View
from tiepoint_security.triggers.base import Readiness, Trigger, Zones, scaled
from tiepoint_security.triggers.described import RELEARN_S
from tiepoint_security.triggers.motion_watch import MotionWatch
from tiepoint_security.triggers.rarity import LEAST, Rarity, recent_mean

_LOOKS = 3
_HERE = 0.5  # of the most unusual place: a thing with less in its box is not what is unusual


class AbnormalMotion(Trigger):
    """Motion that is too fast, or goes another way, for its place.

    For a region it is the most unusual place inside its box; for the scene, of the picture,
    and its box is that of the thing which is there: motion reaches a little behind who moves.

    Args:
        zones: Where it counts.
        watch: The camera's motion.
        alerts_per_hour: Of ordinary footage; as the normality was fitted for if None.
    """

    def __init__(self, zones: Zones, watch: MotionWatch, alerts_per_hour: float | None) -> None:
        self.about = "scene"
        self._zones = zones
        self._watch = watch
        self._alerts_per_hour = alerts_per_hour
        self._view: View | None = None

    def step(self, view: View) -> None:
        self._view = view

    def score(self, subject: Region | None) -> float:
        threshold = self._watch.threshold(self._alerts_per_hour)
        standing = self._view.standing if self._view is not None else None
        if threshold is None or standing is None:
            return 0.0
        if subject is not None:
            return scaled(_highest(standing.heat, subject.box) / threshold)
        box = self.box()
        if box is None or not self._zones.touch(box):
            return 0.0
        return scaled(standing.score / threshold)

    def box(self) -> Box | None:
        standing = self._view.standing if self._view is not None else None
        if self._view is None or standing is None:
            return None
        heats = [
            (_highest(standing.heat, region.box), region.box)
            for region in self._view.regions
            if region.seen_s == self._view.time_s
        ]
        heat, box = max(heats, default=(0.0, None))
        return box if heat > _HERE * standing.score else standing.box

    def readiness(self) -> Readiness:
        return self._watch.readiness()


class AbnormalLooks(Trigger):
    """Things that look like nothing that usually moves there.

    The score is the distance to the most similar look of another thing (1-NN, by cosine, in
    the space of the encoder), as a mean over three looks, calibrated by the same distance
    among the ordinary looks.

    Args:
        zones: Where it counts.
        ordinary: What usually moves there.
        alerts_per_hour: Of ordinary footage.
    """

    def __init__(self, zones: Zones, ordinary: Ordinary, alerts_per_hour: float) -> None:
        self.about = "regions"
        self._zones = zones
        self._ordinary = ordinary
        self._rarity = Rarity(alerts_per_hour)
        self._learnt: tuple[int, float] = (-1, float("-inf"))
        self._distances: dict[str, deque[float]] = {}

    def step(self, view: View) -> None:
        version, at_s = self._learnt
        if version != self._ordinary.version and not 0 <= view.time_s - at_s < RELEARN_S:
            self._learnt = (self._ordinary.version, view.time_s)
            self._rarity.learn(self._ordinary.distances(), self._ordinary.subjects_per_hour)
        for region in view.fresh:
            if region.look is not None:
                kept = self._distances.setdefault(region.track, deque(maxlen=_LOOKS))
                kept.append(self._ordinary.distance(region.look.own))
        there = {region.track for region in view.regions}
        for track in self._distances.keys() - there:
            del self._distances[track]

    def score(self, subject: Region | None) -> float:
        if subject is None or subject.track not in self._distances:
            return 0.0
        if not self._zones.hold(subject):
            return 0.0
        return scaled(self._rarity.ratio(recent_mean(self._distances[subject.track])))

    def readiness(self) -> Readiness:
        ordinary, noun = self._ordinary, "looks at moving things"
        compared = LEAST if self._rarity.ready else len(ordinary.distances())
        return self._rarity.readiness(noun, compared, ordinary.waiting, ordinary.looks_per_hour)


def _highest(heat: NDArray[np.float32], box: Box) -> float:
    rows, columns = heat.shape
    left, top = int(box[0] * columns), int(box[1] * rows)
    right, bottom = int(np.ceil(box[2] * columns)), int(np.ceil(box[3] * rows))
    inside = heat[top : max(top + 1, bottom), left : max(left + 1, right)]
    return float(inside.max()) if inside.size else 0.0
