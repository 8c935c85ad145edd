"""Pictures of formats that the core itself does not read: an installed reader does."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tiepoint import registry
from tiepoint.errors import DecodeError

DICOM_PREFIX_AT = 128
_DICOM_PREFIX = b"DICM"


class Reader(Protocol):
    """Reads the pictures of a format (entry points: `tiepoint.readers`)."""

    def picture(self, content: bytes) -> NDArray[np.uint8]:
        """Return the picture that a file's bytes hold, (h, w) or (h, w, 3).

        Of a file of many frames, the one in the middle.

        Raises:
            DecodeError: It holds none that can be read.
        """
        ...

    def slices(self, path: Path, most: int) -> list[NDArray[np.uint8]]:
        """Return at most so many slices of the volume that a file or a folder holds, in order.

        Raises:
            DecodeError: It holds none that can be read.
        """
        ...


def is_dicom(content: bytes) -> bool:
    r"""Tell whether a file that begins with these bytes is DICOM (PS3.10 7.1).

    >>> is_dicom(b"\0" * 128 + b"DICM")
    True
    """
    return content[DICOM_PREFIX_AT : DICOM_PREFIX_AT + 4] == _DICOM_PREFIX


def is_dicom_file(path: Path) -> bool:
    """Tell whether a file is DICOM by its beginning; one that cannot be read is not."""
    try:
        with path.open("rb") as stream:
            return is_dicom(stream.read(DICOM_PREFIX_AT + 4))
    except (OSError, ValueError):
        return False


def dicom_reader() -> Reader:
    """Return the reader of DICOM.

    Raises:
        DecodeError: None is installed.
    """
    if registry.find(registry.READERS, "dicom") is None:
        raise DecodeError("there is no reader of DICOM", hint="pip install 'tiepoint[dicom]'")
    reader: type[Reader] = registry.load(registry.READERS, "dicom")
    return reader()
