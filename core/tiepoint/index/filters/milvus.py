r"""Filters as Milvus expressions.

How metadata is laid out in Milvus, so that these expressions hold: each metadata name is one
*nullable* scalar field called `m_<name>`: VARCHAR, INT64, DOUBLE, BOOL, or ARRAY of VARCHAR,
INT64 or DOUBLE; a missing value is null, an empty list is an empty array. The primary key is
the VARCHAR field `id`.

Milvus itself has three-valued logic (and, in Milvus Lite 3.2.2, two exceptions to it: `in`
and `array_contains` are false on null). Every test is therefore guarded with `is not null`,
which is never null itself, so that `not` of a test on a missing value is true everywhere.

Values are written into the expression, because Milvus Lite 3.2.2 does not take templates
(`filter_params`); names come from the schema, numbers from `repr`, and strings are escaped.
Lite knows the escapes `\\ \" \n \r \t` only; any other character stands for itself.

One difference to the tier's masks is known: where a filter also has a list test, Lite
evaluates `like "%x"` with a regular expression whose end also matches before a final newline.
"""

from __future__ import annotations

from tiepoint.index.filters.nodes import (
    And,
    Compare,
    Contains,
    Exists,
    In,
    Like,
    Node,
    Not,
    Or,
    Scalar,
)

FIELD_PREFIX = "m_"
"""What precedes a metadata name in the name of its Milvus field."""

_NEVER = 'id == ""'  # an id is never empty
_ALWAYS = 'id != ""'
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def milvus_field(name: str) -> str:
    """Return the Milvus field that holds a metadata name, or the id."""
    return name if name == "id" else FIELD_PREFIX + name


def milvus_literal(value: Scalar) -> str:
    r"""Return a value as it is written in a Milvus expression.

    >>> print(milvus_literal('say "hi"'))
    "say \"hi\""
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value.translate(_ESCAPES)}"'
    return repr(value)


def to_milvus(node: Node) -> str:
    """Return a node as a Milvus expression in parentheses."""
    match node:
        case And(operands):
            return f"({' and '.join(map(to_milvus, operands))})"
        case Or(operands):
            return f"({' or '.join(map(to_milvus, operands))})"
        case Not(operand):
            return f"(not {to_milvus(operand)})"
        case Exists("id"):
            return f"({_ALWAYS})"
        case Exists(field):
            return f"({milvus_field(field)} is not null)"
        case In(_, ()) | Contains(_, (), False):
            return f"({_NEVER})"
        case Contains(field, (), True):
            return to_milvus(Exists(field))
        case _:
            return _guarded(node.field, _test(node))


def _guarded(field: str, test: str) -> str:
    return f"({test})" if field == "id" else f"({milvus_field(field)} is not null and {test})"


def _test(node: Compare | In | Like | Contains) -> str:
    field = milvus_field(node.field)
    match node:
        case Compare(_, operator, value):
            return f"{field} {operator} {milvus_literal(value)}"
        case In(_, values):
            # Milvus Lite's `in`, unlike its `==`, tells the two floating-point zeros apart.
            zeros = tuple(-value for value in values if isinstance(value, float) and not value)
            return f"{field} in [{', '.join(map(milvus_literal, values + zeros))}]"
        case Like(_, pattern):
            # A pattern without wildcards is written as what it is: an equality.
            matcher = "like" if "%" in pattern or "_" in pattern else "=="
            return f"{field} {matcher} {milvus_literal(pattern)}"
        case Contains(_, values, every):
            function = "array_contains_all" if every else "array_contains_any"
            return f"{function}({field}, [{', '.join(map(milvus_literal, values))}])"
