"""A volume as a sequence of slices: an array, a `.npy` file, a folder of pictures, or DICOM."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.digests import file_digest
from tiepoint.encoders.images import Pixels
from tiepoint.encoders.readers import dicom_reader, is_dicom_file
from tiepoint.errors import DecodeError
from tiepoint.sequences.natural_order import natural_order

SLICE_EXTENSIONS = frozenset((".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp"))

MAX_VALUES = 2**31
"""Most voxels of a volume."""

MAX_SLICES = 20_000
"""Most pictures of a folder."""

_PERCENTILES = (0.5, 99.5)


@runtime_checkable
class Sliced(Protocol):
    """What gives its slices itself, when an encoder asks for them; `Volume` is one."""

    def content_digest(self) -> str:
        """Return a SHA-256 in hexadecimal.

        Raises:
            DecodeError: The content cannot be read.
        """
        ...

    def slices(self, most: int, window: tuple[float, float] | None) -> list[Any]:
        """Return at most so many slices, evenly spread, as an image encoder takes them.

        Raises:
            DecodeError: One of them cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume on disk: a `.npy` file of an array (n, h, w), a folder of pictures, or DICOM.

    The pictures of a folder are its slices in the order of their names, in which numbers
    count as numbers: `slice2` comes before `slice10`. The slices of DICOM, a file of many
    frames or a folder of objects, are in the order of their positions.
    """

    path: Path

    @classmethod
    def of(cls, part: Any) -> Volume:
        """Return the volume that a path names.

        Raises:
            DecodeError: The part is no path, or there is nothing there.
        """
        if not isinstance(part, str | os.PathLike):
            raise DecodeError(
                f"a {type(part).__name__} is no volume",
                hint="Give an array (n, h, w), a .npy file, a folder of pictures, or DICOM.",
            )
        path = Path(part)
        try:
            exists = path.exists()
        except (OSError, ValueError):
            exists = False
        if not exists:
            raise DecodeError("no such file", where=os.fspath(part), hint="Check the path.")
        return cls(path)

    def content_digest(self) -> str:
        """Return the SHA-256 of the file's content, or of all pictures with their names.

        Raises:
            DecodeError: A file cannot be read.
        """
        try:
            if not self.path.is_dir():
                return file_digest(self.path)
            listing = "".join(f"{file.name}\0{file_digest(file)}\n" for file in self._files())
        except OSError as error:
            raise DecodeError(
                f"the volume cannot be read: {error.strerror}", where=str(self.path)
            ) from error
        return hashlib.sha256(listing.encode("utf-8", "surrogatepass")).hexdigest()

    def slices(self, most: int, window: tuple[float, float] | None) -> list[Any]:
        """Return at most so many slices, evenly spread: arrays (h, w) uint8, or paths.

        Args:
            most: How many at most.
            window: See `grey_slices`; pictures and DICOM have their own levels.

        Raises:
            DecodeError: No volume, or a broken one.
        """
        if self._is_dicom():
            return list(dicom_reader().slices(self.path, most))
        if self.path.is_dir():
            files = self._files()
            return [files[i] for i in spread(len(files), most)]
        return list(grey_slices(self._array(), most, window, str(self.path)))

    def _is_dicom(self) -> bool:
        """Tell whether this is a DICOM file, or a folder whose first file is one."""
        path = self.path
        if path.is_dir():
            path = next((file for file in sorted(path.iterdir()) if file.is_file()), path)
        return is_dicom_file(path)

    def _files(self) -> list[Path]:
        dicom = self._is_dicom()
        try:
            files = [
                file
                for file in self.path.iterdir()
                if (file.is_file() if dicom else file.suffix.lower() in SLICE_EXTENSIONS)
            ]
        except OSError as error:
            raise DecodeError(
                f"the folder cannot be read: {error.strerror}", where=str(self.path)
            ) from error
        if not 0 < len(files) <= MAX_SLICES:
            raise DecodeError(
                f"the folder holds {len(files)} pictures",
                where=str(self.path),
                hint=f"A volume has 1 to {MAX_SLICES} slices.",
            )
        return sorted(files, key=lambda file: natural_order(file.name))

    def _array(self) -> NDArray[Any]:
        try:
            # Mapped, so that a file of any size costs only the slices that are taken.
            array = np.load(self.path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError, SyntaxError) as error:
            raise DecodeError(
                "the content is no array in NumPy's format",
                where=str(self.path),
                hint="Write it with numpy.save, without objects.",
            ) from error
        if not isinstance(array, np.ndarray):
            array.close()
            raise DecodeError(
                "the file holds several arrays", where=str(self.path), hint="Give a .npy file."
            )
        return array


def grey_slices(
    volume: NDArray[Any], most: int, window: tuple[float, float] | None, where: str | None = None
) -> Pixels:
    """Return at most so many slices of a volume, evenly spread along its first axis, as grey.

    Args:
        volume: (n, h, w) numbers.
        most: How many at most.
        window: The values that become black and white; if not given, the 0.5th and the 99.5th
            percentile of the slices that are taken.
        where: The file, for errors.

    Returns:
        (k, h, w) uint8.

    Raises:
        DecodeError: Another shape, no voxels or too many, no numbers, or not finite.
    """
    if volume.ndim != 3 or not volume.size or volume.size > MAX_VALUES:
        raise DecodeError(
            f"an array of shape {volume.shape} is no volume",
            where=where,
            hint="Give (slices, height, width).",
        )
    if not (np.issubdtype(volume.dtype, np.number) or volume.dtype == np.bool_) or (
        np.issubdtype(volume.dtype, np.complexfloating)
    ):
        raise DecodeError(
            f"an array of {volume.dtype} is no volume", where=where, hint="Give real numbers."
        )
    values = np.asarray(volume[spread(len(volume), most)], np.float32)
    if not np.isfinite(values).all():
        raise DecodeError("the volume has values that are not finite", where=where)
    low, high = window if window is not None else np.percentile(values, _PERCENTILES)
    levels = (values - np.float32(low)) * np.float32(255 / (float(high - low) or 1.0))
    return np.asarray(np.rint(np.clip(levels, 0, 255)), np.uint8)


def spread(count: int, most: int) -> NDArray[np.int64]:
    """Return at most so many of the numbers below count, evenly spread.

    >>> spread(10, 4).tolist(), spread(2, 4).tolist()
    ([1, 3, 6, 8], [0, 1])
    """
    taken = min(count, most)
    return np.asarray((np.arange(taken) + 0.5) * count / taken, np.int64)
