"""Many vector queries at once, and their hits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from tiepoint.index.base import Candidates, Searcher
from tiepoint.query.found import hits_of
from tiepoint.types import Hit


class HitLists(Sequence[list[Hit]]):
    """The hits of many queries, best first; a query's hits are made when they are asked for.

    Making them takes longer than a search does: where ids and scores are enough, `found` has
    them. Metadata and parts are those of the time when the hits are made.

    Args:
        route: The route that answered.
        found: What it found for each query.
        searcher: Where the items' metadata and parts are.

    Attributes:
        found: The `ids` and the (k,) float32 `scores` of each query's hits.
    """

    def __init__(self, route: str, found: Sequence[Candidates], searcher: Searcher) -> None:
        self.found = found
        self._route = route
        self._searcher = searcher

    def __len__(self) -> int:
        return len(self.found)

    @overload
    def __getitem__(self, index: int) -> list[Hit]: ...

    @overload
    def __getitem__(self, index: slice) -> HitLists: ...

    def __getitem__(self, index: int | slice) -> list[Hit] | HitLists:
        if isinstance(index, slice):
            return HitLists(self._route, self.found[index], self._searcher)
        found = self.found[index]
        return hits_of(self._route, found, self._searcher.payloads(found.ids))
