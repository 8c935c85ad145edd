"""Items page by page, in the order of their ids."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from threading import Lock

from tiepoint.host import Host
from tiepoint.index.collection import Collection
from tiepoint.index.filters import Filter
from tiepoint.types import MetadataValue

_FILTERED_AT_ONCE = 4096

Contents = dict[str, tuple[Mapping[str, MetadataValue], Mapping[str, str]]]


class Listing:
    """The ids of each collection, in order; sorted again after writes."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sorted: dict[int, tuple[int, list[str]]] = {}

    def page(
        self, host: Host, collection: str, after: str | None, limit: int, where: str | None
    ) -> Contents:
        """Return up to `limit` items after one, with metadata and parts.

        Args:
            host: The host.
            collection: Which collection.
            after: The id before the first one; from the beginning if None.
            limit: How many.
            where: A filter on metadata.

        Raises:
            QueryError: There is no such collection.
            FilterError: A filter that cannot be understood.
        """
        stored = host.collection(collection)
        test = Filter.parse(where, stored.schema.metadata) if where is not None else None
        ids = self._ids(stored)
        start = bisect_right(ids, after) if after is not None else 0
        if test is None:
            return stored.get(ids[start : start + limit])
        chosen: list[str] = []
        while start < len(ids) and len(chosen) < limit:
            some = ids[start : start + _FILTERED_AT_ONCE]
            chosen += _passing(stored, test, some)
            start += len(some)
        return stored.get(chosen[:limit])

    def _ids(self, stored: Collection) -> list[str]:
        sequence = stored.tier.sequence
        with self._lock:
            known = self._sorted.get(id(stored))
            if known is None or known[0] != sequence:
                known = sequence, sorted(stored.ids())
                self._sorted = {id(stored): known}
            return known[1]


def _passing(stored: Collection, test: Filter, ids: Sequence[str]) -> list[str]:
    with stored.reading():
        present = list(stored.digests(ids))
        passes = stored.matches(test, present)
    return [id_ for id_, passed in zip(present, passes.tolist(), strict=True) if passed]
