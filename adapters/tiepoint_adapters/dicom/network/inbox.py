"""What was accepted, kept: a message is acknowledged only when it is safely on the disk."""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

from tiepoint.errors import DecodeError
from tiepoint_adapters.dicom.reading import read_dicom

OBJECT_SUFFIX = ".dcm"
REPORT_SUFFIX = ".hl7"
_PARTIAL = ".partial-"
_PLACE = ("StudyInstanceUID", "SeriesInstanceUID")


class Inbox:
    """A folder of accepted objects and messages, one file each.

    A file gets its name only when its content is on the disk, and the name is there for good
    when `accept` returns: neither a kill nor a power cut loses what was acknowledged. Names are
    hashes, so that a listing tells nothing of patients; the same key has the same name, and a
    thing that is sent twice is kept once.

    Args:
        folder: Made, for this user only, if it is absent.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for partial in folder.glob(f"*/{_PARTIAL}*"):  # of a process that was killed
            with contextlib.suppress(OSError):
                partial.unlink()

    def accept_object(self, uid: str, content: bytes) -> Path:
        """Keep a DICOM object under its study, its series and its SOP Instance UID.

        UIDs should be unique, but in the wild two studies share some: neither replaces the other.

        Args:
            uid: SOP Instance UID.
            content: The object as a file has it.

        Raises:
            OSError: See `accept`.
        """
        try:
            part = read_dicom(content, pixels=False)
            place = [part.uid(keyword) or "" for keyword in _PLACE]
        except DecodeError:  # it is kept, and told of when it is read
            place = []
        return self.accept("/".join((*place, uid)), content)

    def accept(self, key: str, content: bytes, suffix: str = OBJECT_SUFFIX) -> Path:
        """Keep a content under a key; returns when it cannot be lost any more.

        Args:
            key: Such as the SOP Instance UID; an equal one replaces what it named.
            content: The bytes.
            suffix: Of the file's name.

        Raises:
            OSError: The disk is full, or the folder cannot be written to.
        """
        name = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        shelf = self.folder / name[:2]
        if not shelf.is_dir():
            shelf.mkdir(mode=0o700, exist_ok=True)
            _sync_folder(self.folder)
        target = shelf / f"{name}{suffix}"
        partial = shelf / f"{_PARTIAL}{uuid.uuid4().hex}"
        try:
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(target)
            _sync_folder(shelf)
        finally:
            partial.unlink(missing_ok=True)
        return target

    def files(self, suffix: str = OBJECT_SUFFIX) -> Iterator[Path]:
        """Yield what was accepted, in the order of names."""
        yield from sorted(self.folder.glob(f"*/[0-9a-f]*{suffix}"))

    def __len__(self) -> int:
        return sum(1 for _ in self.files())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
