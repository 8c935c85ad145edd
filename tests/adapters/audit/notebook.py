"""A database with nothing but an audit log; as a program, a process that notes: URL COUNT."""

from __future__ import annotations

import sys

from sqlalchemy.engine import Connection
from sqlalchemy.orm import DeclarativeBase

from tiepoint_adapters.audit.chain import Hashing
from tiepoint_adapters.audit.log import AuditColumns, AuditLog
from tiepoint_adapters.databases import database


class Base(DeclarativeBase):
    pass


class Line(AuditColumns, Base):
    __tablename__ = "notes"


class Notebook(database.Database):
    keeps = "notes"
    distribution = "tiepoint-notes"

    def prepare(self, connection: Connection) -> None:
        Base.metadata.create_all(connection)


def log_of(notebook: Notebook, key: bytes | None = None) -> AuditLog:
    return AuditLog(notebook, Line, lambda: "2026-01-02T03:04:05", Hashing(True, key))


def main(url: str, count: str) -> None:
    notebook = Notebook(url)
    log = log_of(notebook)
    for number in range(int(count)):
        with notebook.writing() as session:
            log.note(session, "a process", "counted", str(number))
    notebook.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
