"""Filters as masks over columns held in memory."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tiepoint.index.filters.nodes import (
    And,
    Compare,
    Contains,
    Exists,
    In,
    Like,
    Node,
    Not,
    Operator,
    Or,
    Scalar,
)

Mask = NDArray[np.bool_]


class FilterColumn(Protocol):
    """The values of one field; every test is false where the value is missing.

    The masks are (n,), new, and the caller's to change. A test that the field's type does
    not have (such as `like` on numbers) is never asked for.
    """

    def present(self) -> Mask:
        """Return where there is a value."""

    def compare(self, operator: Operator, value: Scalar) -> Mask:
        """Return where the value compares so."""

    def isin(self, values: Sequence[Scalar]) -> Mask:
        """Return where the value is one of these."""

    def like(self, pattern: str) -> Mask:
        """Return where the text matches (`%` any run, `_` any one character)."""

    def contains(self, values: Sequence[Scalar], every: bool) -> Mask:
        """Return where the list holds any (or every one) of these."""


class FilterColumns(Protocol):
    """Rows that a filter can be applied to."""

    def column(self, name: str) -> FilterColumn:
        """Return a metadata column, or `id`."""


def to_mask(node: Node, columns: FilterColumns) -> Mask:
    """Return (n,) bool: which rows pass."""
    match node:
        case And(operands):
            return reduce(np.logical_and, (to_mask(operand, columns) for operand in operands))
        case Or(operands):
            return reduce(np.logical_or, (to_mask(operand, columns) for operand in operands))
        case Not(operand):
            return ~to_mask(operand, columns)
        case Exists(field):
            return columns.column(field).present()
        case Compare(field, operator, value):
            return columns.column(field).compare(operator, value)
        case In(field, values):
            return columns.column(field).isin(values)
        case Like(field, pattern):
            return columns.column(field).like(pattern)
        case Contains(field, values, every):
            return columns.column(field).contains(values, every)
