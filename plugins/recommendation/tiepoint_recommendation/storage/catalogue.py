"""The catalogue as it is kept: products by id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select

from tiepoint_recommendation.storage.database import Database
from tiepoint_recommendation.storage.tables import products
from tiepoint_recommendation.types import Product

_VARIABLES = 500


class CatalogueStore:
    """The products of a database.

    Args:
        database: Where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def put(self, batch: Sequence[Product]) -> None:
        """Keep products; one of a known id is replaced.

        Raises:
            StoreError: The database refused; none was kept.
        """
        by_id = {product.id: product for product in batch}
        if not by_id:
            return
        with self.database.writing() as session:
            for some in _chunks(list(by_id)):
                session.execute(delete(products).where(products.c.id.in_(some)))
            session.execute(insert(products), [_row(one) for one in by_id.values()])

    def all(self) -> list[Product]:
        """Return all products, by id."""
        with self.database.reading() as session:
            rows = session.execute(select(products).order_by(products.c.id)).all()
        return [_product(row) for row in rows]

    def get(self, ids: Sequence[str]) -> dict[str, Product]:
        """Return those of these products that there are, by id."""
        found = {}
        with self.database.reading() as session:
            for some in _chunks(ids):
                rows = session.execute(select(products).where(products.c.id.in_(some)))
                found.update({row.id: _product(row) for row in rows})
        return found

    def remove(self, ids: Sequence[str]) -> int:
        """Remove products; returns how many there were. Their events stay."""
        removed = 0
        with self.database.writing() as session:
            for some in _chunks(ids):
                wanted = delete(products).where(products.c.id.in_(some))
                removed += session.connection().execute(wanted).rowcount
        return removed

    def count(self) -> int:
        """Return how many products there are."""
        with self.database.reading() as session:
            return int(session.scalar(select(func.count()).select_from(products)) or 0)


def _chunks(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + _VARIABLES] for start in range(0, len(ids), _VARIABLES)]


def _row(product: Product) -> dict[str, Any]:
    return {
        "id": product.id,
        "title": product.title,
        "description": product.description,
        "tags": list(product.tags),
        "image": product.image,
        "price": product.price,
        "stock": product.stock,
        "brand": product.brand,
        "category": product.category,
        "added_s": product.added_s,
        "metadata": dict(product.metadata),
    }


def _product(row: Any) -> Product:
    values = dict(row._mapping)
    return Product(**{**values, "tags": tuple(values["tags"])})
