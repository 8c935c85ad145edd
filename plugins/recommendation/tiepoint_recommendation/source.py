"""The catalogue as a source of the core: products in a collection, wherever its store is."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from tiepoint.config.collections import MetadataType
from tiepoint.errors import InputError
from tiepoint.types import Item, MetadataValue, Skipped
from tiepoint_recommendation.storage.catalogue import CatalogueStore
from tiepoint_recommendation.storage.database import Database
from tiepoint_recommendation.types import Product

_FACTS = ("title", "brand", "category", "price", "stock", "added_s")


class CatalogueSource:
    """Gives the products of a recommendation store (source `catalogue`).

    Title, tags and description are an item's text, as recommendations see it; the picture is its
    image. Of title, brand, category, price, stock, `added_s` and the products' own metadata,
    those come along that the collection declares.

    Args:
        store: The folder of the recommendation store.
        database: Its database, where that is not SQLite in the store.
        fields: The fields of the collection that takes the items.
    """

    def __init__(
        self, store: Path, database: str | None = None, *, fields: Collection[str] = ()
    ) -> None:
        self.total: int | None = None
        self.store = store
        self.database = database
        self.fields = fields
        self._gone: set[str] = set()

    def items(self, metadata: Mapping[str, MetadataType]) -> Iterator[Item | Skipped]:
        """Yield the products by id.

        Args:
            metadata: What the collection declares.

        Raises:
            InputError: There is no catalogue.
        """
        opened = Database.of_store(self.store, self.database)
        try:
            catalogue = CatalogueStore(opened)
            products = catalogue.all() if opened.exists else []
            self._gone = catalogue.gone() if products else set()
        finally:
            opened.close()
        if not products:
            raise InputError(
                "there is no catalogue",
                where=str(self.store),
                hint=f"Bring it in: tiepoint recommend ingest --items F --store {self.store}",
            )
        self.total = len(products)
        return (self._item(one, metadata) for one in products)

    def name_of(self, item: str, parts: Mapping[str, str]) -> str | None:
        """Return the id of an item that has left the catalogue; None for another one.

        Args:
            item: Its id.
            parts: What is stored of the item's parts.
        """
        return item if item in self._gone else None

    def _item(self, product: Product, metadata: Mapping[str, MetadataType]) -> Item | Skipped:
        image = product.image if "image" in self.fields else ""
        text = product.text if "text" in self.fields else ""
        if not image and not text:
            return Skipped(product.id, "it has neither a text nor a picture that a field takes")
        told = {name: getattr(product, name) for name in _FACTS} | dict(product.metadata)
        known: dict[str, MetadataValue] = {
            name: value
            for name, value in told.items()
            if name in metadata and value is not None and value != ""
        }
        return Item(product.id, image=image or None, text=text or None, metadata=known)
