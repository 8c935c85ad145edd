"""The tables of the database, for SQLite and PostgreSQL alike.

Times are seconds since 1970 (UTC). A change here needs a migration beside it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tiepoint_adapters.audit.log import AuditColumns


class Table(DeclarativeBase):
    """Base of the tables."""


class AlertRow(Table):
    """An alert's newest state; `view` is what messages show of it."""

    __tablename__ = "alerts"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    camera: Mapped[str] = mapped_column(String(255))
    rule: Mapped[str] = mapped_column(String(255))
    severity: Mapped[str] = mapped_column(String(16))
    started_s: Mapped[float]
    ended_s: Mapped[float | None]
    told_s: Mapped[float | None]
    told_last_s: Mapped[float | None]
    told: Mapped[list[str]] = mapped_column(JSON)
    level: Mapped[int]
    revision: Mapped[int]
    acknowledged_by: Mapped[str | None] = mapped_column(String(255))
    acknowledged_s: Mapped[float | None]
    appearance: Mapped[bytes | None] = mapped_column(LargeBinary)
    first_box: Mapped[list[float] | None] = mapped_column(JSON)
    tracks: Mapped[list[list[str]]] = mapped_column(JSON)
    view: Mapped[dict[str, Any]] = mapped_column(JSON)

    __table_args__ = (
        Index("alerts_by_time", "started_s"),
        Index("alerts_by_camera", "camera", "started_s"),
    )


class EvidenceRow(Table):
    """A file of evidence, below the folder of evidence."""

    __tablename__ = "evidence"

    alert_id: Mapped[str] = mapped_column(
        ForeignKey("alerts.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(String(64), primary_key=True)
    path: Mapped[str] = mapped_column(String(512), unique=True)
    bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    added_s: Mapped[float]


class ReviewRow(Table):
    """What one user thinks of one alert."""

    __tablename__ = "reviews"

    alert_id: Mapped[str] = mapped_column(
        ForeignKey("alerts.id", ondelete="CASCADE"), primary_key=True
    )
    user: Mapped[str] = mapped_column(String(255), primary_key=True)
    verdict: Mapped[str] = mapped_column(String(32))
    note: Mapped[str] = mapped_column(Text)
    at_s: Mapped[float]


class AuditRow(AuditColumns, Table):
    """One line of the audit log."""

    __tablename__ = "audit"


class OutboxRow(Table):
    """A message on its way to one sink.

    Its `state` is `waiting`, `delivered`, or `dead` (refused, or too old).
    """

    __tablename__ = "outbox"

    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    key: Mapped[str] = mapped_column(String(128))
    sink: Mapped[str] = mapped_column(String(64))
    alert_id: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    message: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_s: Mapped[float]
    due_s: Mapped[float]
    attempts: Mapped[int]
    claimed_by: Mapped[str | None] = mapped_column(String(128))
    claimed_until_s: Mapped[float | None]
    error: Mapped[str | None] = mapped_column(Text)
    settled_s: Mapped[float | None]

    __table_args__ = (
        UniqueConstraint("key", "sink", name="outbox_once"),
        Index("outbox_waiting", "sink", "state", "number"),
        Index("outbox_of_alert", "sink", "alert_id", "number"),
    )


class WorkerRow(Table):
    """A process that shares cameras with others, and until when it is taken to live."""

    __tablename__ = "workers"

    worker: Mapped[str] = mapped_column(String(128), primary_key=True)
    until_s: Mapped[float]


class CameraLeaseRow(Table):
    """Which worker watches a camera, and until when."""

    __tablename__ = "camera_leases"

    camera: Mapped[str] = mapped_column(String(255), primary_key=True)
    worker: Mapped[str] = mapped_column(String(128))
    until_s: Mapped[float]
