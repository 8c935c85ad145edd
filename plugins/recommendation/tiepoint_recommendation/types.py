"""The nouns of recommendation: events, and products of a catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tiepoint.types import MetadataValue


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a user did with an item.

    Attributes:
        user: The user's id.
        item: The item's id; the catalogue need not know it yet.
        kind: Such as `view`, `click`, `cart`, `purchase`, `comment`, `share` or `hide`.
        time_s: When, in seconds since 1970 (UTC).
        session: The visit that it belongs to; empty where there is none.
        value: A number that came with it, such as a rating or an amount.
    """

    user: str
    item: str
    kind: str
    time_s: float
    session: str = ""
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """An item of the catalogue; everything but the id may be missing.

    Attributes:
        id: Unique in the catalogue.
        title: Its name.
        description: What it is.
        tags: Words that it is filed under.
        image: The path of its picture; empty where there is none.
        price: In the shop's currency; None where unknown.
        stock: Pieces that can be sold; None where that is not counted.
        brand: Who makes it.
        category: Where it stands in the shop.
        added_s: When it came into the catalogue, in seconds since 1970; None where unknown.
        metadata: What else is known of it.
    """

    id: str
    title: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    image: str = ""
    price: float | None = None
    stock: int | None = None
    brand: str = ""
    category: str = ""
    added_s: float | None = None
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """What the text encoder sees: title, tags and description; empty where all are."""
        words = (self.title, ", ".join(self.tags), self.description)
        return ". ".join(part for part in words if part)
