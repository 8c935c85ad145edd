"""The vectors that searches are measured on: made ones, and those of files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import InputError

Vectors = NDArray[np.float32]

RANK = 24
QUERIES = 500
_CLUSTER_SIZE = 200
_NOISE = 0.3  # the length of the noise of a repeated vector, in lengths of the vector
_STEP = 65_536


def clustered(count: int, dim: int) -> Vectors:
    """Return (count, dim) unit vectors in clusters of about 200, within a space of rank 24.

    The spread within a cluster is half of that between clusters; a little noise fills the
    other dimensions.
    """
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.standard_normal((dim, RANK)))[0].astype(np.float32)
    clusters = max(count // _CLUSTER_SIZE, 1)
    centres = rng.standard_normal((clusters, RANK), np.float32)
    vectors = np.empty((count, dim), np.float32)
    for start in range(0, count, _STEP):  # bounds what is in memory twice
        step = vectors[start : start + _STEP]
        points = centres[rng.integers(0, clusters, len(step))]
        points += 0.5 * rng.standard_normal((len(step), RANK), np.float32)
        step[:] = points @ basis.T + 0.02 * rng.standard_normal(step.shape, np.float32)
        step /= np.linalg.norm(step, axis=1, keepdims=True)
    return vectors


def embeddings(path: Path, count: int, dim: int) -> Vectors:
    """Return unit vectors of a file, shuffled, as many and as long as they are asked for.

    Longer vectors are brought to `dim` by the principal components of a sample. Where the file
    has too few, they are repeated with noise of 0.3 of their length, by which the repetitions
    of one vector have a cosine of about 0.92.

    Args:
        path: `.npz` (its first 2-D array of floats), `.hdf5` (the sets `train` and `test`, as
            ann-benchmarks has them, or the first 2-D set), or `.fvecs`.
        count: How many.
        dim: How long; shorter vectors stay as they are.

    Raises:
        InputError: The file cannot be read, or holds no array of vectors.
    """
    found = _read(path)
    if len(found) < 2 * QUERIES:
        raise InputError(
            "the file holds too few vectors", where=str(path), hint=f"Give {2 * QUERIES}, or more."
        )
    rng = np.random.default_rng(0)
    vectors = unit(rng.permutation(np.asarray(found, np.float32))[:count])
    if vectors.shape[1] > dim:
        sample = vectors[:20_000]
        _, _, axes = np.linalg.svd(sample, full_matrices=False)
        vectors = unit(vectors @ axes[:dim].T)
    if len(vectors) >= count:
        return vectors
    repeated = np.empty((count, vectors.shape[1]), np.float32)
    for start in range(0, count, _STEP):
        step = repeated[start : start + _STEP]
        noise = rng.standard_normal(step.shape, np.float32)
        step[:] = vectors[np.arange(start, start + len(step)) % len(vectors)]
        if start + len(step) > len(vectors):
            step += noise * (_NOISE / np.sqrt(step.shape[1]))
    return unit(rng.permutation(repeated))


def unit(vectors: Vectors) -> Vectors:
    """Return the vectors at unit length."""
    scaled: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return scaled


def _read(path: Path) -> NDArray[Any]:
    readers = {".npz": _npz, ".hdf5": _hdf5, ".h5": _hdf5, ".fvecs": _fvecs}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            f"{path.suffix or 'no suffix'} is no known form of vectors",
            where=str(path),
            hint=f"Give one of {', '.join(readers)}.",
        )
    try:
        arrays = reader(path)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"the file cannot be read ({error!s:.80})", where=str(path), hint="Check the file."
        ) from error
    found = [array for array in arrays if array.ndim == 2 and array.dtype.kind == "f"]
    if not found:
        raise InputError(
            "the file holds no 2-D array of floats", where=str(path), hint="Give (n, dim) floats."
        )
    return found[0]


def _npz(path: Path) -> list[NDArray[Any]]:
    with np.load(path, allow_pickle=False) as stored:
        return [stored[name] for name in stored.files]


def _hdf5(path: Path) -> list[NDArray[Any]]:
    try:
        import h5py
    except ImportError as error:
        raise InputError(
            "HDF5 files need the package h5py",
            where=str(path),
            hint="pip install 'tiepoint[bench]'",
        ) from error
    with h5py.File(path, "r") as file:
        if {"train", "test"} <= file.keys():
            return [np.concatenate([file["train"][:], file["test"][:]])]
        return [node[:] for node in file.values() if isinstance(node, h5py.Dataset)]


def _fvecs(path: Path) -> list[NDArray[Any]]:
    flat = np.fromfile(path, np.int32)
    if not len(flat) or flat[0] < 1 or len(flat) % (flat[0] + 1):
        raise ValueError("not the form of .fvecs")
    return [flat.reshape(-1, int(flat[0]) + 1)[:, 1:].view(np.float32)]
