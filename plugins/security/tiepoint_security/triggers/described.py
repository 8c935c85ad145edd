"""*Described*: how well what is seen fits a sentence or an example, while it is there.

A cosine means nothing by itself: another sentence has another level, and so has another
camera. So each is compared with what the camera usually shows: the score says how rare such a
fit is there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tiepoint_security.rules.triggers import DescribedSettings
from tiepoint_security.scene.ordinary import Ordinary
from tiepoint_security.scene.view import Look, Region, View
from tiepoint_security.scene.vision import Vision
from tiepoint_security.triggers.base import Readiness, Trigger, Zones, scaled
from tiepoint_security.triggers.rarity import Rarity, recent_mean

LOOKS = 3
"""Whose mean is a region's score."""

_SCENE = ""
RELEARN_S = 20.0
"""The least time between two calibrations by footage that goes on to grow."""


class Described(Trigger):
    """Something that a sentence or a picture describes.

    A region's score is the mean over its last three looks.

    Args:
        settings: The description.
        zones: Where it counts.
        vision: What makes vectors.
        ordinary: What the camera usually shows, of the same kind.

    Raises:
        ConfigError: Sentences cannot be compared with pictures here.
        DecodeError: The example cannot be read.
    """

    def __init__(
        self, settings: DescribedSettings, zones: Zones, vision: Vision, ordinary: Ordinary
    ) -> None:
        self.about = "regions" if settings.look_at == "regions" else "scene"
        self._zones = zones
        self._ordinary = ordinary
        self._rarity = Rarity(settings.alerts_per_hour)
        self._wanted, self._fits = _question(settings, vision)
        self._learnt: tuple[int, float] = (-1, float("-inf"))
        self._scores: dict[str, deque[float]] = {}

    def step(self, view: View) -> None:
        self._learn(view.time_s)
        if self.about == "scene":
            if view.scene_is_fresh and view.look is not None:
                self._note(_SCENE, view.look)
            return
        for region in view.fresh:
            if region.look is not None:
                self._note(region.track, region.look)
        there = {region.track for region in view.regions}
        for track in self._scores.keys() - there:
            del self._scores[track]

    def score(self, subject: Region | None) -> float:
        track = _SCENE if self.about == "scene" or subject is None else subject.track
        if track not in self._scores or (subject is not None and not self._zones.hold(subject)):
            return 0.0
        return scaled(self._rarity.ratio(recent_mean(self._scores[track])))

    def readiness(self) -> Readiness:
        noun = "looks at moving things" if self.about == "regions" else "looks at the picture"
        ordinary = self._ordinary
        return self._rarity.readiness(
            noun, len(ordinary), ordinary.waiting, ordinary.looks_per_hour
        )

    def _note(self, track: str, look: Look) -> None:
        vector = self._fits(look)
        if vector is not None:
            scores = self._scores.setdefault(track, deque(maxlen=LOOKS))
            scores.append(float(vector @ self._wanted))

    def _learn(self, now_s: float) -> None:
        version, at_s = self._learnt
        grown = version != self._ordinary.version
        if not grown or (self._rarity.ready and 0 <= now_s - at_s < RELEARN_S):
            return
        self._learnt = (self._ordinary.version, now_s)
        rows = self._ordinary.joint if self._wanted_is_joint else self._ordinary.own
        if rows.shape[1] == len(self._wanted):
            self._rarity.learn(rows @ self._wanted, self._ordinary.subjects_per_hour)

    @property
    def _wanted_is_joint(self) -> bool:
        return self._fits is _joint


def _joint(look: Look) -> NDArray[np.float32] | None:
    return look.joint


def _own(look: Look) -> NDArray[np.float32] | None:
    return look.own


def _question(
    settings: DescribedSettings, vision: Vision
) -> tuple[NDArray[np.float32], Callable[[Look], NDArray[np.float32] | None]]:
    """Return the wanted vector, and what of a look it is compared with.

    Pictures compare best in the space of their own encoder.
    """
    if settings.text is not None:
        return vision.sentence(settings.text), _joint
    if settings.picture is None:
        raise ValueError("neither text nor picture")
    return vision.example(settings.picture), _own
