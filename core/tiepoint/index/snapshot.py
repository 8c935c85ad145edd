"""Snapshots of a serving tier: a folder that is whole or not there.

A snapshot is written beside its final place, synced, and renamed; older ones are removed
after that. Its manifest holds the sequence number, the schema and a checksum of every file.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import secrets
import shutil
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from tiepoint.config.collections import IndexKind
from tiepoint.errors import StoreError
from tiepoint.index.base import SCHEMA_VERSION, CollectionSchema

FORMAT = 2
_MANIFEST = "manifest.json"
_PREFIX = "snapshot-"
_TEMPORARY = ".writing-"
_CHUNK = 1 << 20

Groups = Mapping[str, Mapping[str, NDArray[Any]]]


class SnapshotError(StoreError):
    """A snapshot that cannot be used; what it holds can be derived again."""


class IndexCard(BaseModel):
    """What an index's file does not hold: its kind and its tuning.

    Attributes:
        kind: See `tiepoint.index.kinds`.
        breadth: As tuned.
        oversampling: As tuned.
        shortcut: As tuned: a breadth and a nearness.
        tuned_at: How many vectors there were when it was tuned; 0 for one that is being built.
        recall: What it reached then.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: IndexKind
    breadth: int
    oversampling: int
    shortcut: tuple[int, float] | None
    tuned_at: int
    recall: float


class FileCard(BaseModel):
    """Length and CRC-32 of a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    length: int
    crc32: int


class Manifest(BaseModel):
    """What a snapshot says of itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    sequence: int
    schema_hash: str
    indexes: dict[str, IndexCard]
    searched: dict[str, str]
    files: dict[str, FileCard]


def schema_hash(schema: CollectionSchema) -> str:
    """Return a hash of everything that a snapshot's content depends on."""
    text = json.dumps([SCHEMA_VERSION, dataclasses.asdict(schema)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


class SnapshotWriter:
    """Writes one snapshot into a collection's folder; `commit` puts it in place.

    Attributes:
        folder: The temporary folder, for files that others write.
    """

    def __init__(self, folder: Path) -> None:
        self._final = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder / f"{_TEMPORARY}{secrets.token_hex(4)}"
        self.folder.mkdir()

    def arrays(self, name: str, groups: Groups) -> None:
        """Write groups of arrays into one file."""
        flat: dict[str, Any] = {}
        for group, arrays in groups.items():
            flat.update({f"{group}/{key}": array for key, array in arrays.items()})
        np.savez(self.folder / f"{name}.npz", **flat)

    def array(self, name: str, array: NDArray[Any]) -> None:
        """Write one array so that it can be mapped into memory."""
        np.save(self.folder / f"{name}.npy", array, allow_pickle=False)

    def commit(
        self,
        sequence: int,
        schema: CollectionSchema,
        indexes: dict[str, IndexCard],
        searched: dict[str, str],
    ) -> None:
        """Make everything durable, put it in place, and remove older snapshots.

        Args:
            sequence: The store's sequence number that the tier is up to.
            schema: What the collection holds.
            indexes: What the indexes' files do not hold, by field.
            searched: How each field is searched, and why so, in words.
        """
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file())
        manifest = Manifest(
            format=FORMAT,
            sequence=sequence,
            schema_hash=schema_hash(schema),
            indexes=indexes,
            searched=searched,
            files={path.relative_to(self.folder).as_posix(): _card(path) for path in paths},
        )
        (self.folder / _MANIFEST).write_text(manifest.model_dump_json(), "utf-8")
        for path in [*paths, self.folder / _MANIFEST, self.folder]:
            _sync(path)
        place = self._final / f"{_PREFIX}{sequence:020d}-{secrets.token_hex(4)}"
        self.folder.rename(place)
        _sync(self._final)
        for other in self._final.iterdir():
            if other != place and other.name.startswith((_PREFIX, _TEMPORARY)):
                shutil.rmtree(other, ignore_errors=True)

    def abandon(self) -> None:
        """Remove what was written; harmless after `commit`."""
        shutil.rmtree(self.folder, ignore_errors=True)


class SnapshotReader:
    """Reads the newest snapshot of a collection's folder.

    Args:
        folder: Where `SnapshotWriter` wrote.
        schema: What the caller expects.

    Raises:
        SnapshotError: There is none, or it is damaged, of a newer format, or of another schema.
    """

    def __init__(self, folder: Path, schema: CollectionSchema) -> None:
        places = sorted(folder.glob(f"{_PREFIX}*"))
        if not places:
            raise SnapshotError("there is no snapshot", where=str(folder))
        self.folder = places[-1]
        try:
            text = (self.folder / _MANIFEST).read_text("utf-8")
            form = json.loads(text).get("format")
            if form != FORMAT:
                raise self._error(f"the snapshot has format {form!r}, not {FORMAT}")
            self.manifest = Manifest.model_validate_json(text)
        except (OSError, ValueError, AttributeError, ValidationError) as error:
            raise self._error(f"the snapshot has no usable manifest ({error!s:.80})") from error
        if self.manifest.schema_hash != schema_hash(schema):
            raise self._error("the snapshot was made for another schema or other encoders")
        for name, card in self.manifest.files.items():
            try:
                whole = _card(self.folder / name) == card
            except OSError:
                whole = False
            if not whole:
                raise self._error(f"the snapshot's file {name} is damaged")

    def arrays(self, name: str) -> dict[str, dict[str, NDArray[Any]]]:
        """Return the groups of arrays of a file."""
        groups: dict[str, dict[str, NDArray[Any]]] = {}
        with np.load(self.folder / f"{name}.npz", allow_pickle=False) as stored:
            for key in stored.files:
                group, _, field = key.rpartition("/")
                groups.setdefault(group, {})[field] = stored[key]
        return groups

    def path(self, name: str) -> Path:
        """Return the file of an array."""
        return self.folder / f"{name}.npy"

    def array(self, name: str) -> NDArray[Any]:
        """Return an array, mapped into memory and read-only."""
        array: NDArray[Any] = np.load(self.path(name), mmap_mode="r", allow_pickle=False).view(
            np.ndarray
        )
        return array

    def _error(self, what: str) -> SnapshotError:
        return SnapshotError(what, where=str(self.folder))


def _card(path: Path) -> FileCard:
    length = crc = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            crc = zlib.crc32(chunk, crc)
            length += len(chunk)
    return FileCard(length=length, crc32=crc)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
