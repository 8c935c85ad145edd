"""Evidence: files below one folder, each with the checksum that it had when it was added."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select

from tiepoint.errors import InputError
from tiepoint_adapters.clock import Clock
from tiepoint_security.records.database import Database
from tiepoint_security.records.tables import EvidenceRow

_CHUNK = 1 << 20


class EvidenceStore:
    """Knows the files of evidence.

    A file is written first and added then; what was written and never added is removed by
    the retention.

    Args:
        folder: Where they are.
        database: What is known of them.
        clock: The clocks.
    """

    def __init__(self, folder: Path, database: Database, clock: Clock) -> None:
        self.folder = folder
        self.database = database
        self.clock = clock

    def add(self, alert_id: str, kind: str, file: Path) -> str:
        """Add a file to an alert, in place of an earlier one of its kind.

        Args:
            alert_id: An alert that was recorded.
            kind: Such as `snapshot`, `heatmap` or `clip`.
            file: A file below the folder, which nobody changes any more.

        Returns:
            Its path below the folder, for `AlertDesk.attach`.

        Raises:
            InputError: The file is not below the folder.
            StoreError: It cannot be read, or the database refused.
        """
        path = self._below(file)
        size, digest = measured(file)
        with self.database.writing() as session:
            row = session.get(EvidenceRow, (alert_id, kind))
            if row is None:
                row = EvidenceRow(alert_id=alert_id, kind=kind)
                session.add(row)
            row.path, row.bytes, row.sha256 = path, size, digest
            row.added_s = self.clock.wall()
        return path

    def of(self, alert_ids: Sequence[str]) -> list[EvidenceRow]:
        """Return what is known of the evidence of alerts, by alert and kind."""
        wanted = (
            select(EvidenceRow)
            .where(EvidenceRow.alert_id.in_(alert_ids))
            .order_by(EvidenceRow.alert_id, EvidenceRow.kind)
        )
        with self.database.reading() as session:
            rows = list(session.scalars(wanted))
            session.expunge_all()
            return rows

    def file(self, path: str) -> Path:
        """Return where a file is.

        Raises:
            InputError: The path leads out of the folder.
        """
        file = self.folder / path
        self._below(file)
        return file

    def _below(self, file: Path) -> str:
        root = self.folder.resolve()
        if not file.resolve().is_relative_to(root):
            raise InputError(
                "the file is not in the folder of evidence", where=str(file), hint="Move it there."
            )
        return file.resolve().relative_to(root).as_posix()


def measured(file: Path) -> tuple[int, str]:
    """Return a file's size in bytes and its SHA-256.

    Raises:
        OSError: It cannot be read.
    """
    digest, size = hashlib.sha256(), 0
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()
