"""The catalogue as it is kept: products by id."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from tiepoint_recommendation.storage.database import Database
from tiepoint_recommendation.storage.tables import changes, facts, products
from tiepoint_recommendation.types import Product

_VARIABLES = 500
_VERSION = "catalogue changes"


@dataclass(frozen=True, slots=True)
class Changes:
    """What became of a catalogue since one of its versions.

    Attributes:
        version: What it has now.
        products: Those that came or changed, as they are now.
        gone: Ids of those that left.
    """

    version: int
    products: list[Product]
    gone: list[str]


class CatalogueStore:
    """The products of a database.

    Args:
        database: Where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def put(self, batch: Sequence[Product], *, keep_images: Collection[str] = ()) -> int:
        """Keep products; one of a known id is replaced. Returns how many were.

        Args:
            batch: The products; of two with one id, the last one counts.
            keep_images: Ids of those whose picture stays as it is at this moment.

        Raises:
            StoreError: The database refused; none was kept.
        """
        rows = {product.id: _row(product) for product in batch}
        if not rows:
            return 0
        replaced = 0
        with self.database.writing() as session:
            _note(session, list(rows), gone=False)  # first, so that writers come one by one
            for some in _chunks(list(rows)):
                mine = products.c.id.in_(some)
                for id_, image in session.execute(
                    select(products.c.id, products.c.image).where(mine)
                ):
                    replaced += 1
                    if id_ in keep_images:
                        rows[id_]["image"] = image
                session.execute(delete(products).where(mine))
            session.execute(insert(products), list(rows.values()))
        return replaced

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
        with self.database.writing() as session:
            there = [
                row.id
                for some in _chunks(ids)
                for row in session.execute(select(products.c.id).where(products.c.id.in_(some)))
            ]
            for some in _chunks(there):
                session.execute(delete(products).where(products.c.id.in_(some)))
            if there:
                _note(session, there, gone=True)
        return len(there)

    def keep_only(self, ids: Sequence[str]) -> int:
        """Remove all products but these; returns how many there were. Their events stay."""
        wanted = set(ids)
        with self.database.reading() as session:
            known = [row.id for row in session.execute(select(products.c.id))]
        return self.remove([id_ for id_ in known if id_ not in wanted])

    def gone(self) -> set[str]:
        """Return the ids of products that there were, and that are there no more."""
        with self.database.reading() as session:
            return {row.id for row in session.execute(select(changes.c.id).where(changes.c.gone))}

    def version(self) -> int:
        """Return a number that grows with every change of the catalogue; 0 before the first."""
        with self.database.reading() as session:
            return _version(session)

    def since(self, version: int) -> Changes:
        """Return what changed after a version of the catalogue; reads nothing else of it."""
        columns = changes.c
        query = (
            select(columns.id.label("changed"), columns.gone, products)
            .outerjoin_from(changes, products, products.c.id == columns.id)
            .where(columns.number > version)
        )
        with self.database.reading() as session:
            now = _version(session)  # before the rows, so that no change is missed
            rows = session.execute(query).all() if now != version else []
        there = [_product(row) for row in rows if row.id is not None]
        return Changes(now, there, [row.changed for row in rows if row.id is None])

    def count(self) -> int:
        """Return how many products there are."""
        with self.database.reading() as session:
            return int(session.scalar(select(func.count()).select_from(products)) or 0)


def _version(session: Session) -> int:
    return int(session.scalar(select(facts.c.content).where(facts.c.name == _VERSION)) or 0)


def _note(session: Session, ids: Sequence[str], *, gone: bool) -> None:
    """Note that products changed; whoever writes next waits, so that numbers grow in order."""
    mine = facts.c.name == _VERSION
    row = session.scalar(select(facts.c.content).where(mine).with_for_update())
    number = int(row or 0) + 1
    if row is None:
        session.execute(insert(facts), {"name": _VERSION, "content": str(number)})
    else:
        session.execute(update(facts).where(mine).values(content=str(number)))
    for some in _chunks(ids):
        session.execute(delete(changes).where(changes.c.id.in_(some)))
    session.execute(insert(changes), [{"id": id_, "number": number, "gone": gone} for id_ in ids])


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
    values = {column.name: getattr(row, column.name) for column in products.columns}
    return Product(**{**values, "tags": tuple(values["tags"])})
