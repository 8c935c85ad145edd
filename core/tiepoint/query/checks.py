"""What a search is given, checked at the door."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from tiepoint.encoders.base import Vectors
from tiepoint.errors import QueryError
from tiepoint.index.base import VectorField

MAX_K = 16_384
"""The most hits that one search gives; Milvus servers have the same limit."""

_FLOAT32 = np.dtype(np.float32)
_UNIT_TOLERANCE = 1e-6  # of the squared length: what rounding to float32 leaves


def given_vector(given: Any, field: VectorField) -> Vectors:
    """Return a given vector as (dim,) float32, of unit length where the field's are.

    Raises:
        QueryError: It has another length, is not finite, or is zero where that has no direction.
    """
    if field.metric == "cosine":
        return given if _is_unit(given, field.dim) else unit_vector(given, field.dim, field.name)
    try:
        vector: Vectors = np.array(given, np.float32).reshape(-1)
    except (TypeError, ValueError):
        raise QueryError("the vector is not made of numbers", where=field.name) from None
    if len(vector) != field.dim:
        raise _wrong_length(len(vector), field.dim, field.name)
    if not np.isfinite(vector @ vector):
        raise QueryError(
            "the vector is not finite, or too long", where=field.name, hint="Give finite numbers."
        )
    return vector


def _is_unit(given: Any, dim: int) -> bool:
    """Tell whether there is nothing to convert; a tenth of a search's time is."""
    return (
        isinstance(given, np.ndarray)
        and given.dtype == _FLOAT32
        and given.shape == (dim,)
        and given.flags.c_contiguous
        and abs(float(given.dot(given)) - 1.0) <= _UNIT_TOLERANCE
    )


def given_vectors(given: Any, field: VectorField) -> Vectors:
    """Return many given vectors as (n, dim) float32, of unit length where the field's are.

    Raises:
        QueryError: They have another length, are not finite, or zero where that has no
            direction.
    """
    try:
        vectors = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        raise QueryError("the vectors are not made of numbers", where=field.name) from None
    if vectors.ndim != 2 or vectors.shape[1] != field.dim:
        raise QueryError(
            f"the vectors have the shape {vectors.shape}",
            where=field.name,
            hint=f"Give rows of {field.dim} values.",
        )
    norms = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))
    cosine = field.metric == "cosine"
    wrong = ~np.isfinite(norms) | (cosine & (norms == 0))
    if wrong.any():
        raise QueryError(
            f"vector {int(np.argmax(wrong))} is zero or not finite",
            where=field.name,
            hint="Give finite numbers.",
        )
    if cosine:
        vectors = vectors / norms[:, None]
    return np.ascontiguousarray(vectors, np.float32)


def _wrong_length(length: int, dim: int, field: str) -> QueryError:
    return QueryError(f"the vector has {length} values", where=field, hint=f"Give {dim} values.")


def unit_vector(given: Any, dim: int, field: str) -> Vectors:
    """Return a given vector as (dim,) float32 of unit length.

    Raises:
        QueryError: It has another length, is zero, or is not finite.
    """
    try:
        # In double precision, where the norm of any float32 vector is finite.
        vector = np.asarray(given, np.float64).reshape(-1)
    except (TypeError, ValueError):
        raise QueryError("the vector is not made of numbers", where=field) from None
    if len(vector) != dim:
        raise _wrong_length(len(vector), dim, field)
    norm = math.sqrt(vector @ vector)
    if not math.isfinite(norm) or norm == 0:
        raise QueryError(
            "the vector is zero or not finite", where=field, hint="Give finite numbers."
        )
    return (vector / norm).astype(np.float32)


def checked_k(k: Any) -> int:
    """Return the number of hits that is asked for.

    Raises:
        QueryError: It is no integer from 1 to `MAX_K`.
    """
    try:
        count = operator.index(k)
    except TypeError:
        count = 0
    if isinstance(k, bool) or not 1 <= count <= MAX_K:
        raise QueryError(f"k is {k!r}", hint=f"Ask for 1 to {MAX_K} hits.")
    return count


def id_list(ids: Sequence[str], what: str) -> list[str]:
    """Return ids as a list.

    Raises:
        QueryError: They are one string, which is a sequence too, but of letters.
    """
    if isinstance(ids, (str, bytes)):
        raise QueryError(f"{what} is one string", hint="Give a list of ids.")
    return list(ids)
