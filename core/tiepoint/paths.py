"""Where tiepoint keeps what it can make again: compiled models and embeddings."""

from __future__ import annotations

import os
from pathlib import Path


def cache_dir(name: str) -> Path:
    """Return (and make) a folder of the user's cache: `TIEPOINT_CACHE`, or the system's place.

    Args:
        name: The subject, such as `models` or `embeddings`.
    """
    from platformdirs import user_cache_path

    root = os.environ.get("TIEPOINT_CACHE")
    folder = (Path(root) if root else user_cache_path("tiepoint")) / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
