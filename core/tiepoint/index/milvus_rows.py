"""The rows of one collection on Milvus: written under sequence numbers, and read by them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tiepoint.errors import InputError
from tiepoint.index.base import Row
from tiepoint.index.embedded import CollectionState
from tiepoint.index.milvus_layout import Layout
from tiepoint.index.milvus_session import MilvusSession
from tiepoint.index.stored import COPY_OF, read_sequence

_PAGE_BYTES = 32 << 20
_SERVER_WINDOW = 16_384
_SPARSE_PAGES = 4
_SEQUENCES_AT_ONCE = 1_000


class MilvusRows:
    """Rows and tombstones of a collection, each with a sequence number of its own.

    Attributes:
        layout: How its rows lie in Milvus.
        identity: What names this very collection, made up when it was created.
        is_copy: Whether it is the copy of another one, not written to since.

    Args:
        session: The open store.
        layout: How its rows lie in Milvus.
        identity: What names this very collection.
        is_copy: Whether it is a copy.
    """

    def __init__(
        self, session: MilvusSession, layout: Layout, identity: str, *, is_copy: bool
    ) -> None:
        self.layout = layout
        self.identity = identity
        self.is_copy = is_copy
        self._session = session
        self._name = layout.schema.name

    @property
    def state(self) -> CollectionState:
        """The last sequence number that was given out, and the tombstones.

        On a server the number is asked for: other processes may have written, too.
        """
        state = self._session.states[self._name]
        if self._session.embedded is None:
            state.sequence = read_sequence(self._session.milvus(), self._name, state.sequence)
        return state

    def upsert(self, rows: Sequence[Row]) -> int:
        """Write rows, replacing those of the same id; durable on return. Gives the sequence."""
        with self._session.lock:
            self._no_longer_a_copy()
            state = self.state
            first = _take_sequences(state, len(rows))
            self._session.write(self._name, self.layout, self.layout.entities(rows, first))
            for row in rows:
                state.tombstones.pop(row.id, None)
            return state.sequence

    def delete(self, ids: Sequence[str]) -> int:
        """Write tombstones; durable on return. Gives the sequence."""
        with self._session.lock:
            self._no_longer_a_copy()
            state = self.state
            first = _take_sequences(state, len(ids))
            self._session.write(self._name, self.layout, self.layout.tombstones(ids, first))
            state.tombstones.update({item: first + i for i, item in enumerate(ids)})
            return state.sequence

    def restore(self, entries: Sequence[tuple[int, Row | str]]) -> None:
        """Write what a scan of the original gave, under the same sequence numbers.

        Args:
            entries: (sequence, row), or (sequence, id) for a tombstone, in rising order.

        Raises:
            InputError: This is no copy.
            SchemaError: An item does not fit a server's limits; nothing was written.
        """
        if not self.is_copy:
            raise InputError(
                "the collection is no copy",
                where=f"{self._session.address}, {self._name!r}",
                hint="Create it so.",
            )
        with self._session.lock:
            state, layout = self.state, self.layout
            entities = [
                next(layout.tombstones([content], sequence))
                if isinstance(content, str)
                else next(layout.entities([content], sequence))
                for sequence, content in entries
            ]
            self._session.write(self._name, layout, entities)
            for sequence, content in entries:
                state.sequence = max(state.sequence, sequence)
                if isinstance(content, str):
                    state.tombstones[content] = sequence
                else:
                    state.tombstones.pop(content.id, None)

    def withdraw(self, sequences: Sequence[int]) -> None:
        """Remove rows of a copy by their sequence numbers, without tombstones."""
        with self._session.lock:
            state = self.state
            for start in range(0, len(sequences), _SEQUENCES_AT_ONCE):
                among = ", ".join(map(str, sequences[start : start + _SEQUENCES_AT_ONCE]))
                self._remove(f"seq in [{among}]")
            gone = set(sequences)
            state.tombstones = {
                item: sequence
                for item, sequence in state.tombstones.items()
                if sequence not in gone
            }

    def purge(self, up_to: int) -> None:
        """Remove tombstones with a sequence number of at most `up_to`.

        The row with the last sequence number stays, so that a number is never used again.
        """
        with self._session.lock:
            state = self.state
            limit = min(up_to, state.sequence - 1)
            if not any(sequence <= limit for sequence in state.tombstones.values()):
                return
            self._remove(f"deleted == true and seq <= {limit}")
            state.tombstones = {
                item: sequence for item, sequence in state.tombstones.items() if sequence > limit
            }

    def ids(self) -> Iterator[list[str]]:
        """Yield the ids of all items, in batches."""
        after, last = 0, self.state.sequence
        while after < last:
            among = f"seq > {after} and seq <= {after + _SERVER_WINDOW} and deleted == false"
            if found := self._session.query(self._name, among, ["id"]):
                yield [str(entity["id"]) for entity in found]
            after += _SERVER_WINDOW

    def scan(
        self, after: int = 0, page: int | None = None
    ) -> Iterator[list[tuple[int, Row | str]]]:
        """Yield batches of (sequence, row), or (sequence, id) for a tombstone.

        The numbers of a batch are all above those of the batch before.

        Args:
            after: The sequence number after which to begin.
            page: About how many rows to read at once; as many as fit 32 MiB if not given.
        """
        layout, last = self.layout, self.state.sequence
        page = page or max(1, _PAGE_BYTES // layout.row_bytes())
        widest = page * _SPARSE_PAGES
        if self._session.embedded is None:
            page, widest = min(page, _SERVER_WINDOW), min(widest, _SERVER_WINDOW)
        # A window of sequence numbers holds at most as many rows; overwriting leaves gaps, so
        # the window widens where it comes back half empty.
        window = page
        while after < last:
            among = f"seq > {after} and seq <= {after + window}"
            entities = self._session.query(self._name, among, layout.output_fields)
            if entities:
                yield [layout.from_entity(entity) for entity in entities]
            after += window
            window = min(widest, window * 2) if len(entities) < page // 2 else page

    def count(self) -> int:
        """Return the number of items, tombstones not counted."""
        if self._session.embedded is None:  # other processes may have deleted, too
            answer = self._session.query(self._name, "deleted == false", ["count(*)"])
            return int(answer[0]["count(*)"])
        with self._session.lock:
            answer = self._session.query(self._name, "", ["count(*)"])
            return int(answer[0]["count(*)"]) - len(self.state.tombstones)

    def _remove(self, expression: str) -> None:
        self._session.milvus().call("delete", self._name, filter=expression)

    def _no_longer_a_copy(self) -> None:
        if self.is_copy:
            self._session.milvus().call("drop_collection_properties", self._name, [COPY_OF])
            self.is_copy = False


def _take_sequences(state: CollectionState, count: int) -> int:
    """Return the first of so many new sequence numbers; they are used up, come what may."""
    first = state.sequence + 1
    state.sequence += count
    return first
