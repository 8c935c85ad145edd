"""Frames of many cameras to observations: understood side by side, looked at in one batch."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tiepoint.threads import preparation_threads
from tiepoint_adapters.clock import Clock
from tiepoint_adapters.media.cameras.frames import CameraFrame
from tiepoint_security.alerts.alert import Alert
from tiepoint_security.alerts.desk import AlertDesk
from tiepoint_security.alerts.observation import Observation
from tiepoint_security.evidence.keeper import EvidenceKeeper, Scene
from tiepoint_security.scene.understanding import Wish
from tiepoint_security.scene.view import Look, View
from tiepoint_security.scene.vision import Vision
from tiepoint_security.watching.camera import CameraWatch

logger = logging.getLogger(__name__)

MOST_LOOKS = 24
"""Pictures that are looked at in one round, of all cameras together; the others wait."""

_REMEMBERED_ALERTS = 1024
_LATENCIES = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A frame with what came of it.

    Attributes:
        view: What is known of it.
        alerts: The alerts that go on in it.
        raised: Those of them that it raised.
    """

    view: View
    alerts: tuple[Alert, ...]
    raised: tuple[Alert, ...]


Listener = Callable[[Judged], None]
"""Called for every analysed frame, from the analysing thread; must not take long."""


class Watching:
    """Analyses frames, tells the desk of alerts, and has evidence kept.

    Args:
        cameras: The cameras, by name.
        vision: What makes vectors; None without.
        desk: The desk of alerts.
        keeper: What writes evidence; None for none.
        clock: The clocks.
        clips: Whether clips are kept.
    """

    def __init__(
        self,
        cameras: Mapping[str, CameraWatch],
        vision: Vision | None,
        desk: AlertDesk,
        keeper: EvidenceKeeper | None,
        clock: Clock,
        *,
        clips: bool = True,
    ) -> None:
        self.cameras = dict(cameras)
        self.listeners: list[Listener] = []
        self._vision = vision
        self._desk = desk
        self._keeper = keeper
        self._clips = clips and keeper is not None
        self._clock = clock
        self._known: deque[str] = deque(maxlen=_REMEMBERED_ALERTS)
        self._walls: dict[str, float] = {}
        self._waits_s: deque[float] = deque(maxlen=_LATENCIES)
        self.failures = 0

    def analyse(self, frames: Sequence[CameraFrame]) -> list[Judged]:
        """Take the newest frame of some cameras, at most one of each, and judge them."""
        understood = preparation_threads().map(self._understand, frames)
        views = [view for view in understood if view is not None]
        self._look(views)
        judged = [self._judge(view) for view in views]
        for one in judged:
            for listener in self.listeners:
                listener(one)
        return judged

    def finish(self, only: str | None = None) -> None:
        """Complete what is open: no further frame comes.

        Args:
            only: Of this camera; of all if None.
        """
        for name in self.cameras if only is None else (only,):
            self._keep_clips(self.cameras[name].recorder.finish())
            self.cameras[name].settle()
            logger.debug("camera %s: finished", name)

    def health(self) -> dict[str, Any]:
        """Return plain data: how long frames took from their arrival to the desk, and more."""
        waits = np.array(self._waits_s or [0.0]) * 1000
        keeper = self._keeper
        return {
            "frames": sum(camera.scene.frames for camera in self.cameras.values()),
            "still": sum(camera.scene.gated for camera in self.cameras.values()),
            "looks": 0 if self._vision is None else self._vision.encoded,
            "latency_ms": {
                "p50": round(float(np.percentile(waits, 50)), 1),
                "p95": round(float(np.percentile(waits, 95)), 1),
            },
            "failures": self.failures,
            "evidence": {
                "written": 0 if keeper is None else keeper.written,
                "lost": 0 if keeper is None else keeper.lost,
                "error": None if keeper is None else keeper.error,
            },
        }

    def _understand(self, frame: CameraFrame) -> View | None:
        try:
            return self.cameras[frame.camera].understand(frame)
        except Exception:  # one camera's odd frame must not blind the others
            self.failures += 1
            logger.exception("camera %s: a frame could not be analysed", frame.camera)
            return None

    def _look(self, views: Sequence[View]) -> None:
        if self._vision is None or not views:
            return
        wishes = [w for view in views for w in self.cameras[view.frame.camera].scene.wishes(view)]
        wishes.sort(key=_urgency)
        del wishes[MOST_LOOKS:]
        own, joint = self._vision.see([wish.pixels for wish in wishes])
        for row, wish in enumerate(wishes):
            look = Look(wish.view.time_s, own[row], None if joint is None else joint[row])
            self.cameras[wish.view.frame.camera].take(wish, look)

    def _judge(self, view: View) -> Judged:
        camera = self.cameras[view.frame.camera]
        if self._clips:
            self._keep_clips(camera.recorder.add(view.frame))
        alerts: dict[str, Alert] = {}
        raised: list[Alert] = []
        for observation in camera.judge(view):
            alert = self._desk.observe(observation)
            if alert is None:
                continue
            alerts[alert.id] = alert
            camera.alerted(alert, observation)
            if alert.id not in self._known:
                self._known.append(alert.id)
                raised.append(alert)
                self._keep(camera, view, alert, observation)
        self._waits_s.append(self._clock.monotonic() - view.frame.arrived_s)
        return Judged(view, tuple(alerts.values()), tuple(raised))

    def _keep(
        self, camera: CameraWatch, view: View, alert: Alert, observation: Observation
    ) -> None:
        """Keep the evidence of an alert, but for what the process before has kept of it."""
        if self._keeper is None:
            return
        motion = camera.motion
        threshold = None if motion is None else motion.threshold(None)
        if "snapshot" not in alert.evidence:
            self._keeper.keep_pictures(
                Scene(
                    alert.id,
                    alert.started_wall_s,
                    view.frame.pixels,
                    observation.box,
                    None if threshold is None else camera.heat(),
                    threshold or 1.0,
                    camera.usual_for(view, observation),
                )
            )
        unkept = self._clips and "clip" not in alert.evidence
        if unkept and camera.recorder.begin(alert.id, view.time_s):
            self._walls[alert.id] = alert.started_wall_s

    def _keep_clips(self, complete: list[tuple[str, list[Any]]]) -> None:
        for alert_id, frames in complete:
            if self._keeper is not None and frames:
                self._keeper.keep_clip(alert_id, self._walls.pop(alert_id), frames)


def _urgency(wish: Wish) -> tuple[int, float]:
    """Order wishes: what was never looked at, then the scene, then what was seen longest ago."""
    if wish.region is None:
        return 1, 0.0
    if wish.region.look is None:
        return 0, 0.0
    return 2, wish.region.look.time_s
