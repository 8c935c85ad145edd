"""The inbox of a listener, taken into the archive while the plugin runs."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from tiepoint.errors import TiepointError
from tiepoint_medical.archive.incoming import from_studies
from tiepoint_medical.archive.studies import read_studies

if TYPE_CHECKING:
    from tiepoint_medical.service import MedicalService

logger = logging.getLogger(__name__)

JOB = "inbox"


class InboxIntake:
    """Looks at a folder now and then; when it has come to rest, takes in what is new.

    Args:
        service: Of the archive.
        folder: What `tiepoint medical listen` fills; it may not be there yet.
        every_s: Seconds between two looks; what changed between them is not taken yet.
    """

    def __init__(self, service: MedicalService, folder: Path, every_s: float) -> None:
        self._service, self._folder, self._every_s = service, folder, every_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="medical-inbox")
        self._seen: frozenset[tuple[str, int]] = frozenset()
        self._taken = self._seen
        self.problem: str | None = None
        self.left_out = 0

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; a batch that is being written is finished first."""
        self._stopped.set()
        self._thread.join()

    def look(self) -> bool:
        """Take in what is new, if nothing has changed since the last look; tell whether."""
        files = self._folder.rglob("[!.]*")
        seen = frozenset((str(file), file.stat().st_mtime_ns) for file in files if file.is_file())
        resting, self._seen = seen == self._seen, seen
        if not resting or seen == self._taken:
            return False
        studies = read_studies(self._folder)
        self.left_out = len(self._service.ingest(from_studies(studies), JOB).skipped)
        self._taken = seen
        return True

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
