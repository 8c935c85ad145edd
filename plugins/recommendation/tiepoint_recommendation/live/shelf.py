"""A model with the facts of its items in columns: what filters and rules look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tiepoint_recommendation.histories import Floats
from tiepoint_recommendation.model import Model
from tiepoint_recommendation.types import Product

Mask = NDArray[np.bool_]
Scalar = TypeVar("Scalar", bound=np.generic)
_FIELDS = ("fused", "image", "text")


@dataclass(frozen=True)
class Shelf:
    """What can be recommended now; read-only, and replaced as a whole.

    Attributes:
        model: The model; its items are n.
        products: What is known of them, by id.
        offered: (n,) whether an item may be recommended at all.
        price: (n,) float64, nan where unknown.
        stock: (n,) float64, nan where it is not counted.
        added_s: (n,) float64, nan where unknown.
        brand: (n,) int32, a number for each brand; -1 where there is none.
        category: (n,) int32, likewise.
        brands: The number of each brand.
        categories: The number of each category.
        vectors: (n, d) float32, by which items are told to be alike; None if there are none.
    """

    model: Model
    products: dict[str, Product]
    offered: Mask
    price: NDArray[np.float64]
    stock: NDArray[np.float64]
    added_s: NDArray[np.float64]
    brand: NDArray[np.int32]
    category: NDArray[np.int32]
    brands: dict[str, int]
    categories: dict[str, int]
    vectors: Floats | None

    @classmethod
    def of(cls, model: Model, products: Sequence[Product]) -> Shelf:
        """Return a model with a catalogue; of products that it does not know, nothing is used."""
        by_id = {one.id: one for one in products if one.id in model.number_of}
        rows = [by_id.get(id_) for id_ in model.space.ids]
        brands: dict[str, int] = {}
        categories: dict[str, int] = {}
        known = np.array([row is not None for row in rows], np.bool_)
        vectors = next(
            (model.space.vectors[name] for name in _FIELDS if name in model.space.vectors), None
        )
        return cls(
            model,
            by_id,
            model.space.offered & (known if by_id else True),
            _column(rows, "price"),
            _column(rows, "stock"),
            _column(rows, "added_s"),
            _codes(rows, "brand", brands),
            _codes(rows, "category", categories),
            brands,
            categories,
            vectors,
        )

    def changed(self, products: Sequence[Product], gone: Sequence[str]) -> Shelf:
        """Return the shelf with some of its products changed; nothing else is looked at again.

        Args:
            products: As they are now; those that the model does not know are passed over.
            gone: Ids of those that left the catalogue.
        """
        known = self.model.number_of
        by_id = dict(self.products)
        now: dict[int, Product | None] = {known[id_]: None for id_ in gone if id_ in known}
        now |= {known[one.id]: one for one in products if one.id in known}
        for number, product in now.items():
            if product is None:
                by_id.pop(self.model.space.ids[number], None)
            else:
                by_id[product.id] = product
        if not by_id or not self.products:  # without a catalogue, everything is offered
            return Shelf.of(self.model, list(by_id.values()))
        brands, categories = dict(self.brands), dict(self.categories)
        numbers, rows = list(now), list(now.values())
        there = np.array([row is not None for row in rows], np.bool_)
        return replace(
            self,
            products=by_id,
            offered=_with(self.offered, numbers, self.model.space.offered[numbers] & there),
            price=_with(self.price, numbers, _column(rows, "price")),
            stock=_with(self.stock, numbers, _column(rows, "stock")),
            added_s=_with(self.added_s, numbers, _column(rows, "added_s")),
            brand=_with(self.brand, numbers, _codes(rows, "brand", brands)),
            category=_with(self.category, numbers, _codes(rows, "category", categories)),
            brands=brands,
            categories=categories,
        )

    def __len__(self) -> int:
        return len(self.offered)

    @cached_property
    def in_stock(self) -> Mask:
        """(n,) whether one is left, or the stock is not counted."""
        return ~(self.stock <= 0)

    def title(self, item: str) -> str:
        """Return what an item is called: its title, or else its id."""
        product = self.products.get(item)
        return product.title if product is not None and product.title else item

    def mask_of(self, ids: Sequence[str]) -> Mask:
        """Return (n,) which items these are; ids that the model does not know are passed over."""
        mask = np.zeros(len(self), np.bool_)
        known = self.model.number_of
        mask[[known[id_] for id_ in ids if id_ in known]] = True
        return mask


def _with(
    column: NDArray[Scalar], numbers: Sequence[int], values: NDArray[Scalar]
) -> NDArray[Scalar]:
    changed = column.copy()
    changed[numbers] = values
    return changed


def _column(rows: Sequence[Product | None], name: str) -> NDArray[np.float64]:
    values = [None if row is None else getattr(row, name) for row in rows]
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _codes(rows: Sequence[Product | None], name: str, numbers: dict[str, int]) -> NDArray[np.int32]:
    values = ["" if row is None else getattr(row, name) for row in rows]
    codes = [numbers.setdefault(value, len(numbers)) if value else -1 for value in values]
    return np.array(codes, np.int32)
