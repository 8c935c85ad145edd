"""What a literal in a filter stands for, and whether it fits its field's type."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from tiepoint.config.collections import MetadataType
from tiepoint.errors import FilterError
from tiepoint.index.filters.nodes import Scalar

if TYPE_CHECKING:
    from lark import Token

MAX_INT = 2**63 - 1
"""Integers are compared as 64 bits; the one value below -MAX_INT cannot be written."""

ELEMENTS: dict[MetadataType, MetadataType] = {
    "strings": "string",
    "ints": "int",
    "floats": "float",
}
"""The type of a list's elements, by the list's type."""

_NOUNS: dict[MetadataType, str] = {
    "string": 'a string such as "red"',
    "int": "a whole number such as 3",
    "float": "a number such as 2.5",
    "bool": "true or false",
}
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "'": "'"}
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)


def place(token: Token) -> str:
    """Return where in the filter a token stands."""
    return f"filter, character {(token.start_pos or 0) + 1}"


def string_value(token: Token) -> str:
    """Return the text of a quoted string, its escapes resolved.

    Raises:
        FilterError: An unknown escape, or text that is not valid Unicode.
    """

    def resolve(match: re.Match[str]) -> str:
        escape = match.group(1)
        if len(escape) == 5:
            return chr(int(escape[1:], 16))
        if escape not in _ESCAPES:
            raise FilterError(
                f"unknown escape \\{escape}",
                where=place(token),
                hint=r"Use \\, \", \', \n, \r, \t or \u and four hexadecimal digits.",
            )
        return _ESCAPES[escape]

    text = _ESCAPE.sub(resolve, token[1:-1])
    try:
        # Two \u escapes may make one character beyond the 16-bit plane, as in JSON.
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise FilterError(
            "the string is not valid Unicode", where=place(token), hint="Remove lone surrogates."
        ) from None


def typed_value(token: Token, field: str, kind: MetadataType) -> Scalar:
    """Return a literal as a value of a scalar type.

    Raises:
        FilterError: The literal is of another type, or out of the type's range.
    """
    if token.type == "STRING" and kind == "string":
        return string_value(token)
    if token.type == "BOOLEAN" and kind == "bool":
        return str(token).lower() == "true"
    if token.type == "NUMBER" and kind == "float" and math.isfinite(number := float(token)):
        return number
    if token.type == "NUMBER" and kind == "int" and token.lstrip("+-").isdigit():
        if len(token) <= 20 and abs(whole := int(token)) <= MAX_INT:
            return whole
        raise FilterError(
            "the number does not fit into 64 bits", where=place(token), hint="Use a smaller one."
        )
    raise FilterError(
        f"{field} is compared with {_NOUNS[kind]}, not with {token:.40}",
        where=place(token),
        hint="Change the value, or the field.",
    )
