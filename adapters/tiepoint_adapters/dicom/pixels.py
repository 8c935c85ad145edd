"""The stored values of an object's frames, one by one, with what they claim checked first."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import get_frame
from pydicom.pixels import iter_pixels
from pydicom.pixels.utils import unpack_bits
from pydicom.uid import (
    JPEG2000,
    UID,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
)

from tiepoint.encoders.images import MAX_PIXELS
from tiepoint.errors import DecodeError
from tiepoint_adapters.dicom.codestreams import claimed_size
from tiepoint_adapters.dicom.reading import DicomObject
from tiepoint_adapters.dicom.values import DAMAGE, number_of, text_of

MAX_FRAMES = 1_000_000
"""Most frames that a header may tell of."""

# What pylibjpeg-rle, which is written in Rust, raises for some damage is no `Exception`.
_PANICS = "pyo3_runtime"

_SAMPLES = {
    "MONOCHROME1": 1,
    "MONOCHROME2": 1,
    "PALETTE COLOR": 1,
    "RGB": 3,
    "YBR_FULL": 3,
    "YBR_FULL_422": 3,
    "YBR_ICT": 3,
    "YBR_PARTIAL_420": 3,
    "YBR_RCT": 3,
}
# GDCM, which pydicom would ask first, ends the process where a header and a codestream disagree.
# It is left what no other decoder reads; on what others read, they give the same values.
_DECODERS = {
    str(JPEGBaseline8Bit): "pillow",
    str(JPEGExtended12Bit): "pillow",
    str(JPEGLSLossless): "pyjpegls",
    str(JPEGLSNearLossless): "pyjpegls",
    str(JPEG2000Lossless): "pylibjpeg",
    str(JPEG2000): "pylibjpeg",
}
_ONLY_GDCM = frozenset({JPEGLossless, JPEGLosslessSV1})

DEFLATED_IMAGE_FRAME = "1.2.840.10008.1.2.8.1"
"""Deflated Image Frame Compression (PS3.5 A.4.13), which pydicom 3.0 has no decoder for."""


def frames(
    part: DicomObject, indices: Sequence[int] | None = None
) -> Iterator[NDArray[np.generic]]:
    """Yield frames as pydicom decodes them: (h, w), or (h, w, 3) in RGB; palettes as indices.

    Args:
        part: An object with pixels.
        indices: Which frames, counted from 0; all of them if not given.

    Raises:
        DecodeError: There are no pixels, they are cut short, larger than `MAX_PIXELS`, in a
            transfer syntax that no decoder here reads, or damaged.
    """
    try:
        _check(part)
        wanted = range(part.frames) if indices is None else indices
        if any(not 0 <= index < part.frames for index in wanted):
            raise DecodeError(f"the object has {part.frames} frames")
        yield from _decoded(part, wanted if indices is not None else None)
    except DecodeError as error:
        raise DecodeError(error.what, where=error.where or part.where, hint=error.hint) from error
    except DAMAGE as error:
        raise DecodeError(_reason(part, ValueError()), where=part.where) from error


def refusal(part: DicomObject) -> str | None:
    """Return why an object's pixels cannot be decoded, as far as its header tells."""
    try:
        _check(part)
    except DecodeError as error:
        return error.what
    return None


def _check(part: DicomObject) -> None:
    if not part.has_pixels:
        raise DecodeError(f"{part.class_name}: there are no pixels")
    if part.truncated:
        raise DecodeError("the pixel data are cut short: the file ends within them")
    dataset, syntax = part.dataset, part.transfer_syntax
    rows, columns = number_of(dataset, "Rows"), number_of(dataset, "Columns")
    if not rows or not columns or rows < 0 or columns < 0:
        raise DecodeError("the header gives no rows and columns, though there are pixels")
    if rows * columns > MAX_PIXELS:
        raise DecodeError(f"the header claims {columns} x {rows} pixels, more than {MAX_PIXELS:,}")
    if part.frames > MAX_FRAMES:
        raise DecodeError(f"the header claims {part.frames} frames, more than {MAX_FRAMES:,}")
    if syntax is None:
        raise DecodeError("the file does not say its transfer syntax")
    if syntax.is_private:
        raise DecodeError("the transfer syntax is private, and no decoder here knows it")
    encapsulated = _should_be_encapsulated(syntax)
    if not part.large and encapsulated != _is_encapsulated(part):
        raise DecodeError(f"the pixel data are not encoded as {syntax.name} says")
    if not part.large and not encapsulated:
        _check_length(part, rows * columns)


def _check_length(part: DicomObject, pixels: int) -> None:
    """Refuse native pixel data that are shorter than the header says.

    Raises:
        DecodeError: They are.
    """
    dataset = part.dataset
    content = dataset.get("PixelData")
    bits = number_of(dataset, "BitsAllocated")
    if content is None or not bits:
        return
    samples = number_of(dataset, "SamplesPerPixel") or 1
    halved = text_of(dataset, "PhotometricInterpretation") == "YBR_FULL_422"
    values = pixels * samples * part.frames * 2 // 3 if halved else pixels * samples * part.frames
    if len(content) < values * bits // 8:
        raise DecodeError(
            f"the pixel data are cut short: {len(content):,} bytes of {values * bits // 8:,}"
        )


def _should_be_encapsulated(syntax: UID) -> bool:
    """Tell whether a transfer syntax has its frames in fragments.

    Raises:
        DecodeError: The UID is that of something else.
    """
    if syntax == DEFLATED_IMAGE_FRAME:
        return True
    if not syntax.is_transfer_syntax:
        raise DecodeError(f"{syntax.name} is no transfer syntax")
    return bool(syntax.is_encapsulated)


def _is_encapsulated(part: DicomObject) -> bool:
    content = part.dataset.get("PixelData")
    return isinstance(content, bytes) and content[:4] == b"\xfe\xff\x00\xe0"


def _decoded(part: DicomObject, indices: Sequence[int] | None) -> Iterator[NDArray[np.generic]]:
    syntax = part.transfer_syntax
    try:
        if syntax == DEFLATED_IMAGE_FRAME:
            yield from _inflated(part, indices)
            return
        if syntax is not None and _should_be_encapsulated(syntax) and not part.large:
            for index in range(part.frames) if indices is None else indices:
                _check_codestream(part, index)
        source = part.where if part.large else _with_syntax(part)
        yield from iter_pixels(
            source,
            indices=list(indices) if indices is not None else None,
            decoding_plugin=_plugin(part),
        )
    except DecodeError:
        raise
    except DAMAGE as error:
        raise DecodeError(_reason(part, error)) from error
    except BaseException as error:
        if type(error).__module__ != _PANICS:
            raise
        raise DecodeError(_reason(part, RuntimeError())) from error


def _plugin(part: DicomObject) -> str:
    """Return the decoder that may read an object, "" if all may.

    Raises:
        DecodeError: Only GDCM could, and the header contradicts itself.
    """
    syntax = part.transfer_syntax
    if syntax in _ONLY_GDCM and _contradicts_itself(part):
        raise DecodeError("the header's bits, samples and photometric interpretation do not agree")
    return _DECODERS.get(str(syntax), "")


def _contradicts_itself(part: DicomObject) -> bool:
    dataset = part.dataset
    interpretation = text_of(dataset, "PhotometricInterpretation") or ""
    allocated, stored = (number_of(dataset, f"Bits{word}") for word in ("Allocated", "Stored"))
    samples = number_of(dataset, "SamplesPerPixel")
    return (
        _SAMPLES.get(interpretation) != samples
        or allocated not in (8, 16)
        or stored is None
        or not 1 < stored <= allocated
        or (samples == 3 and stored != allocated)
    )


def _with_syntax(part: DicomObject) -> Any:
    """Return the data set with the transfer syntax in its meta information, as pydicom needs."""
    from pydicom.dataset import FileMetaDataset

    dataset: Any = part.dataset
    if not getattr(dataset, "file_meta", {}).get("TransferSyntaxUID"):
        if getattr(dataset, "file_meta", None) is None:
            dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = part.transfer_syntax
    return dataset


def _check_codestream(part: DicomObject, index: int) -> None:
    """Refuse a frame that is larger inside than the header says.

    Raises:
        DecodeError: The codestream's size is not that of the header.
    """
    dataset = part.dataset
    frame = get_frame(dataset.PixelData, index, number_of_frames=part.frames)
    size = claimed_size(frame)
    told = (int(dataset.Rows), int(dataset.Columns))
    if size is not None and size != told:
        raise DecodeError(
            f"frame {index} claims {size[1]} x {size[0]} pixels, and the header "
            f"{told[1]} x {told[0]}"
        )


def _inflated(part: DicomObject, indices: Sequence[int] | None) -> Iterator[NDArray[np.generic]]:
    dataset = part.dataset
    shape = (int(dataset.Rows), int(dataset.Columns), int(dataset.get("SamplesPerPixel", 1)))
    bits = int(dataset.BitsAllocated)
    values = shape[0] * shape[1] * shape[2]
    expected = (values * bits + 7) // 8
    for index in range(part.frames) if indices is None else indices:
        frame = get_frame(dataset.PixelData, index, number_of_frames=part.frames)
        content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(frame, expected + 1)[:expected]
        if len(content) < expected:
            raise DecodeError(f"frame {index} is cut short")
        if bits == 1:
            stored: NDArray[np.generic] = np.asarray(unpack_bits(content))[:values]
        else:
            sign = "i" if dataset.get("PixelRepresentation") else "u"
            stored = np.frombuffer(content, f"<{sign}{bits // 8}")
        yield stored.reshape(shape if shape[2] > 1 else shape[:2])


def _reason(part: DicomObject, error: Exception) -> str:
    """Return why decoding failed; what codecs say is quoted, header values are not."""
    syntax = part.transfer_syntax
    name = "an unknown transfer syntax" if syntax is None else str(syntax.name)
    if isinstance(error, NotImplementedError):
        return f"no decoder here reads {name}"
    if isinstance(error, MemoryError):
        return "there is not enough memory to decode the pixels"
    # After a first line, each decoder that was tried has one of its own.
    lines = [line.strip() for line in str(error).splitlines()[1:] if line.strip()]
    told = lines[-1] if isinstance(error, RuntimeError) and lines else type(error).__name__
    return f"the pixels ({name}) are damaged, or not what the header says: {told}"
