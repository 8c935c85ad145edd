"""The weights of USE-multilingual: the quantised embedding table, and the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.runtimes.stored import StoredModel

TABLE_PARTS = 17
"""The embedding table is quantised in 17 interleaved parts: token t lies in part t mod 17."""

PADDING_ID = -1
"""The token id of a padded place; the network leaves such places out."""

_TABLE_FILE = "table.npy"


def embedding_table(weights: Path, digest: str) -> NDArray[np.uint8]:
    """Return the (128,010, 512) uint8 table, mapped from a file in the cache.

    The package compresses it, which takes a second to undo; mapped, it is there at once, only
    the rows in use take memory, and processes share them.

    Args:
        weights: The package's `weights.npz`.
        digest: SHA-256 of that file; names the cached one.
    """
    stored = StoredModel(f"use-table|{digest}")
    folder = stored.find() or stored.write(lambda empty: _write_table(weights, empty))
    table: NDArray[np.uint8] = np.load(folder / _TABLE_FILE, mmap_mode="r")
    return table


def _write_table(weights: Path, folder: Path) -> None:
    with np.load(weights, allow_pickle=False) as arrays:
        parts = [arrays[f"q{number}"] for number in range(1, TABLE_PARTS + 1)]
    rows, width = parts[0].shape
    table = np.empty((TABLE_PARTS * rows, width), np.uint8)
    for number, part in enumerate(parts):
        table[number::TABLE_PARTS] = part
    np.save(folder / _TABLE_FILE, table, allow_pickle=False)


def network_weights(weights: Path) -> dict[str, NDArray[Any]]:
    """Return all arrays but the table, by their names in `weights.npz`."""
    with np.load(weights, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files if not name.startswith("q")}
