"""Export: alerts with their evidence, reviews and audit lines, under checksums."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tiepoint.errors import InputError, StoreError
from tiepoint_adapters.clock import timestamp
from tiepoint_security.records.archive import Archive, Question
from tiepoint_security.records.evidence import EvidenceStore, measured

CHECKSUMS = "SHA256SUMS"


@dataclass(frozen=True, slots=True)
class Export:
    """What was exported.

    Attributes:
        folder: Where it is.
        files: How many files, without the checksums.
        bytes: Their size.
        sha256: The checksum of the checksums: whoever has it can check everything.
        damaged: Files of evidence that are gone, or are not what they were when they were
            added; these are not exported.
    """

    folder: Path
    files: int
    bytes: int
    sha256: str
    damaged: tuple[str, ...]


def export(
    ids: Sequence[str], folder: Path, user: str, archive: Archive, evidence: EvidenceStore
) -> Export:
    """Copy alerts into a new folder: `ID/alert.json`, `ID/KIND.*`, and `SHA256SUMS`.

    `sha256sum --check SHA256SUMS` checks the folder anywhere. The export is noted in the audit
    log, with the checksum of `SHA256SUMS`.

    Raises:
        InputError: The folder exists and is not empty, or there is no such alert.
        StoreError: A file cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("there is something already", where=str(folder), hint="Name a new folder.")
    alerts = {id: _found(archive, id) for id in dict.fromkeys(ids)}
    try:
        return _exported(alerts, folder, user, archive, evidence)
    except OSError as error:
        raise StoreError(
            f"the export cannot be written ({error.strerror})",
            where=str(folder),
            hint="Free some space or name another folder.",
        ) from error


def _exported(
    alerts: dict[str, dict[str, Any]],
    folder: Path,
    user: str,
    archive: Archive,
    evidence: EvidenceStore,
) -> Export:
    folder.mkdir(parents=True, exist_ok=True)
    sums: list[str] = []
    damaged: list[str] = []
    total = 0
    for alert_id, alert in alerts.items():
        own = folder / alert_id
        own.mkdir()
        for row in evidence.of([alert_id]):
            source = evidence.file(row.path)
            target = own / f"{row.kind}{source.suffix}"
            if not source.is_file():
                damaged.append(f"{row.path}: it is gone")
                continue
            shutil.copyfile(source, target)
            size, digest = measured(target)  # of the copy: what is handed over is what was checked
            if digest != row.sha256:
                target.unlink()
                damaged.append(f"{row.path}: it was changed")
                continue
            total += size
            sums.append(f"{digest}  {alert_id}/{target.name}")
        described = {**alert, "audit": archive.audit.lines(subject=alert_id)}
        file = own / "alert.json"
        file.write_text(json.dumps(described, indent=2, ensure_ascii=False) + "\n", "utf-8")
        size, digest = measured(file)
        total += size
        sums.append(f"{digest}  {alert_id}/alert.json")
    (folder / CHECKSUMS).write_text("\n".join(sums) + "\n", "utf-8")
    _, digest = measured(folder / CHECKSUMS)
    with archive.database.writing() as session:
        details = {"sha256": digest, "files": len(sums), "damaged": damaged}
        for alert_id in alerts:
            archive.audit.note(session, user, "exported", alert_id, details)
    return Export(folder, len(sums), total, digest, tuple(damaged))


def _found(archive: Archive, alert_id: str) -> dict[str, Any]:
    found = archive.find(Question(id=alert_id))
    if not found:
        raise InputError(
            "there is no such alert", where=alert_id, hint="See `tiepoint security alerts`."
        )
    at = timestamp(archive.clock.wall())
    return {**found[0], "exported_at": at}
