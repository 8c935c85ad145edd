"""The open collections of one deployment, and what searches them; replaced as a whole."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from tiepoint.assembly import Assembly
from tiepoint.drift import Canary
from tiepoint.index.collection import Collection
from tiepoint.search import CollectionSearch


@dataclass(frozen=True, slots=True)
class Serving:
    """What a host answers from.

    Attributes:
        assembly: The components.
        collections: The open collections, by name.
        searches: What searches each of them.
        canary: Tells whether the encoders still give the stored vectors.
    """

    assembly: Assembly
    collections: dict[str, Collection]
    searches: dict[str, CollectionSearch]
    canary: Canary

    @classmethod
    def open(cls, assembly: Assembly, before: Serving | None = None) -> Serving:
        """Open every collection of a deployment, in its open store.

        Args:
            assembly: The components.
            before: What answers now; of it the collections that stay as they are are kept.

        Raises:
            FingerprintError: The stored vectors come from other encoders.
            StoreError: The store failed.
        """
        collections: dict[str, Collection] = {}
        serving = cls(assembly, collections, {}, Canary(assembly.layouts, collections))
        deployment = assembly.deployment
        kept = before.unchanged(assembly) if before is not None else {}
        try:
            for name, layout in assembly.layouts.items():
                collection = kept.get(name) or Collection.open(
                    assembly.store,
                    layout.schema,
                    assembly.tier_folder(name),
                    options=assembly.index_options(name),
                )
                serving.collections[name] = collection
                serving.searches[name] = CollectionSearch(
                    layout,
                    collection,
                    assembly.fusion,
                    deployment.fusion,
                    deployment.search,
                )
        except BaseException:
            serving.close(before)
            raise
        return serving

    def unchanged(self, assembly: Assembly) -> dict[str, Collection]:
        """Return the open collections that another deployment has, too, exactly so."""
        return {
            name: collection
            for name, collection in self.collections.items()
            if name in assembly.layouts
            and collection.schema == assembly.layouts[name].schema
            and self.assembly.index_options(name) == assembly.index_options(name)
        }

    def close(self, other: Serving | None = None) -> None:
        """Close the collections; one that fails spares the others. The store stays open.

        Args:
            other: What goes on answering; the collections that it has, too, stay open.
        """
        self.canary.close()
        shared = {id(one) for one in other.collections.values()} if other is not None else set()
        with ExitStack() as last_to_first:
            for collection in self.collections.values():
                if id(collection) not in shared:
                    last_to_first.callback(collection.close)

    def discard(self) -> None:
        """Free the collections of data that have been superseded, and what was derived of them."""
        self.canary.close()
        for collection in self.collections.values():
            collection.discard()
