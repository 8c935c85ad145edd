"""*Fight*: fight-like motion, and rarer than what the camera usually shows."""

from __future__ import annotations

import cv2
import numpy as np

from tiepoint_security.behaviour.fights import FPS, WIDTH, FightStream
from tiepoint_security.frames.flow import gap_of
from tiepoint_security.rules.triggers import FightSettings
from tiepoint_security.scene.view import Region, View
from tiepoint_security.triggers.base import Trigger, scaled
from tiepoint_security.triggers.rarity import LEAST, Rarity

_EVERY_S = 1.0
_KEPT = 3600
_QUARANTINE = 30  # scores


class Fight(Trigger):
    """Bodies that move against each other.

    The score that was fitted on labelled clips decides until there is enough of the camera's
    own footage; from then on a fight must be rare there, too.

    Args:
        settings: The rate on ordinary footage.
    """

    def __init__(self, settings: FightSettings) -> None:
        self.about = "scene"
        self._stream = FightStream()
        self._last_s: float | None = None
        self._rarity = Rarity(settings.alerts_per_hour)
        self._usual: list[float] = []
        self._sampled_s = float("-inf")
        self._raw = 0.0

    def step(self, view: View) -> None:
        grey = view.grey
        if grey.shape[1] != WIDTH:
            height = max(1, round(grey.shape[0] * WIDTH / grey.shape[1]))
            grey = np.asarray(cv2.resize(grey, (WIDTH, height), interpolation=cv2.INTER_AREA))
        since_s = 1 / FPS if self._last_s is None else view.time_s - self._last_s
        self._last_s = view.time_s
        self._raw = self._stream.step(np.asarray(grey, np.uint8), gap_of(since_s, FPS))
        if view.time_s - self._sampled_s >= _EVERY_S:
            self._sampled_s = view.time_s
            if self._raw < 0.5:
                self._usual = [*self._usual, self._raw][-_KEPT:]
            elif len(self._usual) > _QUARANTINE:
                del self._usual[-1]  # what led up to it is not ordinary
            if len(self._usual) >= LEAST and len(self._usual) % _QUARANTINE == 0:
                self._rarity.learn(self._usual[:-_QUARANTINE], 60.0)

    def score(self, subject: Region | None) -> float:
        likely = scaled(self._raw / max(1e-6, 1 - self._raw))
        if not self._rarity.ready:
            return likely
        return min(likely, scaled(self._rarity.ratio(self._raw)))
