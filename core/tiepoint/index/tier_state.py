"""What a serving tier holds at one time: columns, vectors and words over the same rows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.config.collections import IndexSection
from tiepoint.errors import StoreError
from tiepoint.index.base import CollectionSchema, Row
from tiepoint.index.columns import Columns
from tiepoint.index.kinds.base import Effort, Proposer, Shortcut
from tiepoint.index.kinds.choice import PROPOSERS
from tiepoint.index.snapshot import IndexCard, SnapshotError, SnapshotReader, SnapshotWriter
from tiepoint.index.vectors import VectorIndex
from tiepoint.index.words import WordIndex

logger = logging.getLogger(__name__)

_DEAD_SHARE = 0.4
_DEAD_AT_LEAST = 2048


@dataclass(slots=True)
class TierState:
    """Columns, one vector index a field, and words where there are text fields."""

    columns: Columns
    vectors: dict[str, VectorIndex]
    words: WordIndex | None

    @classmethod
    def empty(
        cls,
        schema: CollectionSchema,
        options: Mapping[str, IndexSection],
        folder: Path | None,
    ) -> TierState:
        """Return a state without rows; see `ServingTier` for the arguments."""
        return cls(
            Columns(schema),
            _empty_indexes(schema, options, folder),
            WordIndex(schema.texts) if schema.texts else None,
        )

    def close(self) -> None:
        """Free temporary files."""
        if self.words is not None:
            self.words.close()

    def write_words(self, first: int, rows: Sequence[Row], replaced: NDArray[np.int64]) -> None:
        """Commit the texts of new rows, and the end of those that they replace.

        Where the words' temporary files are gone, the words are made again from the columns.

        Raises:
            StoreError: They cannot be written there either.
        """
        if self.words is None:
            return
        gone = replaced[replaced >= 0].tolist()
        try:
            self.words.remove(gone)
            for number, row in enumerate(rows, first):
                self.words.add(number, row.parts)
            self.words.commit()
        except StoreError as error:
            logger.warning("the word index is made again: %s", error)
            lost = self.words
            alive = np.flatnonzero(self.columns.live)
            self.words = self._words_again(np.union1d(alive, np.arange(first, first + len(rows))))
            lost.close()
            # Searches still find the rows that are replaced, until the caller publishes.
            self.words.remove(gone)
            self.words.commit()

    def _words_again(self, rows: NDArray[np.int64]) -> WordIndex:
        """Return a published index of the texts of these rows."""
        assert self.words is not None  # noqa: S101 - there are text fields
        words = WordIndex(self.words.fields)
        try:
            for number, parts in zip(rows.tolist(), self.columns.parts(rows), strict=True):
                words.add(number, parts)
            words.commit()
            words.publish()
        except StoreError:
            words.close()
            raise
        return words

    def improve(self, report: Callable[[], None] | None = None) -> bool:
        """Build the indexes that are due; tells whether there was any.

        Args:
            report: Called at each step of the building.
        """

        def step(_: Proposer) -> None:
            if report is not None:
                report()

        built = [index.improve(step) for index in self.vectors.values()]
        return any(built)

    @property
    def worth_compacting(self) -> bool:
        """Whether dead rows have become many."""
        dead = len(self.columns) - len(self.columns.row_of)
        return dead >= max(_DEAD_AT_LEAST, _DEAD_SHARE * len(self.columns))

    def compacted(self, schema: CollectionSchema) -> TierState:
        """Return a state of the living rows only; this one stays as it is."""
        live = self.columns.live
        alive = np.flatnonzero(live)
        columns = self.columns.selected(schema, alive)
        numbers = np.cumsum(live, dtype=np.int64) - 1
        words = WordIndex(schema.texts) if schema.texts else None
        if words is not None:
            for number, parts in enumerate(columns.parts(np.arange(len(alive)))):
                words.add(number, parts)
            words.commit()
        vectors = {name: index.compacted(live, numbers) for name, index in self.vectors.items()}
        return TierState(columns, vectors, words)

    def describe(self) -> dict[str, Any]:
        """Return counts, and how each vector field is searched."""
        return {
            "items": len(self.columns.row_of),
            "tombstones": len(self.columns) - len(self.columns.row_of),
            "vectors": {name: index.describe() for name, index in self.vectors.items()},
        }

    def save(self, folder: Path, sequence: int, schema: CollectionSchema) -> None:
        """Write a snapshot.

        Raises:
            StoreError: The folder cannot be written; an older snapshot stays.
        """
        try:
            writer = SnapshotWriter(folder)
            try:
                indexes = self._write(writer)
                searched = {
                    name: f"{index.choice.kind}: {index.choice.why}"
                    for name, index in self.vectors.items()
                }
                writer.commit(sequence, schema, indexes, searched)
            finally:
                writer.abandon()
        except (OSError, RuntimeError, ValueError) as error:  # the last two: faiss, Tantivy
            raise StoreError(
                f"the snapshot cannot be written: {error}",
                where=str(folder),
                hint="Make room on the disk, or mend its permissions.",
            ) from error

    def _write(self, writer: SnapshotWriter) -> dict[str, IndexCard]:
        groups = self.columns.arrays()
        cards: dict[str, IndexCard] = {}
        for name, index in self.vectors.items():
            arrays = index.arrays()
            writer.array(f"vectors.{name}", arrays.pop("vectors"))
            if (proposer := index.stored_proposer) is not None:
                proposer.write(writer.folder / f"index.{name}.faiss")
                arrays["order"] = proposer.order
                cards[name] = _card(proposer)
            groups[f"vectors.{name}"] = arrays
        writer.arrays("columns", groups)
        if self.words is not None:
            self.words.save(writer.folder / "words")
        return cards

    @classmethod
    def read(
        cls,
        reader: SnapshotReader,
        schema: CollectionSchema,
        options: Mapping[str, IndexSection],
        folder: Path | None,
    ) -> TierState:
        """Return the state of a snapshot; see `ServingTier` for the arguments.

        Raises:
            SnapshotError: Its files do not fit together.
        """
        try:
            groups = reader.arrays("columns")
            vectors = _empty_indexes(schema, options, folder)
            for field in schema.vectors:
                arrays = groups.pop(f"vectors.{field.name}")
                proposer = None
                if card := reader.manifest.indexes.get(field.name):
                    path = reader.folder / f"index.{field.name}.faiss"
                    proposer = PROPOSERS[card.kind].read(path, arrays["order"], field.metric)
                    proposer.effort = Effort(card.breadth, card.oversampling)
                    if card.shortcut is not None:
                        proposer.shortcut = Shortcut(*card.shortcut)
                    proposer.tuned_at, proposer.recall = card.tuned_at, card.recall
                name = f"vectors.{field.name}"
                vectors[field.name].take_over(
                    reader.path(name), reader.array(name), arrays["rows"], proposer
                )
            columns = Columns.of(schema, groups)
            words = WordIndex(schema.texts, reader.folder / "words") if schema.texts else None
        except (OSError, KeyError, ValueError, RuntimeError) as error:
            raise SnapshotError(
                f"the snapshot cannot be read: {error!s:.200}", where=str(reader.folder)
            ) from error
        return cls(columns, vectors, words)


def _empty_indexes(
    schema: CollectionSchema, options: Mapping[str, IndexSection], folder: Path | None
) -> dict[str, VectorIndex]:
    return {
        field.name: VectorIndex(field, options.get(field.name, IndexSection()), folder)
        for field in schema.vectors
    }


def _card(proposer: Proposer) -> IndexCard:
    return IndexCard(
        kind=proposer.kind,
        breadth=proposer.effort.breadth,
        oversampling=proposer.effort.oversampling,
        shortcut=proposer.shortcut,
        tuned_at=proposer.tuned_at,
        recall=proposer.recall,
    )
