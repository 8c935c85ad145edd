"""Where the sockets of an embedded store lie: a short path that only this user may enter."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from tiepoint.errors import InputError

_MAX_PATH_BYTES = 100
"""The address of a Unix socket has room for 104 (macOS) to 108 bytes (Linux)."""


def socket_path(store: Path, name: str) -> Path:
    """Return the address of one of a store's sockets; makes its folder, removes a stale socket.

    Args:
        store: The store's folder; this process must hold its lock.
        name: Which socket, a short word.

    Raises:
        InputError: Another user has made a folder of that name.
    """
    folder = _folder(store, name)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise InputError(
            f"the folder for local sockets cannot be made ({error.strerror})",
            where=str(folder),
            hint="Set TMPDIR to a folder that you may write to.",
        ) from error
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise InputError(
            "the folder for local sockets is open to other users",
            where=str(folder),
            hint="Remove it, or set TMPDIR to a folder of your own.",
        )
    path = folder / name
    path.unlink(missing_ok=True)
    return path


def remove_socket(path: Path) -> None:
    """Remove a socket, and its folder if that was the last one."""
    path.unlink(missing_ok=True)
    if path.parent.is_dir() and not any(path.parent.iterdir()):
        path.parent.rmdir()


def _folder(store: Path, name: str) -> Path:
    mark = hashlib.sha256(os.fsencode(store.resolve())).hexdigest()[:12]
    own = f"tiepoint-{os.getuid()}-{mark}"
    for root in (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir()):
        if root and os.access(root, os.W_OK) and _fits(Path(root) / own / name):
            return Path(root) / own
    return Path("/tmp") / own  # noqa: S108 - the folder is made 0700, and checked


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= _MAX_PATH_BYTES
