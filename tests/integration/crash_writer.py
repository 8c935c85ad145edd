"""A process that writes to a collection until it is killed; started by `test_crash.py`.

Prints one JSON object a line: `{"begin": operation}` before each operation and
`{"acknowledged": number}` after it.
"""

import json
import random
import sys
from pathlib import Path

from tiepoint.index.collection import Collection
from tiepoint.index.milvus import MilvusStore
from tiepoint.testing.store import SCHEMA, make_row

ITEMS = [f"item {number}" for number in range(120)]


def choose(chance: random.Random, number: int) -> dict:
    """Return a random operation as plain data."""
    kind = chance.choices(["write", "delete", "snapshot"], weights=[8, 3, 1])[0]
    ids = chance.sample(ITEMS, chance.randint(1, 40)) if kind != "snapshot" else []
    return {"kind": kind, "ids": ids, "number": number}


def say(message: dict) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def main(folder: Path, first: int) -> None:
    chance = random.Random(first)
    store = MilvusStore(str(folder / "store"))
    store.open()
    collection = Collection.open(store, SCHEMA, folder / "tier")
    for number in range(first, first + 100_000):
        operation = choose(chance, number)
        say({"begin": operation})
        if operation["kind"] == "write":
            collection.write([make_row(item, seed=number) for item in operation["ids"]])
        elif operation["kind"] == "delete":
            collection.delete(operation["ids"])
        else:
            collection.snapshot()
        say({"acknowledged": number})


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
