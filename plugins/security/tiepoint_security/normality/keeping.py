"""What is learned of a camera's motion, on disk: carried over from one process to the next.

Before there is a normality it is the motion that was gathered so far; after, what the stream
has added to the fitted counts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import InputError
from tiepoint.saving import replace_together
from tiepoint_security.normality.cells import CellMotion
from tiepoint_security.normality.fitting import ClipMotion
from tiepoint_security.normality.speeds import Counts

GATHERED = "gathered.safetensors"
LEARNT = "learnt.safetensors"
_FIELDS = CellMotion._fields


def keep_gathered(folder: Path, clip: ClipMotion, fps: float) -> None:
    """Write the motion that was gathered so far, whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    tensors = {
        name: np.stack([getattr(motion, name) for motion in clip.motions]).astype(np.float16)
        for name in _FIELDS
    }
    _write(folder / GATHERED, tensors, {"fps": fps, "size": clip.size})


def gathered(folder: Path, fps: float) -> ClipMotion | None:
    """Return the motion that was gathered so far; None if there is none at this frame rate.

    Raises:
        InputError: It is damaged.
    """
    found = _read(folder / GATHERED)
    if found is None:
        return None
    tensors, about = found
    if about.get("fps") != fps or set(tensors) != set(_FIELDS):
        return None
    height, width = about["size"]
    rows = zip(*(tensors[name].astype(np.float32) for name in _FIELDS), strict=True)
    return ClipMotion((height, width), tuple(CellMotion(*row) for row in rows))


def keep_learnt(folder: Path, counts: Counts, fingerprint: str) -> None:
    """Write what a stream added to the counts of a normality, whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    _write(folder / LEARNT, {"counts": counts}, {"fingerprint": fingerprint})


def learnt(folder: Path, fingerprint: str) -> Counts | None:
    """Return what streams added to a normality; None if nothing was added to this one.

    Raises:
        InputError: It is damaged.
    """
    found = _read(folder / LEARNT)
    if found is None or found[1].get("fingerprint") != fingerprint:
        return None
    return np.array(found[0]["counts"], np.float32)


def forget(folder: Path, name: str) -> None:
    """Remove what was kept under a name, if anything was."""
    (folder / name).unlink(missing_ok=True)


def _write(file: Path, tensors: Mapping[str, NDArray[Any]], about: Mapping[str, Any]) -> None:
    from safetensors.numpy import save

    file.parent.mkdir(parents=True, exist_ok=True)
    replace_together({file: save(dict(tensors), {"about": json.dumps(about)})})


def _read(file: Path) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]] | None:
    import safetensors
    from safetensors.numpy import load_file

    if not file.exists():
        return None
    try:
        with safetensors.safe_open(file, "numpy") as opened:
            about = json.loads(opened.metadata()["about"])
        return load_file(file), about
    except (safetensors.SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(
            f"what was learned of the camera's motion cannot be read ({type(error).__name__})",
            where=str(file),
            hint="Remove the file; it is learned anew.",
        ) from error
