"""Open a DICOM object: from a path or bytes, with or without a preamble, whole or cut short."""

from __future__ import annotations

import io
import logging
import os
import stat
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom import Dataset, FileDataset, dcmread
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from tiepoint.encoders.readers import is_dicom
from tiepoint.errors import DecodeError
from tiepoint_adapters.dicom.kinds import Kind, class_name, kind_of
from tiepoint_adapters.dicom.values import DAMAGE, number_of, text_of, value_of

MAX_BYTES = 8 * 2**30
"""Largest file that is opened."""

MAX_INFLATED_BYTES = 2**30
"""Most that a data set in a deflated transfer syntax may inflate to."""

LARGE_BYTES = 256 * 2**20
"""A file above this is not held in memory: its frames are read one by one."""

# pydicom quotes the values that it complains of, and those are patients' data.
logging.getLogger("pydicom").setLevel(logging.CRITICAL)
warnings.filterwarnings("ignore", module=r"pydicom(\.|$)")

_GROUP_LENGTH = b"\x02\x00\x00\x00UL\x04\x00"
_INFLATED_STEP = 16 * 2**20
_PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_TELLING = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "Modality",
    "Rows",
    *_PIXEL_KEYWORDS,
)


@dataclass(frozen=True, slots=True)
class DicomObject:
    """A DICOM object that was opened.

    Attributes:
        dataset: pydicom's data set; of a large file without its pixel data.
        where: The file's path, or None for bytes.
        truncated: Whether the file ends before its pixel data do.
        large: Whether the pixel data were left in the file.
    """

    dataset: Dataset
    where: str | None = None
    truncated: bool = False
    large: bool = False

    @property
    def kind(self) -> Kind:
        """What the object is, by its SOP class."""
        return kind_of(self.dataset)

    @property
    def modality(self) -> str | None:
        """Modality (0008,0060), such as `CR`."""
        return text_of(self.dataset, "Modality")

    @property
    def class_name(self) -> str:
        """The name of the SOP class, such as `CT Image Storage`."""
        return class_name(self.dataset)

    @property
    def transfer_syntax(self) -> UID | None:
        """The transfer syntax, guessed from the encoding where the file does not name it."""
        named = value_of(getattr(self.dataset, "file_meta", {}), "TransferSyntaxUID")
        if named:
            return UID(str(named))
        implicit, little = getattr(self.dataset, "original_encoding", (None, None))
        if implicit is None or little is None:
            return None
        explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        return UID(ImplicitVRLittleEndian if implicit else explicit)

    @property
    def has_pixels(self) -> bool:
        """Whether there are, or should be, pixel data."""
        return self.large or self.truncated or any(word in self.dataset for word in _PIXEL_KEYWORDS)

    @property
    def frames(self) -> int:
        """How many frames the header tells of; 0 for an object without pixels."""
        if not self.has_pixels:
            return 0
        return max(1, number_of(self.dataset, "NumberOfFrames") or 1)

    def uid(self, keyword: str) -> str | None:
        """Return a UID, such as that of `SOPInstanceUID`, or None where it is missing or empty."""
        return text_of(self.dataset, keyword)


def read_dicom(part: Any, *, pixels: bool = True) -> DicomObject:
    """Open a DICOM object.

    Args:
        part: A path, bytes, or a pydicom data set, which is taken as it is.
        pixels: Whether its pixel data are read, too.

    Raises:
        DecodeError: There is no such file, it is too large, or it is not DICOM.
    """
    if isinstance(part, Dataset):
        return DicomObject(part)
    if isinstance(part, bytes | bytearray | memoryview):
        return _parsed(bytes(part), None, pixels)
    if not isinstance(part, str | os.PathLike):
        raise DecodeError(
            f"a {type(part).__name__} cannot be read as DICOM", hint="Give a path or bytes."
        )
    where = os.fspath(part)
    size = _size_of(Path(part))
    if size > LARGE_BYTES:
        return _parsed(Path(part), where, pixels=False, large=True)
    try:
        content = Path(part).read_bytes()
    except OSError as error:
        raise DecodeError(f"the file cannot be read: {error.strerror}", where=where) from error
    # What was left out is still in the file, and can be read from there.
    return _parsed(content, where, pixels, large=not pixels)


def _size_of(path: Path) -> int:
    where = str(path)
    try:
        status = path.stat()
    except FileNotFoundError:
        raise DecodeError("no such file", where=where, hint="Check the path.") from None
    except (OSError, ValueError) as error:
        raise DecodeError("the file cannot be read", where=where) from error
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        raise DecodeError(f"it is {kind}", where=where, hint="Name a file.")
    if not status.st_size:
        raise DecodeError("the file is empty (0 bytes)", where=where, hint="Replace it.")
    if status.st_size > MAX_BYTES:
        raise DecodeError(f"the file is larger than {MAX_BYTES >> 30} GiB", where=where)
    return status.st_size


def _parsed(
    content: bytes | Path, where: str | None, pixels: bool, large: bool = False
) -> DicomObject:
    try:
        dataset = _read(content, stop_before_pixels=not pixels)
        truncated = False
        if pixels and not len(dataset):
            # A file that ends within its pixel data leaves pydicom nothing of the data set.
            dataset = _read(content, stop_before_pixels=True)
            truncated = "Rows" in dataset
    except DecodeError as error:
        raise DecodeError(error.what, where=where, hint=error.hint) from error
    except DAMAGE as error:
        raise DecodeError(
            f"the file is not DICOM, or is damaged ({type(error).__name__})", where=where
        ) from error
    told = isinstance(content, bytes) and is_dicom(content) and len(dataset)
    meta = getattr(dataset, "file_meta", {})
    if not (told or any(word in dataset for word in _TELLING) or "MediaStorageSOPClassUID" in meta):
        raise DecodeError("the file is not DICOM", where=where)
    return DicomObject(dataset, where, truncated, large and "Rows" in dataset)


def _read(content: bytes | Path, *, stop_before_pixels: bool) -> FileDataset:
    stream: Any = content
    if isinstance(content, bytes):
        _limit_inflation(content)
        stream = io.BytesIO(content)
    # Without a preamble, anything can be parsed: what came of it is judged afterwards.
    return dcmread(stream, force=True, stop_before_pixels=stop_before_pixels)


def _limit_inflation(content: bytes) -> None:
    """Refuse a deflated data set that would not end; pydicom inflates it at once.

    Raises:
        DecodeError: It inflates beyond the limit.
    """
    if not is_dicom(content) or content[132:140] != _GROUP_LENGTH:
        return
    start = 144 + int.from_bytes(content[140:144], "little")
    if DeflatedExplicitVRLittleEndian.encode() not in content[144:start]:
        return
    inflating, rest, inflated = zlib.decompressobj(-zlib.MAX_WBITS), content[start:], 0
    while rest and not inflating.eof:
        inflated += len(inflating.decompress(rest, _INFLATED_STEP))
        rest = inflating.unconsumed_tail
        if inflated > MAX_INFLATED_BYTES:
            raise DecodeError(
                f"the deflated data set is larger than {MAX_INFLATED_BYTES >> 20} MiB"
            )
