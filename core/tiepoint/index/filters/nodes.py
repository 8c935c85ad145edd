"""A parsed filter as typed data: every name is known and every value has its field's type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Scalar: TypeAlias = str | int | float | bool
Operator: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Compare:
    """True where the field is there and compares so with the value."""

    field: str
    operator: Operator
    value: Scalar


@dataclass(frozen=True, slots=True)
class In:
    """True where the field is there and is one of the values."""

    field: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Like:
    """True where the field is there and matches: `%` is any run, `_` is any one character."""

    field: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Contains:
    """True where the list is there and holds any (or all) of the values."""

    field: str
    values: tuple[Scalar, ...]
    every: bool


@dataclass(frozen=True, slots=True)
class Exists:
    """True where the field is there; an empty list is there, too."""

    field: str


@dataclass(frozen=True, slots=True)
class Not:
    """True where the operand is false."""

    operand: Node


@dataclass(frozen=True, slots=True)
class And:
    """True where all operands are."""

    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True where any operand is."""

    operands: tuple[Node, ...]


Node: TypeAlias = Compare | In | Like | Contains | Exists | Not | And | Or
