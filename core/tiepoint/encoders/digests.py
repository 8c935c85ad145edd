"""SHA-256 of model files, remembered so that large weights are hashed once."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from tiepoint.paths import cache_dir, work_uncached

_SMALL_BYTES = 1 << 20


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal.

    The digest of a file over 1 MiB is kept in the cache, and taken from there as long as path,
    size, and modification time stay.
    """
    status = path.stat()
    if status.st_size <= _SMALL_BYTES:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    state = f"{path.resolve()}\n{status.st_size}\n{status.st_mtime_ns}"
    memory = cache_dir("digests") / hashlib.sha256(state.encode()).hexdigest()
    remembered = ""
    with suppress(OSError):
        remembered = memory.read_text("ascii")
    # A process that was killed while writing leaves a shorter text.
    if len(remembered) == hashlib.sha256().digest_size * 2:
        return remembered
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    try:
        memory.write_text(digest, "ascii")
    except OSError as error:
        work_uncached(error)
    return digest
