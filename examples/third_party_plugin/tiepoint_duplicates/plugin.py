"""The plugin: which items of a collection show the same picture as a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from tiepoint.errors import DecodeError
from tiepoint.plugin import Plugin, PluginConfig
from tiepoint.types import Hit, Skipped

if TYPE_CHECKING:  # the host's own modules are not needed to describe the plugin
    from tiepoint import Host


class DuplicatesConfig(PluginConfig):
    """What stands under `plugins.duplicates` in the deployment file."""

    threshold: float = Field(
        default=0.88,
        gt=0,
        le=1,
        title="Threshold",
        description="The least cosine of two pictures that count as the same.",
    )
    route: str = Field(
        default="image->image",
        title="Route",
        description="The route whose cosine is compared with the threshold.",
    )
    collection: str | None = Field(
        default=None,
        title="Collection",
        description="Where to look; may be left out where there is one collection.",
    )


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A file, an item that shows the same picture, and their cosine."""

    path: Path
    item_id: str
    similarity: float


class DuplicatesPlugin(Plugin):
    """Tells which pictures a collection already has."""

    name: ClassVar[str] = "duplicates"
    version: ClassVar[str] = "1.0.0"
    api_version: ClassVar[int] = 1
    Config: ClassVar[type[PluginConfig]] = DuplicatesConfig

    config: DuplicatesConfig

    def __init__(self, config: DuplicatesConfig) -> None:
        super().__init__(config)
        self._checked = 0

    def find(self, host: Host, paths: Iterable[Path]) -> Iterator[Duplicate | Skipped]:
        """Look for each picture in the collection.

        Args:
            host: The host that has the collection.
            paths: Files to look for.

        Yields:
            Each item that shows the picture of a file, nearest first, or a file that cannot
            be read.
        """
        for path in paths:
            try:
                hits = host.search(image=path, collection=self.config.collection)
            except DecodeError as error:
                yield Skipped(str(path), error.what)
                continue
            self._checked += 1
            for hit in hits:
                similarity = self._similarity(hit)
                if similarity >= self.config.threshold:
                    yield Duplicate(path, hit.id, similarity)

    def _similarity(self, hit: Hit) -> float:
        by_route = {one.route: one.similarity for one in hit.contributions}
        return by_route.get(self.config.route, 0.0)

    def health(self) -> dict[str, Any]:
        return {"status": "ok", "checked": self._checked}
