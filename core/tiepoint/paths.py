"""Where tiepoint keeps what it can make again: compiled models and embeddings."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path

logger = logging.getLogger(__name__)

_warned: set[Path] = set()


def cache_root() -> Path:
    """Return the folder of the user's cache: `TIEPOINT_CACHE`, or the system's place."""
    from platformdirs import user_cache_path

    root = os.environ.get("TIEPOINT_CACHE")
    return Path(root) if root else user_cache_path("tiepoint")


def cache_dir(name: str) -> Path:
    """Return a folder of the user's cache; made, for this user only, if that is possible.

    The cache is optional: who reads must be ready for a folder that is absent, and who writes
    for an `OSError`, which goes to `work_uncached`.

    Args:
        name: The subject, such as `models` or `embeddings`.
    """
    root = cache_root()
    folder = root / name
    with suppress(OSError):
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def work_uncached(reason: object) -> None:
    """Log that the cache cannot be used and that work goes on without it; once for a cache.

    Args:
        reason: What went wrong.
    """
    root = cache_root()
    if root not in _warned:
        _warned.add(root)
        logger.warning(
            "%s: the cache cannot be used (%s); what it would keep is made anew in each process. "
            "Free some space, or set TIEPOINT_CACHE to a folder that can be written to.",
            root,
            reason,
        )
