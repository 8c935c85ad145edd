"""A process that writes to a collection until it is killed; started by `test_crash.py`.

Sends `("begin", operation)` before each operation and `("acknowledged", number)` after it.
"""

from __future__ import annotations

import itertools
import random
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from tiepoint.config.collections import IndexKind, IndexSection
from tiepoint.index.collection import Collection
from tiepoint.index.milvus import MilvusStore
from tiepoint.testing.store import SCHEMA, make_row

ITEMS = [f"item {number}" for number in range(120)]
KINDS = {"write": 8, "delete": 3, "snapshot": 2, "reopen": 1}
"""What a writer does, by how often; each kind is a method of `Writer`."""


@dataclass(frozen=True)
class Operation:
    kind: str
    ids: tuple[str, ...]
    number: int


class Writer:
    """A collection and what can be done to it."""

    def __init__(self, folder: Path, kind: IndexKind) -> None:
        self.folder = folder
        self.options = {field.name: IndexSection(kind=kind) for field in SCHEMA.vectors}
        self.open()

    def open(self) -> None:
        self.store = MilvusStore(str(self.folder / "store"))
        self.store.open()
        self.collection = Collection.open(
            self.store, SCHEMA, self.folder / "tier", options=self.options
        )

    def write(self, operation: Operation) -> None:
        self.collection.write([make_row(item, seed=operation.number) for item in operation.ids])

    def delete(self, operation: Operation) -> None:
        self.collection.delete(operation.ids)

    def snapshot(self, _: Operation) -> None:
        self.collection.snapshot()

    def reopen(self, _: Operation) -> None:
        self.collection.close()
        self.store.close()
        self.open()


def choose(chance: random.Random, number: int) -> Operation:
    """Return a random operation."""
    [kind] = chance.choices(list(KINDS), weights=list(KINDS.values()))
    takes_items = kind in ("write", "delete")
    ids = chance.sample(ITEMS, chance.randint(1, 40)) if takes_items else []
    return Operation(kind, tuple(ids), number)


def write_until_killed(folder: Path, kind: IndexKind, first: int, messages: Connection) -> None:
    """Open the collection, then do one random operation after another.

    Args:
        folder: Holds the store and the tier's snapshots.
        kind: How vectors are searched.
        first: Number of the first operation, and the seed.
        messages: Told of everything.
    """
    chance = random.Random(first)
    try:
        messages.send(("opening", None))
        writer = Writer(folder, kind)
        for number in itertools.count(first):
            operation = choose(chance, number)
            messages.send(("begin", operation))
            getattr(writer, operation.kind)(operation)
            messages.send(("acknowledged", number))
    except Exception:
        messages.send(("failed", traceback.format_exc()))
        raise
