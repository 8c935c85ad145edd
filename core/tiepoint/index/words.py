"""BM25 over the texts of rows, by Tantivy."""

from __future__ import annotations

import logging
import math
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Vectors
from tiepoint.errors import StoreError
from tiepoint.index.analysis import analyzer, query_terms, segmented
from tiepoint.index.base import TextAnalysis
from tiepoint.index.filters.mask import Mask
from tiepoint.scratch import ScratchFolder

logger = logging.getLogger(__name__)

_ROW = "row"
_WRITER_BYTES = 32_000_000

_ROWS_A_HIT = 0.4
"""Allowed rows that are scored one by one in the time that one more hit takes.

Measured at 100,000 rows, for the 100 best: 1,000 rows take 1.2 ms, and the 15,000 hits that should
hold as many of them 7.0 ms; 5,000 rows take 5.0 ms, and 3,000 hits 3.2 ms.
"""
_MARGIN = 1.5


class WordIndex:
    """Texts of rows in several fields. Additions and removals show after `publish`.

    A commit takes some 50 ms, however little has changed, so writes are best
    batched. One thread writes (`add`, `remove`, `commit`); `publish` and `search` are
    for the caller to keep apart. Writing and publishing raise `StoreError` when the temporary
    files are gone or the disk is full; the index is then to be made again.

    Args:
        fields: The text fields, with how they are analysed.
        stored: A folder written by `save`, whose content is taken over.

    Attributes:
        fields: The text fields as given.
    """

    def __init__(self, fields: Mapping[str, TextAnalysis], stored: Path | None = None) -> None:
        import tantivy

        self._tantivy = tantivy
        self.fields = dict(fields)
        # Tantivy restricts the names of fields, so they go by number.
        self._fields = {name: f"text{number}" for number, name in enumerate(fields)}
        self._scratch = ScratchFolder("words")
        self._folder = self._scratch.path
        if stored is not None:
            shutil.copytree(stored, self._folder, dirs_exist_ok=True)
        builder = tantivy.SchemaBuilder().add_unsigned_field(_ROW, indexed=True, fast=True)
        for field in self._fields.values():
            builder = builder.add_text_field(field, tokenizer_name=field, index_option="freq")
        self._schema = builder.build()
        self._index = tantivy.Index(self._schema, path=str(self._folder), reuse=stored is not None)
        for name, field in self._fields.items():
            self._index.register_tokenizer(field, analyzer(self.fields[name]))
        self._index.config_reader(reload_policy="manual")
        self._index.reload()
        self._writer: Any = None
        self._changed = self._committed = False
        self._searcher = self._index.searcher()

    def close(self) -> None:
        """Give up the index and its files, whatever state they are in."""
        try:
            self._stop_writing()
        except StoreError as error:
            logger.debug("the words were given up unwritten: %s", error)
        self._scratch.close()

    def add(self, row: int, texts: Mapping[str, str]) -> None:
        """Add a row's texts by field; other fields are ignored."""
        document = self._tantivy.Document()
        for name, field in self._fields.items():
            if texts.get(name):
                document.add_text(field, segmented(texts[name]))
        if document.num_fields:
            document.add_unsigned(_ROW, row)
            with self._failures():
                self._writing().add_document(document)

    def remove(self, rows: Sequence[int]) -> None:
        """Remove the texts of rows, where they have any."""
        if rows:
            # Not by term: Tantivy's binding does nothing for terms of unsigned fields.
            gone = self._tantivy.Query.term_set_query(self._schema, _ROW, list(rows))
            with self._failures():
                self._writing().delete_documents_by_query(gone)

    def commit(self) -> None:
        """Make what was added and removed ready for `publish`."""
        if self._changed:
            with self._failures():
                self._writer.commit()
            self._changed, self._committed = False, True

    def publish(self) -> None:
        """Let searches see what was committed."""
        if self._committed:
            with self._failures():
                self._index.reload()
            self._searcher = self._index.searcher()
            self._committed = False

    def search(
        self, field: str, query: str, k: int, allowed: Mask, count: int
    ) -> tuple[NDArray[np.int64], Vectors]:
        """Return the rows and BM25 scores of the k best, best first.

        Args:
            field: Name of a text field.
            query: Any text; it has no syntax.
            k: At least 1.
            allowed: (rows,) bool: the rows that may be returned.
            count: How many rows are allowed.
        """
        documents = self._searcher.num_docs
        asked = self._any_of(field, query)
        if asked is None or not documents or not count:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        # As many as should hold k allowed ones; where the words and the filter avoid each other,
        # it takes more.
        limit = min(documents, math.ceil(_MARGIN * k * len(allowed) / count) + 10)
        if count <= _ROWS_A_HIT * limit:
            rows = np.flatnonzero(allowed)
            every = self.scores(field, query, rows)
            matching = np.flatnonzero(~np.isnan(every))
            best = matching[np.argsort(-every[matching], kind="stable")[:k]]
            return rows[best], every[best]
        while True:
            hits = self._searcher.search(asked, limit, count=False).hits
            rows = self._searcher.fast_field_values(_ROW, [address for _, address in hits])
            found = np.array(rows, np.int64)
            keep = np.flatnonzero(allowed[found])[:k]
            if len(keep) == k or len(hits) < limit or limit == documents:
                scores = np.array([score for score, _ in hits], np.float32)
                return found[keep], scores[keep]
            share = max(len(keep), 1) / limit
            limit = min(documents, max(4 * limit, math.ceil(_MARGIN * k / share)))

    def scores(self, field: str, query: str, rows: NDArray[np.int64]) -> Vectors:
        """Return (n,) BM25 scores of rows, NaN where no word matches.

        Args:
            field: Name of a text field.
            query: Any text; it has no syntax.
            rows: (n,) row numbers; a negative one is no row.
        """
        found = np.full(len(rows), np.nan, np.float32)
        wanted = rows[rows >= 0].tolist()
        asked = self._any_of(field, query)
        if asked is None or not wanted or not self._searcher.num_docs:
            return found
        query_of, must = self._tantivy.Query, self._tantivy.Occur.Must
        among = query_of.const_score_query(query_of.term_set_query(self._schema, _ROW, wanted), 0.0)
        both = query_of.boolean_query([(must, among), (must, asked)])
        hits = self._searcher.search(both, len(wanted), count=False).hits
        numbers = self._searcher.fast_field_values(_ROW, [address for _, address in hits])
        by_row = {row: score for row, (score, _) in zip(numbers, hits, strict=True)}
        return np.array([by_row.get(row, np.nan) for row in rows.tolist()], np.float32)

    def save(self, folder: Path) -> None:
        """Copy everything that was committed into a new folder."""
        self._stop_writing()
        shutil.copytree(self._folder, folder, ignore=shutil.ignore_patterns(".tantivy-*"))

    def _any_of(self, field: str, query: str) -> Any:
        """Return a query for any of the terms of a text; None if it has none."""
        found = query_terms(query, self.fields[field])
        if not found:
            return None
        should = self._tantivy.Occur.Should
        return self._tantivy.Query.boolean_query(
            [
                (should, self._tantivy.Query.term_query(self._schema, self._fields[field], term))
                for term in found
            ]
        )

    def _writing(self) -> Any:
        if self._writer is None:
            self._writer = self._index.writer(heap_size=_WRITER_BYTES, num_threads=1)
        self._changed = True
        return self._writer

    def _stop_writing(self) -> None:
        """End the writer and its merges, after which the files stand still."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with self._failures():
                writer.commit()
                writer.wait_merging_threads()

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except ValueError as error:  # all that Tantivy raises
            raise StoreError(
                f"the word index cannot be written ({error!s:.200})",
                where=str(self._folder),
                hint="Free some space in the temporary folder, or set TMPDIR to another one.",
            ) from error
