"""The inbox of a listener, taken into the archive while the plugin runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from tiepoint.errors import TiepointError
from tiepoint.types import Skipped
from tiepoint_adapters.dicom.finding import name_below
from tiepoint_medical.archive.incoming import Incoming, from_studies
from tiepoint_medical.archive.studies import studies_named, studies_of

if TYPE_CHECKING:
    from tiepoint_medical.service import MedicalService

logger = logging.getLogger(__name__)

JOB = "inbox"

_Stamp = tuple[int, int]


class InboxIntake:
    """Looks at a folder now and then; when it has come to rest, takes in what is new.

    Only the studies that something came for are read again.

    Args:
        service: Of the archive.
        folder: What `tiepoint medical listen` fills; it may not be there yet.
        every_s: Seconds between two looks; what changed between them is not taken yet.
    """

    def __init__(self, service: MedicalService, folder: Path, every_s: float) -> None:
        self._service, self._folder, self._every_s = service, folder, every_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="medical-inbox")
        self._seen: dict[Path, _Stamp] = {}
        self._taken: dict[Path, _Stamp] = {}
        self._belonging: dict[Path, frozenset[str]] = {}
        self._left_out: dict[str, str] = {}
        self.warnings: dict[str, int] = {}
        self.problem: str | None = None

    @property
    def left_out(self) -> int:
        """How many files, reports and studies are left out."""
        return len(self._left_out)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; a batch that is being written is finished first."""
        self._stopped.set()
        self._thread.join()

    def look(self) -> bool:
        """Take in what is new, if nothing has changed since the last look; tell whether."""
        seen = self._stamps()
        resting, self._seen = seen == self._seen, seen
        if not resting or seen == self._taken:
            return False
        came = {file for file, stamp in seen.items() if self._taken.get(file) != stamp}
        for gone in self._taken.keys() - seen.keys():
            self._belonging.pop(gone, None)
            self._left_out.pop(name_below(gone, self._folder), None)
        for file in came:
            self._belonging[file] = studies_named(file)
        files = self._together(came)
        names = {name_below(file, self._folder) for file in files}
        for name in names.union(*(self._belonging[file] for file in files)):
            self._left_out.pop(name, None)
        report = self._service.ingest(self._of(files), JOB)
        for warning, count in report.warnings.items():
            self.warnings[warning] = self.warnings.get(warning, 0) + count
        self._left_out |= {one.where: one.reason for one in report.skipped}
        self._taken = seen
        return True

    def _of(self, files: Iterable[Path]) -> Iterable[Incoming | Skipped]:
        return from_studies(studies_of(sorted(files), self._folder))

    def _stamps(self) -> dict[Path, _Stamp]:
        found: dict[Path, _Stamp] = {}
        for file in self._folder.rglob("[!.]*"):
            if file.is_file():
                state = file.stat()
                found[file] = state.st_mtime_ns, state.st_size
        return found

    def _together(self, came: set[Path]) -> set[Path]:
        """Return these files, with all of their studies and of the reports on them."""
        files, names = set(came), set[str]()
        while more := names.union(*(self._belonging[file] for file in files)) - names:
            names |= more
            files |= {file for file, of in self._belonging.items() if not of.isdisjoint(more)}
        return files

    def _run(self) -> None:
        while not self._stopped.wait(self._every_s):
            try:
                self.look()
                self.problem = None
            except (TiepointError, OSError) as error:
                reason = getattr(error, "what", type(error).__name__)
                if reason != self.problem:
                    logger.error("the inbox cannot be taken in: %s", reason)
                self.problem = reason
