"""A file or folder through everything that watches a camera, as fast as it goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tiepoint_adapters.media.cameras.playback import recorded_frames
from tiepoint_adapters.media.cameras.tampering import TamperWatch
from tiepoint_security.alerts.camera_faults import camera_faults
from tiepoint_security.alerts.desk import AlertDesk
from tiepoint_security.evidence.keeper import EvidenceKeeper
from tiepoint_security.scene.vision import Vision
from tiepoint_security.settings import AlertSettings
from tiepoint_security.watching.making import make_cameras
from tiepoint_security.watching.playback import Announcer, Hear, PlaybackClock
from tiepoint_security.watching.settings import WatchSettings
from tiepoint_security.watching.watching import Watching

_TICK_S = 1.0


class RecordingWatch:
    """Watches one recording by the rules of one camera.

    Args:
        settings: Of watching; their only camera is the recording.
        alerts: What becomes of alerts.
        vision: What makes vectors; None without.
        hear: Told of each message about an alert.
        folder: Where evidence goes; none is kept if None.
        learned: Where what is learned of the camera is kept; in memory if None.
        begins_wall_s: When the recording was begun; now if not given.

    Raises:
        ConfigError: A rule needs what the deployment does not have.
        InputError: What was learned or fitted cannot be read.
    """

    def __init__(
        self,
        settings: WatchSettings,
        alerts: AlertSettings,
        vision: Vision | None,
        hear: Hear,
        folder: Path | None = None,
        learned: Path | None = None,
        begins_wall_s: float | None = None,
    ) -> None:
        [self._name] = settings.cameras
        self._options = settings.cameras[self._name]
        self.clock = PlaybackClock(begins_wall_s)
        self.journal = Announcer(hear)
        self.desk = AlertDesk(self.journal, ("watch",), self.clock, alerts.policies(), alerts.rate)
        self._keeper = None if folder is None else EvidenceKeeper(folder, self._attach)
        self.watching = Watching(
            make_cameras(settings, vision, learned),
            vision,
            self.desk,
            self._keeper,
            self.clock,
            clips=settings.evidence.clips,
        )
        self._tampering = TamperWatch(settings.tampering)

    def run(self, report: Callable[[float], None] | None = None) -> int:
        """Watch it from beginning to end; return the number of analysed frames.

        Args:
            report: Told how many seconds of it are done.

        Raises:
            DecodeError: It cannot be read.
        """
        if self._keeper is not None:
            self._keeper.start()
        ticked_s, count = 0.0, 0
        try:
            for frame in recorded_frames(
                self._name, self._options, self.clock, self.clock.begins_wall_s
            ):
                self.clock.at_s = frame.time_s
                self.watching.analyse([frame])
                faults = self._tampering.look(frame.pixels, frame.time_s)
                count += 1
                if frame.time_s - ticked_s >= _TICK_S:
                    ticked_s = frame.time_s
                    for observation in camera_faults({self._name: _health(faults)}):
                        self.desk.observe(observation)
                    self.desk.tick()
                    if report is not None:
                        report(frame.time_s)
            self.watching.finish()
        finally:
            if self._keeper is not None:
                self._keeper.stop()
        self.desk.close(self._name)
        return count

    @property
    def learning(self) -> dict[str, dict[str, str]]:
        """What triggers still need, by rule and trigger."""
        found: dict[str, dict[str, str]] = self.watching.cameras[self._name].health()["learning"]
        return found

    def save(self) -> None:
        """Keep what was learned of the camera."""
        self.watching.cameras[self._name].save()

    def _attach(self, alert_id: str, kind: str, file: Path) -> None:
        self.desk.attach(alert_id, kind, str(file))


def _health(faults: frozenset[str]) -> dict[str, Any]:
    return {"status": "tampered" if faults else "ok", "faults": sorted(faults)}
