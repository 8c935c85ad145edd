"""The archive: alerts to look through, and what each user thinks of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from tiepoint.errors import InputError
from tiepoint_adapters.audit.log import AuditLog
from tiepoint_adapters.clock import Clock, timestamp
from tiepoint_security.alerts.severity import SEVERITIES, Severity
from tiepoint_security.records.tables import AlertRow, ReviewRow

Verdict: TypeAlias = Literal["viewed", "acknowledged", "confirmed", "false_alarm"]


@dataclass(frozen=True, slots=True)
class Question:
    """Which alerts are asked for; what is None does not matter.

    Attributes:
        id: This one.
        camera: Seen by this camera first.
        rule: Raised by this rule.
        least: At least so bad.
        since_s: Begun at this time or later, in seconds since 1970.
        until_s: Begun before.
        open_only: Only those that nobody has acknowledged.
        most: How many at most, the newest first.
    """

    id: str | None = None
    camera: str | None = None
    rule: str | None = None
    least: Severity | None = None
    since_s: float | None = None
    until_s: float | None = None
    open_only: bool = False
    most: int = 50


class Archive:
    """Reads alerts and keeps reviews; what users do is noted in the audit log.

    Args:
        audit: The audit log, in the same database.
        clock: The clocks.
    """

    def __init__(self, audit: AuditLog, clock: Clock) -> None:
        self.audit = audit
        self.database = audit.database
        self.clock = clock

    def find(self, question: Question) -> list[dict[str, Any]]:
        """Return alerts as plain data, the newest first, with their reviews."""
        with self.database.reading() as session:
            rows = session.scalars(_selection(question)).all()
            reviews = _reviews(session, [row.id for row in rows])
            return [_plain(row, reviews.get(row.id, [])) for row in rows]

    def view(self, alert_id: str, user: str) -> dict[str, Any]:
        """Return one alert; that the user saw it is noted.

        Raises:
            InputError: There is none of that id.
        """
        with self.database.writing() as session:
            row = _existing(session, alert_id)
            self.audit.note(session, user, "viewed", alert_id)
            self._keep(session, alert_id, user, "viewed", "")
            session.flush()
            return _plain(row, _reviews(session, [alert_id]).get(alert_id, []))

    def acknowledge(self, alert_id: str, user: str, note: str = "") -> bool:
        """Take an alert, which ends its escalation; return False if somebody had before.

        Raises:
            InputError: There is none of that id.
        """
        with self.database.writing() as session:
            row = _existing(session, alert_id)
            first = row.acknowledged_by is None
            if first:
                self._acknowledge(row, user)
            self.audit.note(session, user, "acknowledged", alert_id, {"note": note, "first": first})
            self._keep(session, alert_id, user, "acknowledged", note)
            return first

    def judge(
        self,
        alert_id: str,
        user: str,
        verdict: Literal["confirmed", "false_alarm"],
        note: str = "",
    ) -> bool:
        """Say whether an alert was right; that acknowledges it, too, as `acknowledge` does.

        Raises:
            InputError: There is none of that id.
        """
        with self.database.writing() as session:
            row = _existing(session, alert_id)
            first = row.acknowledged_by is None
            if first:
                self._acknowledge(row, user)
            self.audit.note(session, user, verdict, alert_id, {"note": note, "first": first})
            self._keep(session, alert_id, user, verdict, note)
            return first

    def false_alarms(
        self, camera: str | None = None, rule: str | None = None
    ) -> list[dict[str, Any]]:
        """Return the alerts that somebody marked as false, for calibration; oldest first."""
        wanted = (
            select(AlertRow)
            .where(
                AlertRow.id.in_(_judged("false_alarm")), AlertRow.id.not_in(_judged("confirmed"))
            )
            .order_by(AlertRow.started_s)
        )
        if camera is not None:
            wanted = wanted.where(AlertRow.camera == camera)
        if rule is not None:
            wanted = wanted.where(AlertRow.rule == rule)
        with self.database.reading() as session:
            return [dict(row.view) for row in session.scalars(wanted)]

    def false_looks(self) -> list[tuple[str, str, bytes]]:
        """Return id, camera and looks (float32) of false alarms about something with looks."""
        wanted = select(AlertRow.id, AlertRow.camera, AlertRow.appearance).where(
            AlertRow.id.in_(_judged("false_alarm")),
            AlertRow.id.not_in(_judged("confirmed")),
            AlertRow.appearance.is_not(None),
        )
        with self.database.reading() as session:
            return [(row[0], row[1], bytes(row[2] or b"")) for row in session.execute(wanted)]

    def _acknowledge(self, row: AlertRow, user: str) -> None:
        row.acknowledged_by, row.acknowledged_s = user, self.clock.wall()

    def _keep(
        self, session: Session, alert_id: str, user: str, verdict: Verdict, note: str
    ) -> None:
        row = session.get(ReviewRow, (alert_id, user))
        now_s = self.clock.wall()
        if row is None:
            session.add(
                ReviewRow(alert_id=alert_id, user=user, verdict=verdict, note=note, at_s=now_s)
            )
        elif verdict != "viewed":  # looking again takes nothing back
            row.verdict, row.note, row.at_s = verdict, note, now_s


def _judged(verdict: Verdict) -> Select[str]:
    return select(ReviewRow.alert_id).where(ReviewRow.verdict == verdict)


def _selection(question: Question) -> Select[AlertRow]:
    wanted = select(AlertRow).order_by(AlertRow.started_s.desc(), AlertRow.id).limit(question.most)
    if question.id is not None:
        wanted = wanted.where(AlertRow.id == question.id)
    if question.camera is not None:
        wanted = wanted.where(AlertRow.camera == question.camera)
    if question.rule is not None:
        wanted = wanted.where(AlertRow.rule == question.rule)
    if question.least is not None:
        worse = SEVERITIES[SEVERITIES.index(question.least) :]
        wanted = wanted.where(AlertRow.severity.in_(worse))
    if question.since_s is not None:
        wanted = wanted.where(AlertRow.started_s >= question.since_s)
    if question.until_s is not None:
        wanted = wanted.where(AlertRow.started_s < question.until_s)
    if question.open_only:
        wanted = wanted.where(AlertRow.acknowledged_by.is_(None))
    return wanted


def _existing(session: Session, alert_id: str) -> AlertRow:
    row = session.get(AlertRow, alert_id)
    if row is None:
        raise InputError(
            "there is no such alert", where=alert_id, hint="See `tiepoint security alerts`."
        )
    return row


def _reviews(session: Session, ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    wanted = select(ReviewRow).where(ReviewRow.alert_id.in_(ids)).order_by(ReviewRow.at_s)
    found: dict[str, list[dict[str, Any]]] = {}
    for row in session.scalars(wanted):
        found.setdefault(row.alert_id, []).append(
            {
                "user": row.user,
                "verdict": row.verdict,
                "note": row.note,
                "at": timestamp(row.at_s),
            }
        )
    return found


def _plain(row: AlertRow, reviews: list[dict[str, Any]]) -> dict[str, Any]:
    return {**row.view, "acknowledged_by": row.acknowledged_by, "reviews": reviews}
