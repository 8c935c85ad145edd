"""Retention: what is removed when, by age, severity and size."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, delete, func, select

from tiepoint_adapters.audit.log import AuditLog
from tiepoint_security.alerts.severity import SEVERITIES
from tiepoint_security.records.evidence import EvidenceStore
from tiepoint_security.records.limits import RetentionSettings
from tiepoint_security.records.tables import AlertRow, EvidenceRow, OutboxRow

logger = logging.getLogger(__name__)

_DAY_S = 86_400.0
_ORPHAN_AGE_S = _DAY_S
_AT_ONCE = 200


@dataclass(slots=True)
class Removed:
    """What was removed: alerts, files, bytes, messages."""

    alerts: int = 0
    files: int = 0
    bytes: int = 0
    messages: int = 0


class Retention:
    """Removes what is old or too much; alerts that go on or await delivery stay.

    A file goes before the note of it, so that a process that dies in between leaves a note
    whose file is gone, and the next run removes that.

    Args:
        settings: The limits.
        evidence: The evidence.
        audit: Where it is noted what was removed.
    """

    def __init__(
        self, settings: RetentionSettings, evidence: EvidenceStore, audit: AuditLog
    ) -> None:
        self.settings = settings
        self.evidence = evidence
        self.audit = audit
        self.database = evidence.database
        self.clock = evidence.clock

    def run(self) -> Removed:
        """Remove everything that is due.

        Raises:
            StoreError: The database refused; what was removed before stays removed.
        """
        removed = Removed()
        while ids := self._too_old():
            self._remove(ids, removed, "age")
        while ids := self._too_much():
            self._remove(ids, removed, "size")
        self._remove_messages(removed)
        self._remove_orphans(removed)
        return removed

    def _too_old(self) -> list[str]:
        now_s = self.clock.wall()
        limits = [
            (AlertRow.severity == severity) & (AlertRow.started_s < now_s - days * _DAY_S)
            for severity, days in self.settings.days.items()
        ]
        if not limits:
            return []
        due = limits[0]
        for limit in limits[1:]:
            due = due | limit
        wanted = select(AlertRow.id).where(due, *_settled()).limit(_AT_ONCE)
        with self.database.reading() as session:
            return list(session.scalars(wanted))

    def _too_much(self) -> list[str]:
        """Return the alerts to remove for the evidence to fit, the mildest and oldest first."""
        rank = case({name: n for n, name in enumerate(SEVERITIES)}, value=AlertRow.severity)
        wanted = (
            select(AlertRow.id, func.sum(EvidenceRow.bytes))
            .join(EvidenceRow, EvidenceRow.alert_id == AlertRow.id)
            .where(*_settled())
            .group_by(AlertRow.id, AlertRow.severity, AlertRow.started_s)
            .order_by(rank, AlertRow.started_s)
            .limit(_AT_ONCE)
        )
        with self.database.reading() as session:
            total = int(session.scalar(select(func.sum(EvidenceRow.bytes))) or 0)
            excess, ids = total - self.settings.most_gib * 2**30, []
            for alert_id, size in session.execute(wanted):
                if excess <= 0:
                    break
                ids.append(alert_id)
                excess -= int(size)
            return ids

    def _remove(self, ids: list[str], removed: Removed, reason: str) -> None:
        rows = self.evidence.of(ids)
        for row in rows:
            self.evidence.file(row.path).unlink(missing_ok=True)
        size = sum(row.bytes for row in rows)
        with self.database.writing() as session:
            session.execute(delete(AlertRow).where(AlertRow.id.in_(ids)))
            details = {"reason": reason, "alerts": ids, "files": len(rows), "bytes": size}
            self.audit.note(session, "retention", "removed", reason, details)
        removed.alerts += len(ids)
        removed.files += len(rows)
        removed.bytes += size

    def _remove_messages(self, removed: Removed) -> None:
        before_s = self.clock.wall() - self.settings.delivered_days * _DAY_S
        settled = (OutboxRow.state != "waiting") & (OutboxRow.settled_s < before_s)
        with self.database.writing() as session:
            gone = session.scalars(delete(OutboxRow).where(settled).returning(OutboxRow.number))
            removed.messages += len(gone.all())

    def _remove_orphans(self, removed: Removed) -> None:
        """Remove files that were written and never added, once they are a day old."""
        if not self.evidence.folder.is_dir():
            return
        with self.database.reading() as session:
            known = set(session.scalars(select(EvidenceRow.path)))
        before_s = self.clock.wall() - _ORPHAN_AGE_S
        for file in self.evidence.folder.rglob("*"):
            if not file.is_file() or file.is_symlink():
                continue
            path = file.relative_to(self.evidence.folder).as_posix()
            if path not in known and file.stat().st_mtime < before_s:
                removed.files += 1
                removed.bytes += file.stat().st_size
                file.unlink(missing_ok=True)


def _settled() -> tuple[ColumnElement[bool], ...]:
    waiting = select(OutboxRow.alert_id).where(OutboxRow.state == "waiting")
    return AlertRow.ended_s.is_not(None), AlertRow.id.not_in(waiting)
