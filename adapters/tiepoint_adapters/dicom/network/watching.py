"""A folder that others write to: each DICOM file and message in it is taken once it is whole."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from tiepoint.errors import DecodeError, InputError
from tiepoint.types import Skipped
from tiepoint_adapters.dicom.finding import find_files
from tiepoint_adapters.dicom.network.inbox import Inbox
from tiepoint_adapters.dicom.reading import read_dicom

SETTLED_S = 2.0
"""A file that has not changed for so long is taken to be whole."""


class WatchedFolder:
    """Copies new DICOM files of a folder into an inbox; the folder itself is not changed.

    Args:
        folder: What others write to.
        inbox: Takes the objects.
        settled_s: How long a file must not have changed.
        clock: The time, in the seconds that files' times are in.

    Raises:
        InputError: There is no such folder.
    """

    def __init__(
        self,
        folder: Path,
        inbox: Inbox,
        settled_s: float = SETTLED_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not folder.is_dir():
            raise InputError("no such folder", where=str(folder), hint="Make it, or check it.")
        self.folder, self.inbox = folder, inbox
        self._settled_s, self._clock = settled_s, clock
        self._taken: dict[Path, tuple[int, int]] = {}

    def poll(self) -> tuple[int, list[Skipped]]:
        """Take what is new and whole; returns how many objects, and what is no DICOM."""
        taken, skipped = 0, []
        for file in find_files(self.folder):
            if isinstance(file, Skipped):
                continue
            try:
                status = file.stat()
            except OSError:
                continue  # gone between listing and looking
            mark = (status.st_size, status.st_mtime_ns)
            if self._taken.get(file) == mark or self._clock() - status.st_mtime < self._settled_s:
                continue
            try:
                part = read_dicom(file, pixels=False)
                uid = part.uid("SOPInstanceUID")
                if uid is None:
                    raise DecodeError("the object has no SOP Instance UID")
                self.inbox.accept_object(uid, file.read_bytes())
                taken += 1
            except DecodeError as error:
                skipped.append(Skipped(file.relative_to(self.folder).as_posix(), error.what))
            except FileNotFoundError:
                continue
            self._taken[file] = mark
        return taken, skipped

    def run(self, stopped: threading.Event, every_s: float = 1.0) -> None:
        """Poll until an event is set."""
        while not stopped.wait(every_s):
            self.poll()
