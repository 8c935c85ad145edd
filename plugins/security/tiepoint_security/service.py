"""What an application asks of a running deployment: cameras, alerts, evidence, and live alerts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol

from tiepoint.errors import InputError
from tiepoint_security.alarm import Alarm
from tiepoint_security.alerts.live import Listener
from tiepoint_security.records.archive import Question
from tiepoint_security.records.evidence import measured
from tiepoint_security.watching.settings import CameraSettings


class Watched(Protocol):
    """What watches the cameras: this process, or workers elsewhere."""

    @property
    def cameras(self) -> Mapping[str, CameraSettings]:
        """All cameras of the deployment, by name."""

    def health(self) -> dict[str, Any]:
        """Return plain data, with a camera's under `cameras`."""

    def picture(self, camera: str) -> bytes | None:
        """Return the latest frame of a camera as JPEG; None where there is none."""


class SecurityService:
    """Plain methods on plain data, safe to be called from several threads.

    Args:
        alarm: Keeps and delivers alerts.
        watch: Watches the cameras; None where the deployment has none.
    """

    def __init__(self, alarm: Alarm, watch: Watched | None) -> None:
        self._alarm = alarm
        self._watch = watch

    def cameras(self) -> list[dict[str, Any]]:
        """Return each camera's name, zones, lines, rules and health."""
        if self._watch is None:
            return []
        health = self._watch.health()["cameras"]
        elsewhere = {"status": "elsewhere"}  # another worker's
        return [
            {
                "name": name,
                "zones": {zone: [list(p) for p in at] for zone, at in one.zones.items()},
                "lines": {line: [list(p) for p in at] for line, at in one.lines.items()},
                **health.get(name, elsewhere),
            }
            for name, one in self._watch.cameras.items()
        ]

    def picture(self, camera: str) -> bytes:
        """Return the latest analysed frame of a camera as JPEG, its privacy masks burned in.

        Raises:
            InputError: There is no such camera, or no frame of it yet.
        """
        if self._watch is None or camera not in self._watch.cameras:
            raise InputError("there is no such camera", where=camera, hint="See the cameras.")
        content = self._watch.picture(camera)
        if content is None:
            raise InputError(
                "there is no frame of the camera yet", where=camera, hint="Look at its health."
            )
        return content

    def alerts(self, question: Question | None = None) -> list[dict[str, Any]]:
        """Return alerts with their reviews, the newest first."""
        return self._alarm.records.archive.find(question or Question())

    def alert(self, alert_id: str, user: str) -> dict[str, Any]:
        """Return one alert with its reviews; that the user saw it is noted.

        Raises:
            InputError: There is none of that id.
        """
        return self._alarm.records.archive.view(alert_id, user)

    def acknowledge(self, alert_id: str, user: str, note: str = "") -> bool:
        """Take an alert, which ends its escalation; return False if somebody had before.

        Raises:
            InputError: There is none of that id.
        """
        return self._alarm.records.archive.acknowledge(alert_id, user, note)

    def judge(
        self,
        alert_id: str,
        user: str,
        verdict: Literal["confirmed", "false_alarm"],
        note: str = "",
    ) -> bool:
        """Say whether an alert was right; a false one becomes ordinary for its camera.

        Raises:
            InputError: There is none of that id.
        """
        return self._alarm.records.archive.judge(alert_id, user, verdict, note)

    def evidence(self, alert_id: str) -> dict[str, dict[str, Any]]:
        """Return what is kept of an alert, by kind: path, size in bytes and SHA-256."""
        return {
            row.kind: {"path": row.path, "bytes": row.bytes, "sha256": row.sha256}
            for row in self._alarm.records.evidence.of([alert_id])
        }

    def evidence_file(self, alert_id: str, kind: str) -> Path:
        """Return a file of evidence, if it is still what it was when it was added.

        Raises:
            InputError: There is none of that kind, or it was changed or removed.
        """
        records = self._alarm.records
        for row in records.evidence.of([alert_id]):
            if row.kind == kind:
                file = records.evidence.file(row.path)
                if file.is_file() and measured(file) == (row.bytes, row.sha256):
                    return file
                raise InputError(
                    "the file was changed or removed since it was added",
                    where=row.path,
                    hint="Ask who keeps the records.",
                )
        raise InputError(
            f"the alert has no {kind}", where=alert_id, hint="See what evidence it has."
        )

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        """Give what hears of every alert from now on: `listener.next(timeout_s)`."""
        with self._alarm.live.listening() as listener:
            yield listener
