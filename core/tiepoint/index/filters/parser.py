"""From the text of a filter to typed nodes."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, cast

from tiepoint.config.collections import MetadataType
from tiepoint.errors import FilterError
from tiepoint.index.filters.literals import ELEMENTS, place, string_value, typed_value
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

MAX_CHARACTERS = 65_536
MAX_DEPTH = 32


@cache
def _grammar() -> Any:
    from lark import Lark

    text = files("tiepoint.index.filters").joinpath("grammar.lark").read_text("utf-8")
    return Lark(text, parser="lalr", maybe_placeholders=False)


def parse_nodes(text: str, metadata: Mapping[str, MetadataType]) -> Node:
    """Return the typed nodes of a filter.

    Args:
        text: The filter, at most `MAX_CHARACTERS` long and `MAX_DEPTH` deep.
        metadata: The types of the fields that it may name, besides `id`.

    Raises:
        FilterError: Not a filter, too long or deep, an unknown field, or a wrong type.
    """
    from lark.exceptions import UnexpectedInput

    if len(text) > MAX_CHARACTERS:
        raise FilterError(
            f"a filter of {len(text)} characters is too long",
            where="filter",
            hint=f"Use at most {MAX_CHARACTERS}.",
        )
    if not text.strip():
        raise FilterError("the filter is empty", where="filter", hint="Leave it out instead.")
    try:
        tree = _grammar().parse(text)
    except UnexpectedInput as error:
        raise _syntax_error(text, error) from None
    _check_depth(tree)
    return _Builder(metadata).node(tree)


def _syntax_error(text: str, error: Any) -> FilterError:
    position = error.pos_in_stream
    ended = getattr(getattr(error, "token", None), "type", None) == "$END"
    if ended or position is None or not 0 <= position < len(text):
        position = len(text)
    found = text[position : position + 20].split("\n")[0]
    return FilterError(
        f"unexpected {found!r}" if found else "the filter ends too early",
        where=f"filter, character {position + 1}",
        hint='Write it like: price < 20 and color in ["red", "blue"] and tags contains "new".',
    )


def _check_depth(tree: Any) -> None:
    level = [tree]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise FilterError(
                f"the filter is nested more than {MAX_DEPTH} deep",
                where="filter",
                hint="Write it flatter; long lists go into `in [...]`.",
            )
        level = [child for node in level for child in getattr(node, "children", ())]


class _Builder:
    """Checks names and types while it turns a syntax tree into nodes."""

    def __init__(self, metadata: Mapping[str, MetadataType]) -> None:
        self._types: dict[str, MetadataType] = {**metadata, "id": "string"}

    def node(self, tree: Any) -> Node:
        node: Node = getattr(self, f"_{tree.data}")(*tree.children)
        return node

    def _disjunction(self, *operands: Any) -> Node:
        return Or(tuple(self.node(operand) for operand in operands))

    def _conjunction(self, *operands: Any) -> Node:
        return And(tuple(self.node(operand) for operand in operands))

    def _negated(self, operand: Any) -> Node:
        return Not(self.node(operand))

    def _compare(self, field: Any, operator: Any, literal: Any) -> Node:
        name, kind = self._scalar(field)
        if kind == "bool" and operator not in ("==", "!="):
            raise FilterError(
                f"{name} is true or false and has no order",
                where=place(operator),
                hint="Compare it with == or !=.",
            )
        return Compare(name, cast("Operator", str(operator)), typed_value(literal, name, kind))

    def _is_in(self, field: Any, values: Any) -> Node:
        name, kind = self._scalar(field)
        return In(name, tuple(self._values(values, name, kind)))

    def _is_not_in(self, field: Any, values: Any) -> Node:
        inside = self._is_in(field, values)
        return And((self._exists(field), Not(inside)))

    def _like(self, field: Any, literal: Any) -> Node:
        name, kind = self._scalar(field)
        if kind != "string":
            raise FilterError(
                f"{name} holds no text, so it cannot be matched with like",
                where=place(field.children[0]),
                hint="Compare it with == or <.",
            )
        pattern = string_value(literal)
        if "\\" in pattern:
            raise FilterError(
                "a like pattern has no escapes",
                where=place(literal),
                hint="Use % for any run of characters and _ for any one.",
            )
        return Like(name, pattern)

    def _contains(self, field: Any, literal: Any) -> Node:
        name, kind = self._list(field)
        return Contains(name, (typed_value(literal, name, kind),), every=False)

    def _contains_any(self, field: Any, values: Any) -> Node:
        name, kind = self._list(field)
        return Contains(name, tuple(self._values(values, name, kind)), every=False)

    def _contains_all(self, field: Any, values: Any) -> Node:
        name, kind = self._list(field)
        return Contains(name, tuple(self._values(values, name, kind)), every=True)

    def _exists(self, field: Any) -> Node:
        return Exists(self._field(field)[0])

    def _missing(self, field: Any) -> Node:
        return Not(self._exists(field))

    def _values(self, values: Any, name: str, kind: MetadataType) -> Iterator[Scalar]:
        seen = dict.fromkeys(typed_value(token, name, kind) for token in values.children)
        yield from seen

    def _field(self, field: Any) -> tuple[str, MetadataType]:
        token = field.children[0]
        name = token.strip("`")
        if name not in self._types:
            near = difflib.get_close_matches(name, self._types, 1, 0.0)
            raise FilterError(
                f"there is no field {name}",
                where=place(token),
                hint=f"Did you mean {near[0]}? There are: {', '.join(sorted(self._types))}.",
            )
        return name, self._types[name]

    def _scalar(self, field: Any) -> tuple[str, MetadataType]:
        name, kind = self._field(field)
        if kind in ELEMENTS:
            raise FilterError(
                f"{name} is a list",
                where=place(field.children[0]),
                hint=f"Use: {name} contains ..., contains any [...], or contains all [...].",
            )
        return name, kind

    def _list(self, field: Any) -> tuple[str, MetadataType]:
        name, kind = self._field(field)
        if kind not in ELEMENTS:
            raise FilterError(
                f"{name} is not a list",
                where=place(field.children[0]),
                hint='Use == or in, or like "%part%" for a part of a text.',
            )
        return name, ELEMENTS[kind]
