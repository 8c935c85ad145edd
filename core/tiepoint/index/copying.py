"""Copies of collections from one store to another: resumable, and compared afterwards."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tiepoint.errors import InputError, StoreError
from tiepoint.index.base import CollectionSchema, Row
from tiepoint.index.milvus import MilvusStore

Progress = Callable[[int, int], None]
"""Told how many rows are done, and of how many: each is copied, and then read on both sides."""

_ROWS_AT_ONCE = 1_000
_CHECKSUM_BITS = 64


@dataclass(frozen=True, slots=True)
class Content:
    """What a collection holds, in two numbers.

    Attributes:
        items: How many items.
        checksum: Sum, modulo 2^64, of a hash of each item: its id, its parts, its metadata
            and its vectors bit by bit. It does not depend on the order.
    """

    items: int
    checksum: str


@dataclass(frozen=True, slots=True)
class CopyReport:
    """What copying one collection did.

    Attributes:
        collection: Its name.
        items: How many items both stores hold now.
        checksum: The checksum of both, see `Content`.
        written: Rows, and tombstones of deleted items, that this run wrote.
        removed: Rows that this run removed, as the original has them no more.
        resumed_after: The sequence number up to which an earlier run had come; 0 if none.
        seconds: How long copying and comparing took.
    """

    collection: str
    items: int
    checksum: str
    written: int
    removed: int
    resumed_after: int
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data, in the documented shape of `store copy --json`."""
        return asdict(self)


def copy_store(source: MilvusStore, folder: Path | str) -> list[CopyReport]:
    """Copy all collections into a new embedded store, compare the two, and close that.

    Args:
        source: An open store; nobody may write to it meanwhile.
        folder: Where the copy is made; absent or empty.

    Raises:
        InputError: The folder holds something else.
        StoreError: It cannot be written, or the copy differs.
    """
    target = MilvusStore(str(folder))
    target.open()
    try:
        return [copy_collection(source, target, one) for one in source.collections().values()]
    finally:
        target.close()


def copy_collection(
    source: MilvusStore,
    target: MilvusStore,
    schema: CollectionSchema,
    progress: Progress | None = None,
) -> CopyReport:
    """Copy a collection, or what is missing of it, and compare the two.

    Rows keep their sequence numbers and go over in the order of these, so that the target's
    last number says how far a run came: run again after an interruption, it goes on there, and
    after further writes to the source it takes over those.

    Args:
        source: An open store; nobody may write to the collection meanwhile.
        target: An open store.
        schema: The collection, as `MilvusStore.collections` of the source gives it.
        progress: Told of rows copied and compared.

    Raises:
        InputError: The target has a collection of this name that is no copy of this one, or
            that was written to since.
        FingerprintError: The target's vectors come from another encoder or aligner.
        SchemaError: The target has other fields, or an item does not fit a server's limits.
        StoreError: A store failed, or the two differ in the end.
    """
    started = time.perf_counter()
    name = schema.name
    source.create(schema)
    target.create(schema, copy_of=source.identity(name))
    after, last = target.last_sequence(name), source.last_sequence(name)
    if after > last:
        raise InputError(
            f"the copy was written to: it has rows up to {after}, the original up to {last}",
            where=f"{target.address}, {name!r}",
            hint="Name another target, or copy in the other direction.",
        )
    written, removed, compared, total = 0, 0, 0, 3 * source.count(name)

    def show(rows: int) -> None:
        nonlocal compared
        compared += rows
        if progress is not None:
            progress(min(written + compared, total), total)

    for entries in _in_order(source, name, after):
        target.restore(name, entries)
        written += len(entries)
        show(0)
    original = content(source, name, show)
    copied = content(target, name, show)
    if original != copied:
        # A server does not promise that a batch is whole, and a snapshot of the source has
        # purged the tombstones that it covers.
        filled, removed = _reconcile(source, target, name)
        written += filled
        copied = content(target, name)
    if original != copied:
        raise StoreError(
            f"the copy differs: {copied.items} items with checksum {copied.checksum}, the original"
            f" has {original.items} with {original.checksum}",
            where=f"{target.address}, {name!r}",
            hint="Something else wrote to one of them; copy into a new store.",
        )
    seconds = round(time.perf_counter() - started, 3)
    return CopyReport(name, copied.items, copied.checksum, written, removed, after, seconds)


def content(
    store: MilvusStore, name: str, progress: Callable[[int], None] | None = None
) -> Content:
    """Return the number of items of a collection and their checksum, from all its rows.

    Args:
        store: An open store.
        name: A collection that was created or checked by `create`.
        progress: Told of how many rows were read since it was told last.

    Raises:
        StoreError: The store failed.
    """
    items, checksum = 0, 0
    for batch in store.scan(name):
        rows = [row for _, row in batch if isinstance(row, Row)]
        items += len(rows)
        checksum += sum(map(_hash, rows))
        if progress is not None:
            progress(len(rows))
    return Content(items, f"{checksum % 2**_CHECKSUM_BITS:016x}")


def _in_order(
    source: MilvusStore, name: str, after: int
) -> Iterator[Sequence[tuple[int, Row | str]]]:
    """Yield what was written after a sequence number, by sequence number."""
    for batch in source.scan(name, after):
        entries = sorted(batch, key=lambda entry: entry[0])
        for start in range(0, len(entries), _ROWS_AT_ONCE):
            yield entries[start : start + _ROWS_AT_ONCE]


def _reconcile(source: MilvusStore, target: MilvusStore, name: str) -> tuple[int, int]:
    """Write the rows that the target lacks, and remove those that the source has no more.

    A target that was written to on its own is no copy any more, and does not come this far.

    Returns:
        How many rows were written and removed.
    """
    present = {sequence for batch in target.scan(name) for sequence, _ in batch}
    wanted: set[int] = set()
    written = 0
    for entries in _in_order(source, name, 0):
        wanted.update(sequence for sequence, _ in entries)
        missing = [entry for entry in entries if entry[0] not in present]
        if missing:
            target.restore(name, missing)
            written += len(missing)
    superfluous = sorted(present - wanted)
    target.withdraw(name, superfluous)
    return written, len(superfluous)


def _hash(row: Row) -> int:
    plain = [row.id, row.digest, row.metadata, row.parts, sorted(row.vectors)]
    state = hashlib.blake2b(
        json.dumps(plain, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass"),
        digest_size=_CHECKSUM_BITS // 8,
    )
    for name in sorted(row.vectors):
        state.update(row.vectors[name].tobytes())
    return int.from_bytes(state.digest(), "big")
