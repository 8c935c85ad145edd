"""The ledger: the journal of the alert desk, in the database."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from tiepoint_adapters.clock import Clock
from tiepoint_security.alerts.alert import Alert
from tiepoint_security.alerts.journal import Addressed
from tiepoint_security.alerts.observation import Box, Observation
from tiepoint_security.delivery.outbox import accept
from tiepoint_security.records.database import Database
from tiepoint_security.records.tables import AlertRow

_REMEMBERED_S = 86_400.0
"""How long ago an alert may have begun that is taken up again after a restart."""

_MOST_TAKEN_UP = 1000


class Ledger:
    """Keeps alerts and accepts their messages, in one transaction each.

    Args:
        database: Where they are kept.
        clock: The clocks.
        accepted: Called when a message was accepted; the dispatcher's `wake`.
    """

    def __init__(
        self, database: Database, clock: Clock, accepted: Callable[[], None] | None = None
    ) -> None:
        self.database = database
        self.clock = clock
        self._accepted = accepted

    def record(self, alert: Alert, messages: Sequence[Addressed]) -> None:
        with self.database.writing() as session:
            self._keep(session, alert)
            for addressed in messages:
                accept(session, alert.id, addressed.message, addressed.sinks)
        if messages and self._accepted is not None:
            self._accepted()

    def acknowledged(self, ids: Collection[str]) -> Mapping[str, str]:
        wanted = select(AlertRow.id, AlertRow.acknowledged_by).where(
            AlertRow.id.in_(ids), AlertRow.acknowledged_by.is_not(None)
        )
        with self.database.reading() as session:
            return {id: user for id, user in session.execute(wanted) if user is not None}

    def unfinished(self) -> list[Alert]:
        since_s = self.clock.wall() - _REMEMBERED_S
        unanswered = AlertRow.acknowledged_by.is_(None) & AlertRow.told_s.is_not(None)
        wanted = (
            select(AlertRow)
            .where(AlertRow.ended_s.is_(None) | ((AlertRow.started_s >= since_s) & unanswered))
            .order_by(AlertRow.started_s.desc())
            .limit(_MOST_TAKEN_UP)
        )
        with self.database.reading() as session:
            return [self._taken_up(row) for row in session.scalars(wanted)][::-1]

    def _keep(self, session: Session, alert: Alert) -> None:
        row = session.get(AlertRow, alert.id)
        if row is None:
            first = alert.first
            row = AlertRow(
                id=alert.id,
                camera=alert.camera,
                rule=alert.rule,
                started_s=alert.started_wall_s,
                appearance=None
                if first.appearance is None
                else first.appearance.astype(np.float32).tobytes(),
                first_box=None if first.box is None else list(first.box),
            )
            session.add(row)
        row.severity = alert.severity
        row.ended_s = alert.ended_wall_s
        row.told_s = self._wall(alert.told_s)
        row.told_last_s = self._wall(alert.told_last_s)
        row.told = list(alert.told)
        row.level = alert.level
        row.revision = alert.revision
        row.tracks = [list(track) for track in sorted(alert.tracks)]
        row.view = alert.view()

    def _taken_up(self, row: AlertRow) -> Alert:
        view, box = row.view, row.view["box"]
        appearance = None
        if row.appearance is not None:
            appearance = np.frombuffer(row.appearance, np.float32)
        last = Observation(
            camera=row.camera,
            rule=row.rule,
            score=view["score"],
            severity=view["severity"],
            box=None if box is None else _box(box),
            appearance=appearance,
            zones=tuple(view["zones"]),
            contributions=view["contributions"],
        )
        now_s = self.clock.monotonic()
        seen_s = now_s if row.ended_s is None else self._monotonic(row.ended_s)
        return Alert(
            id=row.id,
            first=replace(last, box=None if row.first_box is None else _box(row.first_box)),
            last=last,
            there=last,
            severity=view["severity"],
            peak=view["peak"],
            started_wall_s=row.started_s,
            opened_s=self._monotonic(row.started_s),
            seen_s=seen_s,
            there_s=seen_s,
            ended_wall_s=row.ended_s,
            tracks={(camera, track) for camera, track in row.tracks},
            revision=row.revision,
            level=row.level,
            held=view["held"],
            told=list(row.told),
            told_s=None if row.told_s is None else self._monotonic(row.told_s),
            told_last_s=None if row.told_last_s is None else self._monotonic(row.told_last_s),
            acknowledged_by=row.acknowledged_by,
            evidence=dict(view["evidence"]),
            told_view=view,
        )

    def _wall(self, monotonic_s: float | None) -> float | None:
        if monotonic_s is None:
            return None
        return self.clock.wall() + monotonic_s - self.clock.monotonic()

    def _monotonic(self, wall_s: float) -> float:
        """Return when something was; what a clock that was set calls the future is now."""
        return self.clock.monotonic() - max(0.0, self.clock.wall() - wall_s)


def _box(edges: Sequence[float]) -> Box:
    left, top, right, bottom = edges
    return left, top, right, bottom
