"""Vectors that were computed before, by the content of the part and the encoder."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from tiepoint.encoders.base import Vectors
from tiepoint.encoders.files import read_bytes
from tiepoint.paths import cache_dir, work_uncached
from tiepoint.types import TEXT, Modality

MAX_BYTES = 4 * 2**30
"""Size of the vectors that are kept unless the owner says otherwise."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS vectors (
    key BLOB PRIMARY KEY, vector BLOB NOT NULL, used INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS vectors_by_use ON vectors (used);
CREATE TABLE IF NOT EXISTS total (bytes INTEGER NOT NULL);
INSERT INTO total SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM total);
CREATE TRIGGER IF NOT EXISTS added AFTER INSERT ON vectors BEGIN
    UPDATE total SET bytes = bytes + length(NEW.vector); END;
CREATE TRIGGER IF NOT EXISTS removed AFTER DELETE ON vectors BEGIN
    UPDATE total SET bytes = bytes - length(OLD.vector); END;
"""

# A use is noted once in this time, so that reading a warm cache writes next to nothing.
_USE_RESOLUTION_S = 3600
_SQL_VARIABLES = 500


@runtime_checkable
class Digested(Protocol):
    """A part that tells the digest of its content itself: it is too large to be held."""

    def content_digest(self) -> str:
        """Return a SHA-256 in hexadecimal.

        Raises:
            DecodeError: The content cannot be read.
        """


def digest(part: Any, modality: Modality = TEXT) -> str:
    """Return the SHA-256 of a part's content, in hexadecimal.

    A path and the bytes of its file have the same digest; so has a copy under another name.

    Args:
        part: A path, bytes, a PIL image, an array, a string, or an object that has its own
            `content_digest`.
        modality: A string is itself the content for `text`, else the path of a file.

    Raises:
        DecodeError: A file that cannot be read.
    """
    content = hashlib.sha256()
    if isinstance(part, str) and modality == TEXT:
        content.update(part.encode("utf-8", "surrogatepass"))
    elif isinstance(part, np.ndarray):  # before the protocol, whose check takes longer than this
        content.update(f"array {part.dtype.str} {part.shape}\n".encode())
        content.update(np.ascontiguousarray(part).tobytes())
    elif isinstance(part, Digested):
        return part.content_digest()
    elif isinstance(part, str | os.PathLike | bytes | bytearray | memoryview):
        content.update(read_bytes(part))
    elif hasattr(part, "tobytes") and hasattr(part, "getexif"):
        remarks = [
            part.mode,
            part.size,
            part.getpalette(),
            part.getexif().get(0x0112),
            part.info.get("icc_profile"),
            part.info.get("transparency"),
        ]
        content.update(f"image {remarks!r}\n".encode())
        content.update(part.tobytes())
    else:
        content.update(read_bytes(part))
    return content.hexdigest()


class EmbeddingCache:
    """Vectors on disk, safe to share between threads and processes.

    A vector that is not found is merely computed again, so nothing is flushed to the disk at
    every write; a kill leaves the cache whole. A file that cannot be opened, read or written
    is therefore no error: that is logged, and from then on nothing is found and nothing kept.

    Args:
        folder: Where the file lies; the user's cache if not given.
        max_bytes: Size of the vectors that are kept; those that were not used for longest go
            first.
    """

    def __init__(self, folder: Path | None = None, max_bytes: int = MAX_BYTES) -> None:
        self.file = (folder or cache_dir("embeddings")) / "vectors.sqlite3"
        self.max_bytes = max_bytes
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._failure: str | None = None
        with self._failures():
            try:
                self._connection = self._open()
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                # Not a database, or a damaged one: it holds nothing that cannot be made again.
                for name in (self.file.name, f"{self.file.name}-wal", f"{self.file.name}-shm"):
                    self.file.with_name(name).unlink(missing_ok=True)
                self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.file, timeout=30, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}COMMIT;")
        return connection

    def get(
        self, digests: Sequence[str], modality: Modality, fingerprint: str
    ) -> list[Vectors | None]:
        """Return the (dim,) float32 vector of each part, None where it is not known.

        Args:
            digests: The parts' digests.
            modality: What they were encoded as.
            fingerprint: The encoder's.
        """
        keys = [_key(digest_, modality, fingerprint) for digest_ in digests]
        now = int(time.time())
        found: dict[bytes, Vectors] = {}
        stale: list[tuple[int, bytes]] = []
        with self._lock, self._failures():
            if self._connection is None:
                return [None] * len(keys)
            for start in range(0, len(keys), _SQL_VARIABLES):
                some = keys[start : start + _SQL_VARIABLES]
                marks = ",".join("?" * len(some))
                query = f"SELECT key, vector, used FROM vectors WHERE key IN ({marks})"  # noqa: S608
                for key, blob, used in self._connection.execute(query, some):
                    found[key] = np.frombuffer(blob, np.float32)
                    if now - used > _USE_RESOLUTION_S:
                        stale.append((now, key))
            if stale:
                with _transaction(self._connection):
                    self._connection.executemany("UPDATE vectors SET used=? WHERE key=?", stale)
        return [found.get(key) for key in keys]

    def put(self, vectors: Mapping[str, Vectors], modality: Modality, fingerprint: str) -> None:
        """Keep vectors, by the digest of their part.

        Args:
            vectors: (dim,) vectors by digest.
            modality: What the parts were encoded as.
            fingerprint: The encoder's.
        """
        now = int(time.time())
        rows = [
            (_key(digest_, modality, fingerprint), np.asarray(vector, np.float32).tobytes(), now)
            for digest_, vector in vectors.items()
        ]
        with self._lock, self._failures():
            if self._connection is not None:
                with _transaction(self._connection):
                    self._connection.executemany(
                        "INSERT INTO vectors VALUES (?, ?, ?) "
                        "ON CONFLICT (key) DO UPDATE SET vector = excluded.vector",
                        rows,
                    )
                    self._evict(self._connection)

    def health(self) -> dict[str, str]:
        """Return `status`, `file`, and the `reason` where the status is `degraded`."""
        if self._failure is None:
            return {"status": "ok", "file": str(self.file)}
        return {"status": "degraded", "file": str(self.file), "reason": self._failure}

    def close(self) -> None:
        """Close the file. Idempotent."""
        with self._lock:
            self._disconnect()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _evict(self, connection: sqlite3.Connection) -> None:
        """Remove what was not used for longest, down to nine tenths of the bound."""
        excess = _size(connection) - self.max_bytes
        if excess <= 0:
            return
        excess += self.max_bytes // 10
        doomed: list[tuple[bytes]] = []
        for key, size in connection.execute(
            "SELECT key, length(vector) FROM vectors ORDER BY used"
        ):
            doomed.append((key,))
            excess -= size
            if excess <= 0:
                break
        connection.executemany("DELETE FROM vectors WHERE key=?", doomed)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            self._failure = str(error)
            with suppress(sqlite3.Error):
                self._disconnect()
            work_uncached(f"{self.file.name}: {error}")


class RefreshedCache(EmbeddingCache):
    """A cache of which nothing is believed until it has been put in anew.

    For an encoder whose vectors have drifted: its old ones are replaced one by one.
    """

    def get(
        self, digests: Sequence[str], modality: Modality, fingerprint: str
    ) -> list[Vectors | None]:
        """Return None for each part."""
        return [None] * len(digests)


def _size(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT bytes FROM total").fetchone()[0])


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A full disk has sometimes rolled it back already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _key(digest_: str, modality: Modality, fingerprint: str) -> bytes:
    return hashlib.sha256(f"{digest_}\n{modality}\n{fingerprint}".encode()).digest()
