"""Segments in a collection: what makes them found by words, pictures and clips."""

from __future__ import annotations

from collections.abc import Sequence

from tiepoint.config.models import Deployment
from tiepoint.errors import ConfigError
from tiepoint.ingest import Target
from tiepoint.types import VIDEO, AddReport
from tiepoint_security.footage.segment import METADATA, MOVING, Segment
from tiepoint_security.footage.store import FootageStore

_AT_ONCE = 500


class FootageIndex:
    """Keeps a collection in step with the segments that there are.

    Args:
        target: The host, or the process that holds its store.
        collection: The collection's name.
        store: Where the segments are.

    Raises:
        ConfigError: The deployment has no such collection, or one that does not fit.
    """

    def __init__(self, target: Target, collection: str, store: FootageStore) -> None:
        require_collection(target.deployment, collection)
        self.target = target
        self.collection = collection
        self.store = store

    def add(self, segments: Sequence[Segment]) -> AddReport:
        """Encode segments and store them; those whose clip cannot be read are left out.

        Raises:
            StoreError: The store cannot write.
        """
        with_moving = takes_moving(self.target.deployment, self.collection)
        items = (segment.item(self.store.folder, with_moving) for segment in segments)
        return self.target.add(items, collection=self.collection, strict=False)

    def remove(self, segments: Sequence[Segment]) -> None:
        """Remove segments, from the collection first, so that no hit leads to nothing."""
        for start in range(0, len(segments), _AT_ONCE):
            batch = segments[start : start + _AT_ONCE]
            self.target.delete([segment.id for segment in batch], collection=self.collection)
            for segment in batch:
                self.store.remove(segment)

    def catch_up(self) -> AddReport:
        """Index the segments that a process wrote and did not come to index.

        Raises:
            StoreError: The store cannot write.
        """
        known = set(self.target.collection(self.collection).ids())
        return self.add([one for one in self.store.segments() if one.id not in known])


def takes_moving(deployment: Deployment, name: str) -> bool:
    """Return whether a collection has a field for what moved in a segment."""
    return MOVING in deployment.collections[name].fields


def require_collection(deployment: Deployment, name: str) -> None:
    """Make sure that a deployment can take segments.

    Raises:
        ConfigError: It has no such collection, or one that does not fit; says what to write.
    """
    section = deployment.collections.get(name)
    if section is None:
        raise ConfigError(
            f"there is no collection {name!r} for footage",
            where="plugins.security.footage.collection",
            hint=f"Add it: collections: {{{name}: {{fields: {{video: {{encoder: clip}}, moving:"
            f" {{encoder: clip}}}}, metadata: {{{_metadata_text()}}}}}}}",
        )
    declared = dict(section.metadata)
    if VIDEO not in section.fields or any(declared.get(k) != v for k, v in METADATA.items()):
        raise ConfigError(
            "the collection cannot take footage",
            where=f"collections.{name}",
            hint="It needs a field `video` (and may have `moving`), and metadata:"
            f" {{{_metadata_text()}}}",
        )


def _metadata_text() -> str:
    return ", ".join(f"{name}: {kind}" for name, kind in METADATA.items())
