"""One camera under watch: its scene, what is ordinary there, and its rules."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import TiepointError
from tiepoint_adapters.media.cameras.frames import CameraFrame
from tiepoint_security.alerts.alert import Alert
from tiepoint_security.alerts.observation import Box, Observation
from tiepoint_security.evidence.pictures import thumbnail
from tiepoint_security.evidence.recorder import Recorder
from tiepoint_security.rules.rule import Rule
from tiepoint_security.rules.settings import RuleSettings
from tiepoint_security.rules.triggers import AbnormalSettings, DescribedSettings
from tiepoint_security.scene.boxes import Detector
from tiepoint_security.scene.ordinary import Ordinary, usual
from tiepoint_security.scene.understanding import CameraScene, Wish
from tiepoint_security.scene.view import Look, Region, View
from tiepoint_security.scene.vision import Vision
from tiepoint_security.triggers.making import Surroundings, make_trigger
from tiepoint_security.triggers.motion_watch import MotionWatch
from tiepoint_security.watching.settings import CameraSettings, WatchSettings

logger = logging.getLogger(__name__)

_EDGE = 0.005  # of the picture's sides: what comes so near to its edge may go on beyond


class CameraWatch:
    """Understands the frames of one camera, and says what its rules make of them.

    Args:
        name: The camera's.
        settings: All settings of watching.
        vision: What makes vectors; None without an encoder of pictures.
        detector: What finds things; None for what differs from the background.
        folder: Where what is learned of the camera is kept; in memory only if None.

    Raises:
        ConfigError: A rule needs what the deployment does not have.
        InputError: What was learned, or fitted, or an example picture cannot be read.
    """

    def __init__(
        self,
        name: str,
        settings: WatchSettings,
        vision: Vision | None,
        detector: Detector | None,
        folder: Path | None,
    ) -> None:
        self.name = name
        self.settings: CameraSettings = settings.cameras[name]
        self._folder = folder
        self._vision = vision
        self.recorder = Recorder(settings.evidence.before_s, settings.evidence.after_s)
        chosen = settings.rules_of(name)
        self.scene = CameraScene(
            self.settings.fps,
            detector,
            looks_at=looked_at(chosen) if vision is not None else frozenset(),
            detect_every_s=0.0 if settings.detector is None else settings.detector.every_s,
        )
        fingerprint = None if vision is None else vision.fingerprint
        self.regions = self._ordinary("regions", fingerprint)
        self.scenes = self._ordinary("scenes", fingerprint)
        self.motion = self._motion(settings, chosen)
        self._heats: deque[NDArray[np.float32]] = deque(maxlen=max(1, round(self.settings.fps)))
        around = Surroundings(
            self.settings.zones,
            self.settings.lines,
            vision,
            self.regions,
            self.scenes,
            self.motion,
        )
        self.rules = [
            Rule(rule, one, self.settings.zones, lambda given: make_trigger(given, around))
            for rule, one in chosen.items()
        ]
        self.error: str | None = None

    def understand(self, frame: CameraFrame) -> View:
        """Take the next frame: what moves in it, and how unusually."""
        view = self.scene.step(frame)
        if self.motion is not None:
            try:
                view.standing = self.motion.step(view.grey, view.time_s)
                if view.standing is None:
                    self._heats.clear()
                else:
                    self._heats.append(view.standing.heat)
                self.error = None
            except TiepointError as error:
                if self.error is None:
                    logger.error("camera %s: %s", self.name, error)
                self.error = str(error)
        return view

    def take(self, wish: Wish, look: Look) -> None:
        """Take what a picture that was wished for looks like."""
        wish.fulfil(look)
        kind = self.scenes if wish.region is None else self.regions
        if kind is not None:
            subject = _minute(look) if wish.region is None else wish.region.track
            whole = wish.region is None or _whole(wish.region.box)
            picture = (lambda side: thumbnail(wish.pixels, side)) if whole else None
            kind.offer(look.time_s, usual(look.own, look.joint, subject, picture))

    def judge(self, view: View) -> list[Observation]:
        """Return what the rules say of a frame that was understood and looked at."""
        self.scene.remember(view)
        for kind in (self.regions, self.scenes):
            if kind is not None:
                kind.step(view.time_s)
        found = []
        for rule in self.rules:
            rule.step(view)
            found += rule.observations(view)
        return found

    def alerted(self, alert: Alert, observation: Observation) -> None:
        """Keep what an alert is about from becoming ordinary."""
        if self.regions is not None and observation.track:
            self.regions.reject(observation.track)
        elif self.scenes is not None and not observation.track:
            self.scenes.reject_all()

    def heat(self) -> NDArray[np.float32] | None:
        """Return how unusual each place was within the last second; None if that is unknown."""
        latest = [heat for heat in self._heats if heat.shape == self._heats[-1].shape]
        return np.maximum.reduce(latest) if latest else None

    def usual_for(self, view: View, observation: Observation, count: int = 3) -> tuple[bytes, ...]:
        """Return JPEGs of the things that usually are there and look most like an alert's.

        What an alert of the whole scene is about is the thing that fills most of its box.
        """
        look = observation.appearance
        if look is None and observation.box is not None:
            thing = _fills(observation.box, view)
            look = None if thing is None or thing.look is None else thing.look.own
        if self.regions is None or look is None:
            return ()
        nearest = self.regions.nearest(np.asarray(look, np.float32), count)
        return tuple(content for _, content in nearest)

    def settle(self) -> None:
        """Take what waits as ordinary: the footage is over."""
        for kind in (self.regions, self.scenes):
            if kind is not None:
                kind.settle()
        if self.motion is not None:
            self.motion.settle()

    def save(self) -> None:
        """Keep what was learned of what is ordinary.

        Raises:
            OSError: It cannot be written.
        """
        if self._folder is None:
            return
        for name, kind in (("regions", self.regions), ("scenes", self.scenes)):
            if kind is not None and kind.changed:
                kind.save(self._folder / f"{name}.safetensors")
        if self.motion is not None:
            self.motion.save()

    def health(self) -> dict[str, Any]:
        """Return plain data: what is followed, how much was gated, what rules still need."""
        missing = {rule.name: found for rule in self.rules if (found := rule.missing())}
        return {
            "analysed": self.scene.frames,
            "still": self.scene.gated,
            "rules": [rule.name for rule in self.rules],
            "learning": missing,
            "usual_looks": len(self.regions) if self.regions is not None else 0,
            "analysis_error": self.error,
        }

    def _ordinary(self, kind: str, fingerprint: str | None) -> Ordinary | None:
        if fingerprint is None:
            return None
        if self._folder is None:
            return Ordinary(fingerprint)
        return Ordinary.load(self._folder / f"{kind}.safetensors", fingerprint)

    def _motion(
        self, settings: WatchSettings, rules: dict[str, RuleSettings]
    ) -> MotionWatch | None:
        asked = any(
            isinstance(trigger, AbnormalSettings) and trigger.by == "motion"
            for rule in rules.values()
            for _, _, trigger in rule.when.triggers()
        )
        if not asked:
            return None
        given = self.settings.normality
        learned = None if self._folder is None else self._folder / "normality"
        return MotionWatch(
            self.settings.fps,
            settings.learning.seconds,
            learned,
            given=given,
            learns=settings.learning.on_line,
        )


def looked_at(rules: Mapping[str, RuleSettings]) -> frozenset[str]:
    """Return what of frames is looked at: `regions`, and `scene` where a rule asks for it.

    Regions always are: by their looks, alerts about one thing are known as one.
    """
    asked = {
        trigger.look_at
        for rule in rules.values()
        for _, _, trigger in rule.when.triggers()
        if isinstance(trigger, DescribedSettings)
    }
    return frozenset({"regions", *asked}) if rules else frozenset()


def _whole(box: Box) -> bool:
    """Return whether a thing is in the picture as a whole, for all that can be told."""
    return box[0] > _EDGE and box[1] > _EDGE and box[2] < 1 - _EDGE and box[3] < 1 - _EDGE


def _fills(box: Box, view: View) -> Region | None:
    """Return the thing that fills most of a box; None where nothing is in it."""
    shares = [(_shared(box, region.box), region) for region in view.regions if region.look]
    share, region = max(shares, key=lambda pair: pair[0], default=(0.0, None))
    return region if share > 0 else None


def _shared(one: Box, other: Box) -> float:
    """Return the area that two boxes share."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height)


def _minute(look: Look) -> str:
    """Return the subject of a look at the whole picture: what is there in one minute is one."""
    return f"minute {int(look.time_s // 60)}"
