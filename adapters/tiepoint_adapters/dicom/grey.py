"""From stored values to levels of grey, through one table a frame."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint_adapters.dicom.values import number_of, text_of

DISPLAYED_PERCENTILES = (0.5, 99.5)
"""What is black and white in a picture of more than 8 bits that says nothing about it."""

AIR_HU = -1024.0
"""Nothing that a CT shows is below; padding is, and lossy compression blurs it."""

_LARGEST_TABLE = 2**17
_GREY_BITS = 8

Values = NDArray[np.float64]


def grey_levels(
    stored: NDArray[Any], dataset: Any, attributes: Any, window: int = 0
) -> NDArray[np.uint8]:
    """Return the levels at which stored values are displayed, (h, w) uint8.

    Args:
        stored: (h, w) stored values, of integers or floats.
        dataset: The object's data set.
        attributes: The same as it holds for this frame; see `frame_attributes`.
        window: Which of several VOI LUTs or windows, from 0.
    """
    if np.issubdtype(stored.dtype, np.integer):
        low, high = int(stored.min()), int(stored.max())
        if high - low < _LARGEST_TABLE:
            each = np.arange(low, high + 1)
            table = _levels(each, stored, dataset, attributes, window)
            return np.asarray(table[stored - low if low else stored])
    return _levels(stored, stored, dataset, attributes, window)


def _levels(
    stored: NDArray[Any], frame: NDArray[Any], dataset: Any, attributes: Any, window: int
) -> NDArray[np.uint8]:
    """Map stored values of a frame, whichever they are."""
    values = modality_values(stored, dataset, attributes)
    levels = voi_levels(values, attributes, window)
    if levels is None:
        ends = modality_values(displayed(frame, dataset), dataset, attributes)
        low, high = float(ends.min()), float(ends.max())
        if text_of(dataset, "Modality") == "CT" and low < AIR_HU < high:
            low = AIR_HU
        levels = (values - low) / ((high - low) or 1.0)
    levels = np.clip(np.nan_to_num(levels), 0, 1)
    if _inverted(dataset):
        levels = 1 - levels
    levels = np.where(padding(stored, dataset), 0, levels)
    return np.rint(levels * 255).astype(np.uint8)


def modality_values(stored: NDArray[Any], dataset: Any, attributes: Any) -> Values:
    """Apply the Modality LUT or the rescale slope and intercept (PS3.3 C.11.1)."""
    from pydicom.pixels import apply_modality_lut

    if dataset.get("ModalityLUTSequence"):
        return np.asarray(apply_modality_lut(stored.copy(), dataset), np.float64)
    slope, intercept = (_number(attributes, word) for word in ("RescaleSlope", "RescaleIntercept"))
    return stored.astype(np.float64) * (1.0 if slope is None else slope) + (intercept or 0.0)


def voi_levels(values: Values, attributes: Any, window: int) -> Values | None:
    """Apply the VOI LUT or else the window; None where there is neither (PS3.3 C.11.2).

    Args:
        values: After the Modality LUT.
        attributes: The data set as it holds for the frame.
        window: Which of several, from 0; the last where there are fewer.

    Returns:
        Levels, 0 is black and 1 is white; those outside are to be clipped.
    """
    tables = attributes.get("VOILUTSequence")
    if tables:
        return _looked_up(values, tables[min(window, len(tables) - 1)])
    known = windows(attributes)
    if not known:
        return None
    function = (text_of(attributes, "VOILUTFunction") or "LINEAR").upper()
    return windowed(values, *known[min(window, len(known) - 1)], function)


def windows(attributes: Any) -> list[tuple[float, float]]:
    """Return the centres and widths that are given, without those of no width.

    Some scanners write 0 where they mean that there is no window.
    """
    centres, widths = (_numbers(attributes, word) for word in ("WindowCenter", "WindowWidth"))
    if len(centres) != len(widths):
        return []
    return [(c, w) for c, w in zip(centres, widths, strict=True) if w > 0]


def windowed(values: Values, centre: float, width: float, function: str = "LINEAR") -> Values:
    """Apply a window (PS3.3 C.11.2.1.2 and C.11.2.1.3).

    Args:
        values: After the Modality LUT.
        centre: Window Center (0028,1050).
        width: Window Width (0028,1051).
        function: `LINEAR`, `LINEAR_EXACT` or `SIGMOID`.

    Returns:
        Levels in [0, 1].

    >>> windowed(np.array([0.0, 127.5, 255.0]), 128, 256).tolist()
    [0.0, 0.5, 1.0]
    """
    if function == "SIGMOID" and width > 0:
        return np.asarray(1 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -700, 700))))
    if function == "LINEAR_EXACT" and width > 0:
        return np.clip((values - centre) / width + 0.5, 0, 1)
    if width > 1:
        return np.clip((values - (centre - 0.5)) / (width - 1) + 0.5, 0, 1)
    return np.where(values > centre - 0.5, 1.0, 0.0)


def padding(stored: NDArray[Any], dataset: Any) -> NDArray[np.bool_]:
    """Tell which stored values are padding (PS3.3 C.7.5.1.1.2)."""
    first = number_of(dataset, "PixelPaddingValue")
    if first is None:
        return np.zeros(stored.shape, bool)
    last = number_of(dataset, "PixelPaddingRangeLimit")
    low, high = sorted((first, first if last is None else last))
    return np.asarray((stored >= low) & (stored <= high))


def displayed(frame: NDArray[Any], dataset: Any) -> NDArray[Any]:
    """Return the two stored values that become black and white where no window is given.

    All levels of a picture of at most 8 bits; else percentiles of what is not padding.

    Args:
        frame: (h, w) stored values.
        dataset: The object's data set.
    """
    integers = np.issubdtype(frame.dtype, np.integer)
    bits = number_of(dataset, "BitsStored") or 16
    if text_of(dataset, "SegmentationType") == "FRACTIONAL":
        return np.array([0, number_of(dataset, "MaximumFractionalValue") or 255])
    if integers and bits <= _GREY_BITS:
        low = -(2 ** (bits - 1)) if number_of(dataset, "PixelRepresentation") else 0
        return np.array([low, low + 2**bits - 1])
    values = frame[~padding(frame, dataset)]
    values = values[np.isfinite(values)]
    if not values.size:
        return np.array([0, 1])
    ends = np.percentile(values, DISPLAYED_PERCENTILES)
    if not ends[0] < ends[1]:
        ends = np.array([values.min(), values.max()])
    return np.asarray(np.rint(ends), np.int64) if integers else np.asarray(ends)


def _looked_up(values: Values, table: Any) -> Values:
    """Map values through one item of a VOI LUT Sequence (PS3.3 C.11.2.1.1)."""
    count, first, bits = (int(number) for number in table.LUTDescriptor)
    entries = _entries(table, count or 65536, bits)
    at = np.clip(np.rint(values) - first, 0, len(entries) - 1).astype(np.intp)
    return np.asarray(entries[at] / float(2**bits - 1))


def _entries(table: Any, count: int, bits: int) -> Values:
    data = table["LUTData"].value
    if isinstance(data, bytes):
        words = np.frombuffer(data, "u1" if len(data) == count and bits <= 8 else "<u2")
    else:
        words = np.asarray(data if hasattr(data, "__len__") else [data])
    return words[:count].astype(np.float64)


def _inverted(dataset: Any) -> bool:
    """Tell whether low values are white (PS3.3 C.7.6.3.1.2 and C.11.6)."""
    return (
        text_of(dataset, "PhotometricInterpretation") == "MONOCHROME1"
        or text_of(dataset, "PresentationLUTShape") == "INVERSE"
    )


def _number(attributes: Any, keyword: str) -> float | None:
    numbers = _numbers(attributes, keyword)
    return numbers[0] if numbers else None


def _numbers(attributes: Any, keyword: str) -> list[float]:
    value = attributes.get(keyword)
    if value is None or value == "":
        return []
    many = value if hasattr(value, "__iter__") and not isinstance(value, str) else [value]
    try:
        return [float(number) for number in many]
    except (TypeError, ValueError):
        return []
