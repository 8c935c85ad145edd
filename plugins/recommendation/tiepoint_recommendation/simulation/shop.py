"""A whole simulated shop: its catalogue, its shoppers, what they did, and the truth about them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tiepoint_recommendation.simulation.catalogue import SimulatedItem, make_catalogue
from tiepoint_recommendation.simulation.pictures import picture_of
from tiepoint_recommendation.simulation.shoppers import Shopper, liking, make_shoppers
from tiepoint_recommendation.simulation.visits import SimulatedEvent, visits_of

START_S = 1_735_689_600.0
"""When simulated time begins: 2025-01-01, 00:00 UTC."""


@dataclass(frozen=True)
class Shop:
    """A simulated shop.

    Attributes:
        items: The catalogue.
        shoppers: The users, with their tastes.
        events: What they did, in the order of time.
        end_s: When simulated time ends, in seconds since 1970.
    """

    items: list[SimulatedItem]
    shoppers: list[Shopper]
    events: list[SimulatedEvent]
    end_s: float

    @cached_property
    def likings(self) -> NDArray[np.float64]:
        """(users, items) how much each shopper likes each thing: the truth to be found."""
        return np.stack([liking(shopper, self.items) for shopper in self.shoppers])

    def write(self, folder: Path, progress: Callable[[int, int], None] | None = None) -> None:
        """Write `items.csv`, `events.csv`, the pictures, and the hidden `tastes.json`.

        Args:
            folder: Where; made if absent.
            progress: Called with the pictures done, and how many there are.
        """
        (folder / "images").mkdir(parents=True, exist_ok=True)
        for number, item in enumerate(self.items, 1):
            picture_of(item).save(folder / "images" / f"{item.id}.png")
            if progress is not None:
                progress(number, len(self.items))
        _write_csv(
            folder / "items.csv",
            (
                {
                    "item": item.id,
                    "title": item.title,
                    "description": item.description,
                    "tags": ";".join(item.tags),
                    "image": f"images/{item.id}.png",
                    "price": item.price,
                    "stock": item.stock,
                    "brand": item.brand,
                    "category": item.kind,
                    "added": item.added_s,
                }
                for item in self.items
            ),
        )
        _write_csv(folder / "events.csv", (asdict(event) for event in self.events))
        tastes = {
            shopper.id: {"kind": shopper.favourite_kind, "colour": shopper.favourite_colour}
            for shopper in self.shoppers
        }
        (folder / "tastes.json").write_text(json.dumps(tastes, indent=1) + "\n", "utf-8")


def simulate(users: int = 300, items: int = 240, days: float = 60.0, seed: int = 7) -> Shop:
    """Return a shop; the same arguments give the same shop.

    Args:
        users: Number of shoppers.
        items: Size of the catalogue.
        days: Days of shopping.
        seed: Where chance begins.
    """
    rng = np.random.default_rng(seed)
    catalogue = make_catalogue(items, START_S, days, rng)
    shoppers = make_shoppers(users, rng)
    events = [
        event for shopper in shoppers for event in visits_of(shopper, catalogue, START_S, days, rng)
    ]
    events.sort(key=lambda event: event.timestamp)
    return Shop(catalogue, shoppers, events, START_S + days * 86_400)


def _write_csv(path: Path, rows: Iterable[dict[str, object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer: csv.DictWriter[str] | None = None
        for row in rows:
            if writer is None:
                writer = csv.DictWriter(stream, list(row), lineterminator="\n")
                writer.writeheader()
            writer.writerow(row)
