"""Files of what was learned of a camera: arrays with plain data about them, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from numpy.typing import NDArray

from tiepoint.errors import InputError
from tiepoint.saving import replace_together

Tensors = Mapping[str, NDArray[Any]]
About = Mapping[str, Any]
Learned = TypeVar("Learned")


def write_learned(file: Path, tensors: Tensors, about: About) -> None:
    """Write a safetensors file with plain data about its arrays.

    Raises:
        OSError: It cannot be written; what was there stays.
    """
    from safetensors.numpy import save

    file.parent.mkdir(parents=True, exist_ok=True)
    replace_together({file: save(dict(tensors), {"about": json.dumps(about)})})


def read_learned(
    file: Path, what: str, made_of: Callable[[Tensors, About], Learned]
) -> Learned | None:
    """Return what is made of a file's content; None where there is no file.

    Args:
        file: As `write_learned` wrote it.
        what: What it holds, for people.
        made_of: From the arrays and the data about them; may fail on what is damaged.

    Raises:
        InputError: It is damaged.
    """
    import safetensors
    from safetensors.numpy import load_file

    if not file.exists():
        return None
    try:
        with safetensors.safe_open(file, "numpy") as opened:
            about = json.loads(opened.metadata()["about"])
        return made_of(load_file(file), about)
    except (safetensors.SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(
            f"{what} cannot be read ({type(error).__name__})",
            where=str(file),
            hint="Remove the file; it is learned anew.",
        ) from error
