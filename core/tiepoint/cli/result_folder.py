"""The folder that a fit writes: one that can be written, and that holds no other result."""

from __future__ import annotations

import os
from pathlib import Path

from tiepoint.errors import InputError

CHECKPOINT = "checkpoint"
"""What a fit that was cut short leaves in its folder, to be continued."""


def check_result_folder(folder: Path, card: str, *, force: bool) -> None:
    """Refuse, before anything is computed, a folder that a fit is not to write.

    Args:
        folder: Where the result goes; made later if it is absent.
        card: The file that a result has.
        force: Whether a result that is there already may be replaced.

    Raises:
        InputError: It cannot be written, or it holds a result that nobody gave up.
    """
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise InputError(
            "the result cannot be written here",
            where=str(nearest),
            hint="Give --out a folder that can be written.",
        )
    if (folder / card).exists() and not (force or (folder / CHECKPOINT).exists()):
        raise InputError(
            f"the folder holds a fit already, {card}",
            where=str(folder),
            hint="Give --out another folder, or --force to replace it.",
        )
