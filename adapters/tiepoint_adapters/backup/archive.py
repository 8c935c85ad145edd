"""What a backup is: a folder of files, and a manifest that vouches for each of them."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tiepoint import __version__
from tiepoint.errors import InputError, StoreError

MANIFEST = "manifest.json"
_SQLITE = b"SQLite format 3\x00"
_PASSING = ("-wal", "-shm", "-journal", ".lock", ".partial")


class Kept(BaseModel):
    """A file or folder of the deployment, and where in the backup it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    origin: str
    place: str


class Manifest(BaseModel):
    """What a backup holds.

    Attributes:
        tiepoint_backup: The version of this format.
        release: The release that made it.
        made: When, in seconds since 1970.
        collections: The number of items and the checksum of each collection.
        kept: Files and folders beside the store.
        files: The SHA-256 of every file, by its path in the backup.
    """

    model_config = ConfigDict(extra="forbid")

    tiepoint_backup: int = 1
    release: str = __version__
    made: float
    collections: dict[str, tuple[int, str]]
    kept: list[Kept]
    files: dict[str, str]


def seal(folder: Path, collections: dict[str, tuple[int, str]], kept: list[Kept]) -> Manifest:
    """Write the manifest of a folder that is complete.

    Raises:
        StoreError: It cannot be written.
    """
    files = {str(path.relative_to(folder)): sha256(path) for path in _files(folder)}
    manifest = Manifest(made=time.time(), collections=collections, kept=kept, files=files)
    try:
        (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2), "utf-8")
    except OSError as error:
        raise StoreError(
            f"the backup cannot be written ({error.strerror})",
            where=str(folder),
            hint="Free some space.",
        ) from error
    return manifest


def verified(folder: Path) -> Manifest:
    """Return the manifest of a backup, all of whose files are as they were made.

    Raises:
        InputError: This is no backup, or a file of it is missing, changed or added.
    """
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError) as error:
        raise InputError(
            "this is no backup", where=str(folder), hint="Give a folder of `tiepoint backup`."
        ) from error
    found = {str(path.relative_to(folder)): path for path in _files(folder)}
    found.pop(MANIFEST, None)
    for name in sorted(manifest.files.keys() | found.keys()):
        if name not in found:
            wrong = "is missing"
        elif name not in manifest.files:
            wrong = "was added"
        elif sha256(found[name]) != manifest.files[name]:
            wrong = "is not as it was made"
        else:
            continue
        raise InputError(
            f"a file of the backup {wrong}", where=str(folder / name), hint="Use another backup."
        )
    return manifest


def keep(origin: Path, target: Path) -> bool:
    """Copy a file, or a folder with all that is in it; tells whether there was something.

    A SQLite database is copied as it is at one moment, though it be written to.
    """
    if origin.is_dir():
        for path in _files(origin):
            if not path.name.endswith(_PASSING):
                _keep_file(path, target / path.relative_to(origin))
        return True
    if origin.is_file():
        _keep_file(origin, target)
        return True
    return False


def _keep_file(origin: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with origin.open("rb") as file:
        database = file.read(len(_SQLITE)) == _SQLITE
    if not database:
        shutil.copy2(origin, target)
        return
    reading = f"{origin.absolute().as_uri()}?mode=ro"  # another process may be writing to it
    with (
        closing(sqlite3.connect(reading, uri=True)) as source,
        closing(sqlite3.connect(target)) as copied,
    ):
        source.backup(copied)
    target.chmod(origin.stat().st_mode & 0o777)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def sha256(path: Path) -> str:
    """Return the hash of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def described(manifest: Manifest) -> str:
    """Return in a line what a backup holds."""
    items = json.dumps({name: count for name, (count, _) in manifest.collections.items()})
    return f"{len(manifest.files)} files, items {items}"
