"""Stored rows made anew for other encoders or another aligner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tiepoint.digests import content_part, row_digest, stamp_of
from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.encoders.cache import EmbeddingCache
from tiepoint.encoders.pipeline import encode_parts
from tiepoint.index.base import Row
from tiepoint.migration.plan import CollectionPlan
from tiepoint.routes import PartField
from tiepoint.types import TEXT

_PAGE = 256
_PAGE_WITHOUT_ENCODING = 2048

_UNKEPT = "it was given in memory, and only its vector was stored"


@dataclass(slots=True)
class Rebuilt:
    """Rows made anew.

    Attributes:
        rows: One for each old row, in their order; one with a problem lacks a vector.
        problems: Why vectors could not be made, by id.
        encoded: Parts that went through an encoder.
        cached: Parts whose vector came from the embedding cache.
        reused: Vectors that were taken over from the store.
    """

    rows: list[Row]
    problems: dict[str, str] = field(default_factory=dict)
    encoded: int = 0
    cached: int = 0
    reused: int = 0


class Rebuilder:
    """Makes the rows of one collection anew.

    Args:
        plan: What becomes of the collection.
        cache: Vectors of parts that were encoded before, or None.
    """

    def __init__(self, plan: CollectionPlan, cache: EmbeddingCache | None) -> None:
        self.plan = plan
        self._cache = cache
        self._stamp = stamp_of(plan.layout.schema)

    def digest(self, old: Row) -> str:
        """Return the digest that an old row's successor will have; empty if not known."""
        return row_digest(self._stamp, content_part(old.digest))

    @property
    def page(self) -> int:
        """How many rows are best made anew together."""
        return _PAGE if self._encoded_fields() else _PAGE_WITHOUT_ENCODING

    @property
    def reads_files(self) -> bool:
        """Whether parts that are files are encoded again."""
        return any(encoded.modality != TEXT for _, encoded in self._encoded_fields())

    def lost_file(self, old: Row) -> str | None:
        """Return the path of a file that must be read again and is not there."""
        for name, encoder_field in self._encoded_fields():
            path = old.parts.get(name)
            if path is not None and encoder_field.modality != TEXT and not _is_there(path):
                return path
        return None

    def rebuild(self, old: Sequence[Row]) -> Rebuilt:
        """Return rows with the vectors that are wanted; the rest of them is as it was."""
        made = Rebuilt([Row(row.id, {}, row.metadata, row.parts, self.digest(row)) for row in old])
        for part_field in self.plan.layout.fields.values():
            if part_field.name in self.plan.reused:
                self._take_over(part_field, old, made)
            elif part_field.encoder is not None:
                self._encode(part_field, part_field.encoder, old, made)
        for row in made.rows:
            if row.id in made.problems:
                row.digest = ""  # so that `index` writes it again when its file is back
        return made

    def _encoded_fields(self) -> list[tuple[str, PartField]]:
        fields = self.plan.layout.fields.items()
        return [(n, f) for n, f in fields if f.encoder is not None and n not in self.plan.reused]

    def _take_over(self, part_field: PartField, old: Sequence[Row], made: Rebuilt) -> None:
        name = part_field.name
        holders = [i for i, row in enumerate(old) if name in row.vectors]
        if holders:
            made.reused += len(holders)
            self._place(
                part_field, made, holders, np.stack([old[i].vectors[name] for i in holders])
            )

    def _encode(
        self, part_field: PartField, encoder: Encoder, old: Sequence[Row], made: Rebuilt
    ) -> None:
        name = part_field.name
        for row in old:
            if name in row.vectors and name not in row.parts:
                made.problems[row.id] = f"{name}: {_UNKEPT}"
        holders = [i for i, row in enumerate(old) if name in row.parts]
        if not holders:
            return
        parts = [old[i].parts[name] for i in holders]
        encoded = encode_parts(encoder, parts, part_field.modality, self._cache)
        made.encoded += encoded.encoded
        made.cached += encoded.cached
        for at, problem in encoded.errors.items():
            made.problems[old[holders[at]].id] = f"{name}: {problem}"
        good = [at for at in range(len(holders)) if at not in encoded.errors]
        if good:
            self._place(part_field, made, [holders[at] for at in good], encoded.vectors[good])

    def _place(
        self, part_field: PartField, made: Rebuilt, holders: Sequence[int], vectors: Vectors
    ) -> None:
        spaces = self.plan.layout.spaces(part_field, vectors)
        for position, i in enumerate(holders):
            for name, values in spaces.items():
                made.rows[i].vectors[name] = values[position]


def _is_there(path: str) -> bool:
    # A part may be a range of a file: `talk.mp4#t=10,20`.
    return Path(path).exists() or Path(path.rpartition("#")[0] or path).exists()
