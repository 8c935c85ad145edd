"""A small catalogue: things of a few kinds, colours and patterns, with titles and prices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

KINDS: dict[str, str] = {
    "mug": "teapot",
    "teapot": "mug",
    "lamp": "desk",
    "desk": "lamp",
    "chair": "cushion",
    "cushion": "chair",
    "shirt": "bag",
    "bag": "shirt",
    "clock": "frame",
    "frame": "clock",
    "vase": "rug",
    "rug": "vase",
}
"""Every kind of thing, with the kind that people buy along with it."""

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (200, 40, 45),
    "orange": (235, 130, 30),
    "yellow": (240, 205, 50),
    "green": (60, 150, 75),
    "blue": (45, 90, 190),
    "purple": (125, 65, 160),
    "black": (40, 40, 45),
    "white": (245, 245, 240),
}
PATTERNS = ("plain", "striped", "dotted", "chequered")
BRANDS = ("Northwind", "Alder", "Kestrel", "Marigold", "Basalt", "Linden")
_WORDS = {
    "plain": "in one colour, without any pattern",
    "striped": "with broad stripes from top to bottom",
    "dotted": "covered with round dots",
    "chequered": "with a pattern of squares",
}
_PRICES = {"mug": 12, "teapot": 35, "lamp": 60, "desk": 240, "chair": 120, "cushion": 25}
_PRICES |= {"shirt": 40, "bag": 70, "clock": 45, "frame": 18, "vase": 30, "rug": 160}


@dataclass(frozen=True, slots=True)
class SimulatedItem:
    """A thing of the catalogue.

    Attributes:
        id: Its id, such as `i0042`.
        kind: One of `KINDS`.
        colour: One of `COLOURS`.
        pattern: One of `PATTERNS`.
        brand: One of `BRANDS`.
        price: In money.
        stock: How many there are; 0 for about one in twenty.
        added_s: When it came into the catalogue, in seconds since 1970.
        fame: Standard normal; how much it stands out to everybody.
    """

    id: str
    kind: str
    colour: str
    pattern: str
    brand: str
    price: float
    stock: int
    added_s: float
    fame: float

    @property
    def title(self) -> str:
        """What it is called; things that differ in the brand only have similar titles."""
        pattern = "" if self.pattern == "plain" else f"{self.pattern} "
        return f"{self.colour.capitalize()} {pattern}{self.kind} by {self.brand}"

    @property
    def description(self) -> str:
        """A sentence about it."""
        return f"A {self.colour} {self.kind} {_WORDS[self.pattern]}."

    @property
    def tags(self) -> tuple[str, ...]:
        """Its kind, colour and pattern."""
        return self.kind, self.colour, self.pattern


def make_catalogue(
    count: int, start_s: float, days: float, rng: np.random.Generator
) -> list[SimulatedItem]:
    """Return things drawn at random; one in ten is added during the simulated days.

    Args:
        count: How many.
        start_s: When the simulated days begin, in seconds since 1970.
        days: How many there are.
        rng: Where chance comes from.
    """
    kinds, colours = list(KINDS), list(COLOURS)
    items = []
    for number in range(count):
        kind = kinds[number % len(kinds)]
        late = rng.random() < 0.1
        added_s = start_s + (rng.uniform(0.2, 0.9) * days if late else -30.0) * 86_400
        items.append(
            SimulatedItem(
                id=f"i{number:04d}",
                kind=kind,
                colour=colours[rng.integers(len(colours))],
                pattern=PATTERNS[rng.integers(len(PATTERNS))],
                brand=BRANDS[rng.integers(len(BRANDS))],
                price=round(_PRICES[kind] * float(rng.lognormal(0.0, 0.35)), 2),
                stock=0 if rng.random() < 0.05 else int(rng.integers(1, 200)),
                added_s=round(added_s),
                fame=float(rng.normal()),
            )
        )
    return items
