"""The tables of the records, for SQLite and PostgreSQL alike. Times are seconds since 1970."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Double, Index, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tiepoint_adapters.audit.log import AuditColumns


class Table(DeclarativeBase):
    """Base of the tables."""


class JobRow(Table):
    """One input of a batch: what became of it, so that a batch goes on where it ended."""

    __tablename__ = "medical_jobs"

    job: Mapped[str] = mapped_column(String(64), primary_key=True)
    part: Mapped[str] = mapped_column(String(64), primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(500))
    at_s: Mapped[float]


class MatchRow(Table):
    """A match that waits to be read, or was; `result` names cases by pseudonym alone."""

    __tablename__ = "medical_matches"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_s: Mapped[float]
    read_by: Mapped[str | None] = mapped_column(String(255))
    read_s: Mapped[float | None]
    result: Mapped[dict[str, Any]] = mapped_column(JSON)

    __table_args__ = (Index("medical_matches_unread", "read_s", "created_s"),)


class AuditRow(AuditColumns, Table):
    """One line of the audit log."""

    __tablename__ = "medical_audit"

    at: Mapped[Any] = mapped_column("at_s", Double)
