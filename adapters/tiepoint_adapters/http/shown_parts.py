"""What callers are told of the parts of items: texts, and where the service has the files.

A part that is a file is stored as its path on the machine of the service, which is nobody else's
business: callers get the address that answers it, or the file's name where there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any
from urllib.parse import quote, urlencode

from tiepoint.host import Host
from tiepoint.types import AUDIO, IMAGE, TEXT, VIDEO, Hit

_ANSWERED = {IMAGE: "picture", VIDEO: "media", AUDIO: "media"}
"""The route below a collection that answers a part's file, by modality."""


class ShownParts:
    """The parts of a collection's items, as callers see them.

    Args:
        host: The host.
        collection: Which collection; may be None where there is one.

    Raises:
        QueryError: There is no such collection, or several and none is named.
    """

    def __init__(self, host: Host, collection: str | None) -> None:
        layout = host.collection_search(collection).layout
        self._modalities = {name: field.modality for name, field in layout.fields.items()}
        self._base = f"/v1/collections/{quote(layout.schema.name, safe='')}"

    def of(self, item: str, parts: Mapping[str, str]) -> dict[str, str]:
        """Return texts as they are, and of files the address of each.

        Args:
            item: The item's id.
            parts: What is stored of its parts.
        """
        return {name: self._shown(item, name, part) for name, part in parts.items()}

    def hit(self, hit: Hit) -> dict[str, Any]:
        """Return a hit as it is answered."""
        return {**hit.as_dict(), "parts": self.of(hit.id, hit.parts)}

    def _shown(self, item: str, field: str, part: str) -> str:
        modality = self._modalities.get(field)
        if modality == TEXT:
            return part
        path, mark, span = part.rpartition("#t=")
        if not mark:
            path, span = part, ""
        route = _ANSWERED.get(modality or "")
        if route is None:
            return f"{PurePath(path).name}{mark}{span}"
        query = urlencode({"id": item, "field": field}, quote_via=quote)
        return f"{self._base}/{route}?{query}{mark}{span}"
