"""The store on Milvus: a local folder (Milvus Lite in this process) or a server, by URI."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tiepoint.config.store import ServerSection
from tiepoint.errors import StoreError
from tiepoint.index.base import CollectionSchema, Row, Tier
from tiepoint.index.card import CARD, card_of, check_card
from tiepoint.index.connection import Connection
from tiepoint.index.embedded import CollectionState
from tiepoint.index.milvus_layout import Layout
from tiepoint.index.milvus_rows import MilvusRows
from tiepoint.index.milvus_session import MilvusSession
from tiepoint.index.pushed_down import PushedDownTier
from tiepoint.index.stored import (
    COPY_OF,
    collections,
    properties,
    read_state,
    refuse_other_content,
)
from tiepoint.index.validation import validate_schema


class MilvusStore:
    """Collections on Milvus (entry point `milvus` of `tiepoint.stores`).

    A batch of up to 64 MiB is atomic: after a kill it is there as a whole or not at all. A
    larger one is written in such pieces, in order. A write is durable when it returns: on an
    embedded store it has been forced to the disk. Each row of a batch has a sequence number of
    its own, and numbers are never used twice, not even after a failed write.

    There is one writer of a collection; a server does not enforce that. All that asks or writes
    raises a `StoreError` where the store fails.

    Args:
        uri: A local folder (made if absent), or
            `http[s]://[user:password@]host[:port][/database]`.
        server: How a server is used.
    """

    def __init__(self, uri: str, server: ServerSection | None = None) -> None:
        self._session = MilvusSession(uri, server)
        self._rows: dict[str, MilvusRows] = {}

    @property
    def embedded(self) -> bool:
        """Whether this process holds the data itself."""
        return self._session.embedded is not None

    @property
    def generation(self) -> int:
        """Which generation of its data an embedded store serves; grows with each migration."""
        embedded = self._session.embedded
        return embedded.generation if embedded is not None else 0

    @property
    def address(self) -> str:
        """The folder or the server, as errors and `health` name it: without a password."""
        return self._session.address

    def open(self) -> None:
        """Own the folder, or connect; after an unclean end, bring Milvus Lite back to speed.

        Raises:
            InputError: The path is a file, not writable, or holds something else.
            StoreOwnedError: Another process holds the store.
            StoreError: The server does not answer, or the files are damaged.
        """
        self._session.open()

    def close(self) -> None:
        """Write everything out and give the store up; does nothing if it is not open.

        Raises:
            StoreError: Something could not be written out; the next opening will recover it.
        """
        self._session.close()

    def collections(self) -> dict[str, CollectionSchema]:
        """Return the schemas of the stored collections that tiepoint made, by name.

        Raises:
            SchemaError: One was written by another version.
        """
        with self._session.lock:
            return collections(self._session.milvus())

    def create(self, schema: CollectionSchema, *, copy_of: str | None = None) -> None:
        """Create the collection, or check that the stored one has this schema.

        Args:
            schema: The collection.
            copy_of: The identity of the collection that `restore` will copy into this one.

        Raises:
            FingerprintError: The stored vectors come from another encoder or aligner.
            SchemaError: The stored fields or metadata differ, or cannot be stored at all.
            InputError: A copy is to be made, and the stored one holds something else.
        """
        validate_schema(schema)
        layout = Layout(schema, embedded=self.embedded, server=self._session.server)
        with self._session.lock:
            milvus = self._session.milvus()
            if milvus.call("has_collection", schema.name):
                rows = self._take_over(milvus, layout, copy_of)
            else:
                rows = self._create(milvus, layout, copy_of)
            self._rows[schema.name] = rows

    def _take_over(self, milvus: Connection, layout: Layout, copy_of: str | None) -> MilvusRows:
        name, states = layout.schema.name, self._session.states
        stored = properties(milvus, name)
        where = f"{self.address}, {name!r}"
        identity = check_card(stored.get(CARD), layout.schema, where)
        if not self.embedded:
            milvus.call("load_collection", name)
        if name not in states:
            states[name] = read_state(milvus, name, CollectionState())
        refuse_other_content(stored, copy_of, states[name].sequence, where)
        if copy_of is not None and COPY_OF not in stored:
            milvus.call("alter_collection_properties", name, {COPY_OF: copy_of})
        is_copy = COPY_OF in stored or copy_of is not None
        return MilvusRows(self._session, layout, identity, is_copy=is_copy)

    def _create(self, milvus: Connection, layout: Layout, copy_of: str | None) -> MilvusRows:
        name, identity = layout.schema.name, uuid.uuid4().hex
        mark = {} if copy_of is None else {COPY_OF: copy_of}
        milvus.call(
            "create_collection",
            name,
            schema=layout.milvus_schema(),
            index_params=None if self.embedded else layout.index_params(),
            properties={CARD: card_of(layout.schema, identity), **mark},
            consistency_level="Strong",
        )
        if not self.embedded:
            milvus.call("load_collection", name)
        self._session.states[name] = CollectionState()
        return MilvusRows(self._session, layout, identity, is_copy=copy_of is not None)

    def stored(self) -> dict[str, CollectionSchema]:
        """Return the schema of each stored collection, as its card tells it; all can be read."""
        schemas = self.collections()
        for name in schemas.keys() - self._rows.keys():
            self.create(schemas[name])
        return schemas

    @contextmanager
    def switched(self, generation: int) -> Iterator[None]:
        """Serve another generation of the data, for good if the block ends well.

        If the block raises, the former generation is served again. A kill leaves one of the
        two, whole. In the block, the collections are to be created anew.

        Args:
            generation: Which; a migration has made it beside the present data, and closed it.

        Raises:
            StoreError: It cannot be served.
        """
        session = self._session
        if session.embedded is None:
            raise StoreError("a server's data have no generations", where=self.address)
        with session.lock:
            former, states, rows = session.embedded.generation, session.states, self._rows
            coming = session.embedded.closed_states(generation)
            try:
                self._rows = {}
                session.switch(generation, coming)
                yield
            except BaseException:
                session.switch(former, states)
                self._rows = rows
                raise

    def remove_superseded(self) -> None:
        """Remove what an embedded store has of the generations before this one."""
        if self._session.embedded is not None:
            self._session.embedded.remove_superseded()

    def upsert(self, name: str, rows: Sequence[Row]) -> int:
        """Write rows, replacing those of the same id; durable on return. Gives the sequence.

        What of a batch was written before a failure shows in `scan`.
        """
        return self._rows[name].upsert(rows)

    def delete(self, name: str, ids: Sequence[str]) -> int:
        """Write tombstones; durable on return. Gives the sequence."""
        return self._rows[name].delete(ids)

    def restore(self, name: str, entries: Sequence[tuple[int, Row | str]]) -> None:
        """Write what a scan of the original gave, under the same sequence numbers.

        Args:
            name: A collection that was created as a copy.
            entries: (sequence, row), or (sequence, id) for a tombstone, in rising order.

        Raises:
            InputError: The collection is no copy.
            SchemaError: An item does not fit a server's limits; nothing was written.
        """
        self._rows[name].restore(entries)

    def withdraw(self, name: str, sequences: Sequence[int]) -> None:
        """Remove rows of a copy by their sequence numbers, without tombstones."""
        self._rows[name].withdraw(sequences)

    def purge(self, name: str, up_to: int) -> None:
        """Remove tombstones with a sequence number of at most `up_to`."""
        self._rows[name].purge(up_to)

    def ids(self, name: str) -> Iterator[list[str]]:
        """Yield the ids of all items, in batches."""
        return self._rows[name].ids()

    def scan(
        self, name: str, after: int = 0, page: int | None = None
    ) -> Iterator[list[tuple[int, Row | str]]]:
        """Yield batches of (sequence, row), or (sequence, id) for a tombstone.

        The numbers of a batch are all above those of the batch before.

        Args:
            name: The collection.
            after: The sequence number after which to begin.
            page: About how many rows to read at once; as many as fit 32 MiB if not given.
        """
        return self._rows[name].scan(after, page)

    def identity(self, name: str) -> str:
        """Return what names this very collection, made up when it was created."""
        return self._rows[name].identity

    def last_sequence(self, name: str) -> int:
        """Return the last sequence number that was given out."""
        return self._rows[name].state.sequence

    def count(self, name: str) -> int:
        """Return the number of items, tombstones not counted."""
        return self._rows[name].count()

    def pushed_down(self, schema: CollectionSchema) -> Tier | None:
        """Return what answers a collection's searches on a server; None if embedded."""
        if self.embedded:
            return None
        return PushedDownTier(self, self._rows[schema.name].layout)

    def query(
        self, name: str, expression: str, output: Sequence[str], limit: int | None = None
    ) -> list[dict[str, Any]]:
        """Return the fields of the rows for which a Milvus expression holds."""
        return self._session.query(name, expression, output, limit)

    def search(self, name: str, data: list[Any], **options: Any) -> list[dict[str, Any]]:
        """Return Milvus's own hits for one query: `id` and `distance`, best first.

        Args:
            name: The collection.
            data: One vector, or one text for a BM25 field.
            options: As `pymilvus.MilvusClient.search` takes them.
        """
        if not self.embedded:
            options["consistency_level"] = self._session.server.consistency.capitalize()
        milvus = self._session.milvus()
        return list(milvus.call("search", name, data=data, output_fields=["id"], **options)[0])

    def health(self) -> dict[str, Any]:
        """Return status, URI, the collections' sequence numbers, and the last recovery.

        A server is asked for a sign of life; without one within 2 s the status is
        `unreachable`, with the reason and since when.
        """
        return self._session.health()
