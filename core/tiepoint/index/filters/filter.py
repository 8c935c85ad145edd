"""A parsed `where` expression, and the two things it compiles to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from tiepoint.config.collections import MetadataType
from tiepoint.errors import FilterError
from tiepoint.index.filters.mask import FilterColumns, Mask, to_mask
from tiepoint.index.filters.milvus import to_milvus
from tiepoint.index.filters.nodes import Node
from tiepoint.index.filters.parser import parse_nodes


@dataclass(frozen=True, slots=True)
class Filter:
    r"""A condition on an item's metadata and `id`.

    Tests: `==  !=  <  <=  >  >=`, `in [..]`, `not in [..]`, `like "abc%"` (`%` any run of
    characters, `_` any one), `contains x`, `contains any [..]`, `contains all [..]` for
    lists, `exists name`, `missing name`. They combine with `not`, `and`, `or` (binding in
    this order) and parentheses. Strings stand in either kind of quotes with the escapes
    `\\ \" \' \n \r \t \uXXXX`; a field called like a keyword stands in backquotes.

    There are two truth values: every test but `missing` is false on a missing value, so
    that `not` of it is true. `price != 3` asks for a price; `not price == 3` does not.

    Attributes:
        text: The expression as it was written.
        root: What it means, typed.
    """

    text: str
    root: Node

    @staticmethod
    def parse(text: str, metadata: Mapping[str, MetadataType]) -> Filter:
        """Parse an expression against a collection's metadata.

        Raises:
            FilterError: With the position: not an expression, an unknown field (and the
                nearest one), a value of the wrong type, too long or too deep.

        >>> where = Filter.parse("price < 20 and tags contains 'new'",
        ...                      {"price": "float", "tags": "strings"})
        >>> print(where.to_milvus())  # doctest: +NORMALIZE_WHITESPACE
        ((m_price is not null and m_price < 20.0) and
         (m_tags is not null and array_contains_any(m_tags, ["new"])))
        """
        if not isinstance(text, str):
            raise FilterError(
                f"a filter is a string, not {type(text).__name__}",
                where="filter",
                hint="Write it like: price < 20.",
            )
        return _parse(text, tuple(metadata.items()))

    def to_milvus(self) -> str:
        """Return the filter as a Milvus expression (see `filters.milvus` for the fields)."""
        return to_milvus(self.root)

    def mask(self, columns: FilterColumns) -> Mask:
        """Return (n,) bool: which rows of the columns pass."""
        return to_mask(self.root, columns)


@lru_cache(maxsize=256)
def _parse(text: str, metadata: tuple[tuple[str, MetadataType], ...]) -> Filter:
    return Filter(text, parse_nodes(text, dict(metadata)))
