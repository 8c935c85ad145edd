"""How tensors are stored: as they are, in half precision, or as bytes with a scale per row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Storage = Literal["float32", "float16", "int8"]

_SCALE = ".step"
_LEVELS = 127
_SMALL = 4096
"""Arrays with fewer values stay as they are: they cost nothing, and biases matter."""


def packed(tensors: Mapping[str, NDArray[Any]], storage: Storage) -> dict[str, NDArray[Any]]:
    """Return tensors as they are stored; `unpacked` brings them back, rounded.

    >>> x = np.linspace(-1, 1, 8192, dtype=np.float32).reshape(64, 128)
    >>> stored = packed({"x": x}, "int8")
    >>> sorted((name, str(value.dtype)) for name, value in stored.items())
    [('x', 'int8'), ('x.step', 'float32')]
    >>> bool(np.abs(unpacked(stored)["x"] - x).max() < 0.005)
    True
    """
    kept: dict[str, NDArray[Any]] = {}
    for name, value in tensors.items():
        if storage == "float32" or value.dtype != np.float32 or value.size < _SMALL:
            kept[name] = value
        elif storage == "float16" or value.ndim != 2:
            kept[name] = value.astype(np.float16)
        else:
            largest = np.abs(value).max(1, keepdims=True)
            scale = np.where(largest > 0, largest / _LEVELS, 1).astype(np.float32)
            kept[name] = np.rint(value / scale).astype(np.int8)
            kept[name + _SCALE] = scale
    return kept


def unpacked(tensors: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return stored tensors in float32.

    Raises:
        KeyError: the step of bytes is missing.
    """
    restored: dict[str, NDArray[Any]] = {}
    for name, value in tensors.items():
        if value.dtype == np.int8:
            restored[name] = value.astype(np.float32) * tensors[name + _SCALE]
        elif value.dtype == np.float16:
            restored[name] = value.astype(np.float32)
        elif not name.endswith(_SCALE):
            restored[name] = value
    return restored
