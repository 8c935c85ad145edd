"""What is learned of a camera's motion, on disk: carried over from one process to the next.

Before there is a normality it is the motion that was gathered so far; after, what the stream
has added to the fitted counts.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tiepoint_security.learned_files import About, Tensors, read_learned, write_learned
from tiepoint_security.normality.cells import CellMotion
from tiepoint_security.normality.fitting import ClipMotion
from tiepoint_security.normality.speeds import Counts

GATHERED = "gathered.safetensors"
LEARNT = "learnt.safetensors"
_FIELDS = CellMotion._fields
_WHAT = "what was learned of the camera's motion"


def keep_gathered(folder: Path, clip: ClipMotion, fps: float) -> None:
    """Write the motion that was gathered so far, whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    tensors = {
        name: np.stack([getattr(motion, name) for motion in clip.motions]).astype(np.float16)
        for name in _FIELDS
    }
    write_learned(folder / GATHERED, tensors, {"fps": fps, "size": clip.size})


def gathered(folder: Path, fps: float) -> ClipMotion | None:
    """Return the motion that was gathered so far; None if there is none at this frame rate.

    Raises:
        InputError: It is damaged.
    """

    def clip(tensors: Tensors, about: About) -> ClipMotion | None:
        if about.get("fps") != fps or set(tensors) != set(_FIELDS):
            return None
        height, width = about["size"]
        rows = zip(*(tensors[name].astype(np.float32) for name in _FIELDS), strict=True)
        return ClipMotion((height, width), tuple(CellMotion(*row) for row in rows))

    return read_learned(folder / GATHERED, _WHAT, clip)


def keep_learnt(folder: Path, counts: Counts, fingerprint: str) -> None:
    """Write what a stream added to the counts of a normality, whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    write_learned(folder / LEARNT, {"counts": counts}, {"fingerprint": fingerprint})


def learnt(folder: Path, fingerprint: str) -> Counts | None:
    """Return what streams added to a normality; None if nothing was added to this one.

    Raises:
        InputError: It is damaged.
    """

    def counts(tensors: Tensors, about: About) -> Counts | None:
        if about.get("fingerprint") != fingerprint:
            return None
        return np.array(tensors["counts"], np.float32)

    return read_learned(folder / LEARNT, _WHAT, counts)


def forget(folder: Path, name: str) -> None:
    """Remove what was kept under a name, if anything was."""
    (folder / name).unlink(missing_ok=True)
