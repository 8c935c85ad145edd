"""Sidecar files: what lies beside an image and says more about it."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tiepoint.types import MetadataValue, Skipped
from tiepoint_adapters.json_text import parse_json

MAX_SIDECAR_BYTES = 4 << 20
"""No text about one picture is this long: a larger file is something else."""


class Sidecar(BaseModel):
    """What `x.json` may hold, and, with the text of `x.txt`, all that is known of `x.jpg`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str | None = Field(default=None, min_length=1)
    text: str | None = None
    metadata: dict[str, MetadataValue] = Field(default_factory=dict)


def read_sidecars(image: Path, root: Path) -> Sidecar | Skipped:
    """Return what the files beside an image say, or why they cannot be read.

    Args:
        image: The image's path; its sidecars have its name with the suffix `.txt` or `.json`.
        root: The folder that the image is told of relative to, and that no link may leave.
    """
    try:
        text = _read(image.with_suffix(".txt"), root)
        raw = _read(image.with_suffix(".json"), root)
        sidecar = Sidecar.model_validate(parse_json(raw)) if raw is not None else Sidecar()
    except _UnreadableError as error:
        return Skipped(image.relative_to(root).as_posix(), str(error))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"][:2])
        return _broken(image, root, f"has a wrong {place or 'value'}: {first['msg'].lower()}")
    except ValueError as error:
        return _broken(image, root, f"is not valid JSON ({error})")
    if text is not None and sidecar.text is not None:
        return _broken(image, root, "gives a text, and so does the .txt file")
    if text is not None and text.strip():
        return sidecar.model_copy(update={"text": text.strip()})
    return sidecar


class _UnreadableError(Exception):
    """A sidecar that is there and cannot be read as text."""


def _broken(image: Path, root: Path, what: str) -> Skipped:
    return Skipped(
        image.relative_to(root).as_posix(), f"its sidecar {image.with_suffix('.json').name} {what}"
    )


def _read(path: Path, root: Path) -> str | None:
    if not path.is_file():
        return None
    if not path.resolve().is_relative_to(root.resolve()):
        raise _UnreadableError(f"its sidecar {path.name} is a link that leaves the folder")
    try:
        if path.stat().st_size > MAX_SIDECAR_BYTES:
            raise _UnreadableError(
                f"its sidecar {path.name} is larger than {MAX_SIDECAR_BYTES} bytes"
            )
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise _UnreadableError(f"its sidecar {path.name} is not UTF-8") from error
    except OSError as error:
        raise _UnreadableError(
            f"its sidecar {path.name} cannot be read: {error.strerror}"
        ) from error
