"""The store on Milvus: a local folder (Milvus Lite in this process) or a server, by URI."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tiepoint.errors import StoreError
from tiepoint.index.base import CollectionSchema, Row, Tier
from tiepoint.index.card import CARD, card_of, check_card, schema_of
from tiepoint.index.embedded import CollectionState, EmbeddedMilvus
from tiepoint.index.milvus_client import (
    CALL_TIMEOUT_S,
    connect,
    public_address,
    store_errors,
)
from tiepoint.index.milvus_layout import Layout
from tiepoint.index.pushed_down import PushedDownTier
from tiepoint.index.sequences import last_sequence
from tiepoint.index.validation import validate_schema

logger = logging.getLogger(__name__)

_PAGE_BYTES = 32 << 20
_SERVER_WINDOW = 16_384
_SPARSE_PAGES = 4


class MilvusStore:
    """Collections on Milvus (entry point `milvus` of `tiepoint.stores`).

    A batch of up to 64 MiB is atomic: after a kill it is there as a whole or not at all. A
    larger one is written in such pieces, in order. A write is durable when it returns: on an
    embedded store it has been forced to the disk. Each row of a batch has a sequence number of
    its own, and numbers are never used twice, not even after a failed write.

    A write that fails on an embedded store (disk full) may have left a torn record behind,
    after which Milvus Lite would lose what it logs. The next call therefore reopens the store
    first, which drops the torn record and writes what was logged before it.

    There is one writer of a collection; a server does not enforce that.

    Args:
        uri: A local folder (made if absent), or `http[s]://[user:password@]host[:port]`.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._where = public_address(uri)
        self._embedded = (
            None
            if "://" in uri or uri.startswith("unix:")
            else EmbeddedMilvus(Path(uri).expanduser().absolute())
        )
        self._milvus: Any = None
        self._open = False
        self._failed = False
        self._recovery: dict[str, Any] | None = None
        self._layouts: dict[str, Layout] = {}
        self._states: dict[str, CollectionState] = {}
        self._identities: dict[str, str] = {}
        self._lock = threading.RLock()

    @property
    def embedded(self) -> bool:
        """Whether this process holds the data itself."""
        return self._embedded is not None

    @property
    def generation(self) -> int:
        """Which generation of its data an embedded store serves; grows with each migration."""
        return self._embedded.generation if self._embedded is not None else 0

    def open(self) -> None:
        """Own the folder, or connect; after an unclean end, bring Milvus Lite back to speed.

        Raises:
            InputError: The path is a file, not writable, or holds something else.
            StoreOwnedError: Another process holds the store.
            StoreError: The server does not answer, or the files are damaged.
        """
        if self._embedded is None:
            self._milvus = connect(self._uri)
            self._open = True
            return
        address, clean, self._states = self._embedded.open()
        try:
            self._milvus = connect(address)
            if not clean:
                self._recover("the last process did not close the store")
        except BaseException:
            self._disconnect()
            self._embedded.close(None)
            raise
        self._open, self._failed = True, False

    def close(self) -> None:
        """Write everything out and give the store up; does nothing if it is not open.

        Raises:
            StoreError: Something could not be written out; the next opening will recover it.
        """
        with self._lock:
            if not self._open:
                return
            self._open = False
            states = None
            try:
                if self._embedded is not None and not self._failed:
                    self._checkpoint()
                    states = self._states
            finally:
                self._disconnect()
                if self._embedded is not None:
                    self._embedded.close(states)

    def create(self, schema: CollectionSchema) -> None:
        """Create the collection, or check that the stored one has this schema.

        Raises:
            FingerprintError: The stored vectors come from another encoder or aligner.
            SchemaError: The stored fields or metadata differ, or cannot be stored at all.
            StoreError: The store failed.
        """
        validate_schema(schema)
        layout = Layout(schema, embedded=self.embedded)
        with self._lock, self._errors():
            client = self._client()
            if client.has_collection(schema.name):
                properties = client.describe_collection(schema.name).get("properties") or {}
                where = f"{self._where}, {schema.name!r}"
                identity = check_card(properties.get(CARD), schema, where)
                if schema.name not in self._states:
                    self._states[schema.name] = self._read_state(schema.name, CollectionState())
            else:
                identity = uuid.uuid4().hex
                client.create_collection(
                    schema.name,
                    schema=layout.milvus_schema(),
                    index_params=None if self.embedded else layout.index_params(),
                    properties={CARD: card_of(schema, identity)},
                    consistency_level="Strong",
                )
                self._states[schema.name] = CollectionState()
            if not self.embedded:
                client.load_collection(schema.name)
            self._layouts[schema.name] = layout
            self._identities[schema.name] = identity

    def stored(self) -> dict[str, CollectionSchema]:
        """Return the schema of each stored collection, as its card tells it; all can be read.

        Raises:
            StoreError: The store failed.
        """
        with self._lock, self._errors():
            client = self._client()
            cards = {
                name: (client.describe_collection(name).get("properties") or {}).get(CARD)
                for name in client.list_collections()
            }
        schemas = {name: schema_of(card, name) for name, card in cards.items() if card is not None}
        for name in schemas.keys() - self._layouts.keys():
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
        embedded = self._embedded
        if embedded is None:
            raise StoreError("a server's data have no generations", where=self._where)
        with self._lock:
            former, states = embedded.generation, self._states
            layouts, identities = self._layouts, self._identities
            coming = embedded.closed_states(generation)
            try:
                self._serve(embedded, generation, coming)
                yield
            except BaseException:
                self._serve(embedded, former, states)
                self._layouts, self._identities = layouts, identities
                raise

    def remove_superseded(self) -> None:
        """Remove what an embedded store has of the generations before this one."""
        if self._embedded is not None:
            self._embedded.remove_superseded()

    def _serve(
        self, embedded: EmbeddedMilvus, generation: int, states: dict[str, CollectionState]
    ) -> None:
        self._disconnect()
        self._layouts, self._identities, self._states = {}, {}, states
        self._milvus = connect(embedded.switch(generation, states))
        self._failed = False

    def ids(self, name: str) -> Iterator[list[str]]:
        """Yield the ids of all items, in batches.

        Raises:
            StoreError: The store failed.
        """
        after, last = 0, self._states[name].sequence
        while after < last:
            among = f"seq > {after} and seq <= {after + _SERVER_WINDOW} and deleted == false"
            if found := [str(entity["id"]) for entity in self.query(name, among, ["id"])]:
                yield found
            after += _SERVER_WINDOW

    def upsert(self, name: str, rows: Sequence[Row]) -> int:
        """Write rows, replacing those of the same id; durable on return. Gives the sequence.

        Raises:
            StoreError: The store failed; what of the batch was written shows in `scan`.
        """
        with self._lock:
            state, layout = self._states[name], self._layouts[name]
            first = self._take_sequences(state, len(rows))
            self._write(name, layout, layout.entities(rows, first))
            for row in rows:
                state.tombstones.pop(row.id, None)
            return state.sequence

    def delete(self, name: str, ids: Sequence[str]) -> int:
        """Write tombstones; durable on return. Gives the sequence.

        Raises:
            StoreError: The store failed.
        """
        with self._lock:
            state, layout = self._states[name], self._layouts[name]
            first = self._take_sequences(state, len(ids))
            self._write(name, layout, layout.tombstones(ids, first))
            state.tombstones.update({item: first + i for i, item in enumerate(ids)})
            return state.sequence

    def purge(self, name: str, up_to: int) -> None:
        """Remove tombstones with a sequence number of at most `up_to`.

        The row with the last sequence number stays, so that a number is never used again.

        Raises:
            StoreError: The store failed.
        """
        with self._lock, self._errors():
            state = self._states[name]
            limit = min(up_to, state.sequence - 1)
            if not any(sequence <= limit for sequence in state.tombstones.values()):
                return
            self._client().delete(name, filter=f"deleted == true and seq <= {limit}")
            state.tombstones = {
                item: sequence for item, sequence in state.tombstones.items() if sequence > limit
            }

    def scan(
        self, name: str, after: int = 0, page: int | None = None
    ) -> Iterator[list[tuple[int, Row | str]]]:
        """Yield batches of (sequence, row), or (sequence, id) for a tombstone.

        The numbers of a batch are all above those of the batch before.

        Args:
            name: The collection.
            after: The sequence number after which to begin.
            page: About how many rows to read at once; as many as fit 32 MiB if not given.

        Raises:
            StoreError: The store failed.
        """
        layout, last = self._layouts[name], self._states[name].sequence
        page = page or max(1, _PAGE_BYTES // layout.row_bytes())
        widest = page * _SPARSE_PAGES
        if not self.embedded:
            page, widest = min(page, _SERVER_WINDOW), min(widest, _SERVER_WINDOW)
        # A window of sequence numbers holds at most as many rows; overwriting leaves gaps, so
        # the window widens where it comes back half empty.
        window = page
        while after < last:
            among = f"seq > {after} and seq <= {after + window}"
            entities = self.query(name, among, layout.output_fields)
            if entities:
                yield [layout.from_entity(entity) for entity in entities]
            after += window
            window = min(widest, window * 2) if len(entities) < page // 2 else page

    def identity(self, name: str) -> str:
        """Return what names this very collection, made up when it was created."""
        return self._identities[name]

    def last_sequence(self, name: str) -> int:
        """Return the last sequence number that was given out."""
        return self._states[name].sequence

    def count(self, name: str) -> int:
        """Return the number of items, tombstones not counted."""
        with self._lock, self._errors():
            answer = self._client().query(name, filter="", output_fields=["count(*)"])
            return int(answer[0]["count(*)"]) - len(self._states[name].tombstones)

    def pushed_down(self, schema: CollectionSchema) -> Tier | None:
        """Return what answers a collection's searches on a server; None if embedded."""
        return None if self.embedded else PushedDownTier(self, self._layouts[schema.name])

    def query(
        self, name: str, expression: str, output: Sequence[str], limit: int | None = None
    ) -> list[dict[str, Any]]:
        """Return the fields of the rows for which a Milvus expression holds.

        Raises:
            StoreError: The store failed.
        """
        options = {} if limit is None else {"limit": limit}
        with self._errors():
            return list(
                self._client().query(
                    name,
                    filter=expression,
                    output_fields=list(output),
                    timeout=CALL_TIMEOUT_S,
                    **options,
                )
            )

    def search(self, name: str, data: list[Any], **options: Any) -> list[dict[str, Any]]:
        """Return Milvus's own hits for one query: `id` and `distance`, best first.

        Args:
            name: The collection.
            data: One vector, or one text for a BM25 field.
            options: As `pymilvus.MilvusClient.search` takes them.

        Raises:
            StoreError: The store failed.
        """
        with self._errors():
            answer = self._client().search(
                name, data=data, output_fields=["id"], timeout=CALL_TIMEOUT_S, **options
            )
            return list(answer[0])

    def health(self) -> dict[str, Any]:
        """Return status, URI, the collections' sequence numbers, and the last recovery."""
        return {
            "status": "failed" if self._failed else "ok",
            "kind": "embedded" if self.embedded else "server",
            "uri": self._where,
            "collections": {
                name: {"sequence": state.sequence, "tombstones": len(state.tombstones)}
                for name, state in self._states.items()
            },
            "recovery": self._recovery,
        }

    def _errors(self) -> Any:
        return store_errors(self._where)

    def _client(self) -> Any:
        if not self._open:
            raise StoreError("the store is not open", where=self._where, hint="Open it first.")
        if self._failed:
            with self._lock:
                if self._failed and self._embedded is not None:
                    self._restart(self._embedded)
        return self._milvus

    def _restart(self, embedded: EmbeddedMilvus) -> None:
        self._disconnect()
        embedded.stop()
        self._milvus = connect(embedded.start())
        self._recover("a write failed")
        self._failed = False

    def _disconnect(self) -> None:
        if self._milvus is not None:
            self._milvus.close()
            self._milvus = None

    def _write(self, name: str, layout: Layout, entities: Iterable[dict[str, Any]]) -> None:
        client = self._client()
        try:
            with self._errors():
                for batch in layout.batches(entities):
                    client.upsert(name, batch, timeout=CALL_TIMEOUT_S)
                if self._embedded is not None:
                    self._embedded.sync(name)
        except BaseException:  # also an interruption, which leaves Milvus at work
            self._failed = self._embedded is not None
            raise

    @staticmethod
    def _take_sequences(state: CollectionState, count: int) -> int:
        first = state.sequence + 1
        state.sequence += count
        return first

    def _checkpoint(self) -> None:
        with self._errors():
            for name in self._milvus.list_collections():
                self._milvus.flush(name)

    def _recover(self, reason: str) -> None:
        """Move what Milvus Lite replayed from its log into files, and look at what is there.

        Without this its searches take seconds: a replayed log is searched row by row.
        """
        started = time.perf_counter()
        self._checkpoint()
        with self._errors():
            for name in self._milvus.list_collections():
                known = self._states.get(name, CollectionState())
                self._states[name] = self._read_state(name, known)
        seconds = time.perf_counter() - started
        self._recovery = {"reason": reason, "seconds": round(seconds, 3)}
        logger.warning("%s: recovered in %.1f s (%s)", self._where, seconds, reason)

    def _read_state(self, name: str, known: CollectionState) -> CollectionState:
        client = self._milvus

        def is_beyond(sequence: int) -> bool:
            beyond = f"seq > {sequence}"
            return bool(client.query(name, filter=beyond, output_fields=["seq"], limit=1))

        deleted = client.query(name, filter="deleted == true", output_fields=["id", "seq"])
        tombstones = {entity["id"]: entity["seq"] for entity in deleted}
        return CollectionState(last_sequence(is_beyond, known.sequence), tombstones)
