"""Vectors that lie on disk and are mapped into memory a few pages at a time."""

from __future__ import annotations

import mmap
import os
import tempfile
from pathlib import Path
from typing import IO

import numpy as np

from tiepoint.encoders.base import Vectors
from tiepoint.errors import StoreError

_FIRST_CAPACITY = 4096
_TOUCHED_LIMIT = 256  # vectors whose pages (and the 64 KiB around them) stay mapped: 16 MiB
_COPY_STEP = 8192


class DiskVectors:
    """A growing (n, dim) float32 array in a file, with the interface of `GrowingArray`.

    The file has no name, so that it goes with the process, whatever ends that; or it is that
    of a snapshot, which is read only and copied at the first append. Pages that were read
    count as the process's memory until they are given back; `touched` sees to that. They stay
    in the system's cache of files as long as there is room.

    Args:
        dim: Length of the vectors.
        folder: Where the file lies; that of temporary files if None.
    """

    def __init__(self, dim: int, folder: Path | None) -> None:
        self._dim = dim
        self._folder = folder
        self._size = 0
        self._capacity = 0
        self._touched = 0
        self._file: IO[bytes] = self._new_file()
        self._writable = True
        self._mapping: mmap.mmap | None = None
        self._vectors: Vectors = np.empty((0, dim), np.float32)

    @classmethod
    def of(cls, path: Path, folder: Path | None) -> DiskVectors:
        """Return the vectors of an .npy file."""
        stored = np.load(path, mmap_mode="r", allow_pickle=False)
        vectors = cls(stored.shape[1], folder)
        vectors._size = vectors._capacity = len(stored)
        if len(stored):
            vectors._file.close()
            vectors._file = path.open("rb")
            vectors._writable = False
            vectors._map(stored.offset)
        return vectors

    def __len__(self) -> int:
        return self._size

    @property
    def view(self) -> Vectors:
        """The (n, dim) vectors, read-only."""
        return self._vectors[: self._size]

    def append(self, vectors: Vectors) -> None:
        """Add (n, dim) vectors at the end.

        Raises:
            StoreError: The file cannot be written; nothing is changed.
        """
        end = self._size + len(vectors)
        if not self._writable:
            self._copy()
        if end > self._capacity:
            capacity = max(end, _FIRST_CAPACITY, self._capacity * 3 // 2)
            self._file.truncate(capacity * self._dim * 4)
            self._capacity = capacity
            self._map(0)
        self._write(np.ascontiguousarray(vectors, np.float32).data.cast("B"))
        self._size = end

    def touched(self, count: int) -> None:
        """Give pages back when many vectors have been read since the last time."""
        self._touched += count
        if self._touched > _TOUCHED_LIMIT:
            self._touched = 0
            if self._mapping is not None:
                self._mapping.madvise(mmap.MADV_DONTNEED)

    def _write(self, content: memoryview) -> None:
        offset = self._size * self._dim * 4
        try:
            while content:
                written = os.pwrite(self._file.fileno(), content, offset)
                content, offset = content[written:], offset + written
        except OSError as error:
            raise StoreError(
                f"the vectors cannot be written to disk ({error.strerror})",
                where=str(self._folder or tempfile.gettempdir()),
                hint="Make room on the disk.",
            ) from error

    def _map(self, offset: int) -> None:
        """Map the file; readers keep the mapping that they look at."""
        mapping = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        mapping.madvise(mmap.MADV_RANDOM)
        flat = np.frombuffer(mapping, np.float32, self._capacity * self._dim, offset)
        self._mapping = mapping
        self._vectors = flat.reshape(self._capacity, self._dim)

    def _copy(self) -> None:
        old = self.view
        self._file.close()
        self._file, self._writable = self._new_file(), True
        self._size = self._capacity = 0
        for start in range(0, len(old), _COPY_STEP):
            self.append(old[start : start + _COPY_STEP])

    def _new_file(self) -> IO[bytes]:
        return tempfile.TemporaryFile(dir=self._folder)
