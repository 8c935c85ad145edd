"""Cameras as they happen: read, analysed and judged until the process ends."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any

from tiepoint.errors import StoreError
from tiepoint_adapters.background import Background
from tiepoint_adapters.clock import Clock
from tiepoint_adapters.media.cameras.frames import CameraFrame
from tiepoint_adapters.media.cameras.pool import CameraPool
from tiepoint_security.alarm import Alarm
from tiepoint_security.alerts.camera_faults import camera_faults
from tiepoint_security.evidence.keeper import EvidenceKeeper
from tiepoint_security.evidence.pictures import jpeg
from tiepoint_security.records.leases import Leases
from tiepoint_security.scene.vision import Vision
from tiepoint_security.watching.false_alarms import FalseAlarms
from tiepoint_security.watching.making import make_cameras
from tiepoint_security.watching.memory import give_back
from tiepoint_security.watching.settings import CameraSettings, WatchSettings
from tiepoint_security.watching.sharing import Sharing
from tiepoint_security.watching.watching import Watching

logger = logging.getLogger(__name__)

_WAIT_S = 0.25
_WATCH_EVERY_S = 1.0
_GIVE_BACK_EVERY_S = 60.0
_SAVE_EVERY_S = 300.0


class LiveWatch:
    """Watches the cameras of a deployment.

    One thread takes the latest frame of every camera, has them analysed side by side, and
    tells the desk. A round that takes long makes cameras drop frames and never queue them, so
    memory and delay stay bounded; what was dropped is counted.

    Args:
        settings: Of watching.
        vision: What makes vectors; None without.
        alarm: Takes observations and evidence.
        clock: The clocks.

    Raises:
        ConfigError: A rule needs what the deployment does not have.
        InputError: What was learned or fitted cannot be read.
    """

    def __init__(
        self, settings: WatchSettings, vision: Vision | None, alarm: Alarm, clock: Clock
    ) -> None:
        folder = alarm.records.folder
        self._alarm = alarm
        self._clock = clock
        self._vision = vision
        self._keeper = EvidenceKeeper(alarm.records.evidence.folder, alarm.add_evidence)
        self.watching = Watching(
            make_cameras(settings, vision, folder / "learned"),
            vision,
            alarm.desk,
            self._keeper,
            clock,
            clips=settings.evidence.clips,
        )
        self.pool = CameraPool(dict(settings.cameras), clock, settings.tampering)
        self.sharing: Sharing | None = None
        if settings.workers is not None:
            leases = Leases(alarm.records.database, alarm.worker, clock, settings.workers.lease_s)
            self.sharing = Sharing(leases, settings.cameras, clock, self._take, self._let_go)
        self._false_alarms = FalseAlarms(alarm.records.archive, self.watching.cameras, vision)
        self._background = Background("watching", self._run)
        self._error: str | None = None
        self._ended: set[str] = set()
        self.latest: dict[str, CameraFrame] = {}

    def start(self) -> None:
        """Begin to watch."""
        if self._vision is not None:
            self._vision.warm_up()
        self._keeper.start()
        if self.sharing is None:
            self.pool.start()
        else:
            self.sharing.start()
        self._background.start()

    def stop(self) -> None:
        """End: what is open is completed, and what was learned is kept."""
        self._background.stop()
        self._close_ended()
        if self.sharing is not None:
            self.sharing.stop()
        self.pool.stop()
        self.watching.finish()
        self._keeper.stop()
        self._save()

    @property
    def cameras(self) -> Mapping[str, CameraSettings]:
        """All cameras of the deployment, by name."""
        return {name: camera.settings for name, camera in self.watching.cameras.items()}

    def picture(self, camera: str) -> bytes | None:
        """Return the latest analysed frame of a camera as JPEG; None where there is none."""
        frame = self.latest.get(camera)
        return None if frame is None else jpeg(frame.pixels)

    def health(self) -> dict[str, Any]:
        """Return plain data: each camera, and the analysis as a whole."""
        read = self.pool.health()
        cameras = {
            name: {**read[name], **camera.health()}
            for name, camera in self.watching.cameras.items()
            if self._holds(name)
        }
        analysis = self.watching.health()
        well = all(
            camera["status"] in ("ok", "ended") and camera["analysis_error"] is None
            for camera in cameras.values()
        )
        return {
            "status": "ok" if well and not analysis["failures"] and not self._error else "degraded",
            "cameras": cameras,
            **({} if self.sharing is None else {"sharing": self.sharing.health()}),
            "analysis": {
                **analysis,
                "clock_steps": self.pool.clock_steps,
                "error": self._error,
            },
        }

    def _run(self) -> None:
        watched_s = given_back_s = saved_s = self._clock.monotonic()
        while not self._background.ended.is_set():
            try:
                taken = self.pool.next_frames(_WAIT_S)
                frames = [frame for frame in taken if self._holds(frame.camera)]
                if frames:
                    self.latest |= {frame.camera: frame for frame in frames}
                    self.watching.analyse(frames)
                elif self.pool.over:
                    self._background.ended.wait(_WAIT_S)
                now_s = self._clock.monotonic()
                if now_s - watched_s >= _WATCH_EVERY_S:
                    watched_s = now_s
                    self._watch()
                if now_s - given_back_s >= _GIVE_BACK_EVERY_S:
                    given_back_s = now_s
                    give_back()
                if now_s - saved_s >= _SAVE_EVERY_S:
                    saved_s = now_s
                    self._save()
            except Exception as error:  # a watch that ends in silence is worse than any error
                if self._error is None:
                    logger.exception("the analysis failed, and goes on")
                self._error = f"{type(error).__name__}: {error}"
                self.watching.failures += 1
                self._background.ended.wait(_WAIT_S)

    def _watch(self) -> None:
        """Look after what reads, once a second."""
        self.pool.watch()
        self._close_ended()
        health: Mapping[str, Mapping[str, Any]] = self.pool.health()
        held = {
            name: state
            for name, state in health.items()
            if self._holds(name) and name not in self._ended
        }
        for observation in camera_faults(held):
            self._alarm.desk.observe(observation)
        try:
            self._false_alarms.take_new(self._clock.monotonic())
        except StoreError as error:
            logger.warning("false alarms cannot be read: %s", error)

    def _close_ended(self) -> None:
        """Complete and end what goes on at cameras that were files, and are over."""
        for name, reader in self.pool.readers.items():
            if reader.ended and self._holds(name) and name not in self._ended:
                self._ended.add(name)
                self.watching.finish(name)
                self._alarm.desk.close(name)

    def _holds(self, camera: str) -> bool:
        return self.sharing is None or camera in self.sharing.held

    def _take(self, cameras: frozenset[str]) -> None:
        """Watch cameras from now on, with the alerts that go on there."""
        logger.info("this worker watches %s", ", ".join(sorted(cameras)))
        try:
            self._alarm.desk.restore(cameras)
        except StoreError as error:
            logger.error("alerts that go on cannot be read: %s", error)
        self._ended -= cameras
        for camera in cameras:
            self.pool.readers[camera].start()

    def _let_go(self, cameras: frozenset[str]) -> None:
        """Watch cameras no longer; another worker does."""
        logger.info("this worker no longer watches %s", ", ".join(sorted(cameras)))
        self._alarm.desk.release(cameras)
        for camera in cameras:
            reader = self.pool.readers[camera]
            threading.Thread(target=reader.stop, name=f"stopping {camera}", daemon=True).start()

    def _save(self) -> None:
        for name, camera in self.watching.cameras.items():
            try:
                camera.save()
            except OSError as error:
                logger.error("camera %s: what was learned cannot be kept: %s", name, error)
