"""The catalogue as it is kept: products by id."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from tiepoint_recommendation.storage.database import Database
from tiepoint_recommendation.storage.tables import facts, products
from tiepoint_recommendation.types import Product

_VARIABLES = 500
_VERSION = "catalogue"


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
            _mark_changed(session)

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
            _mark_changed(session)
        return removed

    def version(self) -> str:
        """Return a mark that every change of the catalogue changes; empty before the first."""
        with self.database.reading() as session:
            content = session.scalar(select(facts.c.content).where(facts.c.name == _VERSION))
        return "" if content is None else str(content)

    def count(self) -> int:
        """Return how many products there are."""
        with self.database.reading() as session:
            return int(session.scalar(select(func.count()).select_from(products)) or 0)


def _mark_changed(session: Session) -> None:
    session.execute(delete(facts).where(facts.c.name == _VERSION))
    session.execute(insert(facts), {"name": _VERSION, "content": os.urandom(8).hex()})


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
