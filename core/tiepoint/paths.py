"""Where tiepoint keeps what it can make again: compiled models and embeddings."""

from __future__ import annotations

import os
from pathlib import Path

from tiepoint.errors import InputError


def cache_dir(name: str) -> Path:
    """Return (and make) a folder of the user's cache: `TIEPOINT_CACHE`, or the system's place.

    Args:
        name: The subject, such as `models` or `embeddings`.

    Raises:
        InputError: The folder cannot be made.
    """
    from platformdirs import user_cache_path

    root = os.environ.get("TIEPOINT_CACHE")
    folder = (Path(root) if root else user_cache_path("tiepoint")) / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"the cache folder cannot be made ({error.strerror})",
            where=str(folder),
            hint="Set TIEPOINT_CACHE to a folder that can be written to.",
        ) from error
    return folder
