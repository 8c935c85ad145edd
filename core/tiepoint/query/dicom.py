"""A DICOM object as a part of a query: an image, or a volume."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tiepoint.errors import QueryError
from tiepoint.types import IMAGE, VOLUME, Modality


def with_dicom(parts: dict[Modality, Any], dicom: Any) -> dict[Modality, Any]:
    """Return a query's parts with a DICOM object or a folder of them among them.

    Args:
        parts: Parts by modality.
        dicom: Path or bytes of an object, which becomes the image; or a folder, the volume.

    Raises:
        QueryError: There is another image or volume.
    """
    folder = isinstance(dicom, str | os.PathLike) and Path(dicom).is_dir()
    modality = VOLUME if folder else IMAGE
    if parts.get(modality) is not None:
        raise QueryError(
            f"there are two of modality {modality}", where="dicom", hint="Give one of them."
        )
    return {**parts, modality: dicom}
