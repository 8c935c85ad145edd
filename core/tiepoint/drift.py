"""The drift canary: whether encoders still give the vectors that are stored.

A fingerprint names what an encoder was made of, not what a machine makes of it. A library that
resizes pictures otherwise, or a runtime that computes otherwise, leaves it as it is and gives
vectors that the stored ones can no longer be compared with. So a few stored items are encoded
again, and compared.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tiepoint.digests import content_of, content_part
from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.encoders.cache import digest
from tiepoint.encoders.pipeline import encode_parts
from tiepoint.errors import DecodeError, TiepointError
from tiepoint.index.collection import Collection
from tiepoint.routes import Layout, PartField
from tiepoint.types import TEXT, MetadataValue

logger = logging.getLogger(__name__)

TOLERANCE = 2e-5
"""Largest cosine distance that is no drift. Measured with the `fast` image encoder: another
runtime 2e-7, the same filter of another image library 1e-4, another filter 2e-3 to 7e-3."""

ITEMS = 4
"""Items that are encoded again for each field."""

_LOOKED_AT = 32
_LARGEST_FILE_BYTES = 8 << 20

_Stored = Mapping[str, tuple[Mapping[str, MetadataValue], Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class FieldDrift:
    """How far an encoder has come from what is stored of one field.

    Attributes:
        collection: The collection.
        field: The vector field.
        items: How many items were encoded again; 0 if none was there to be.
        distance: The largest cosine distance from the stored to the new vector, 0 to 2.
        status: `ok`, `drifted`, or `unchecked` where no stored item can be encoded again.
    """

    collection: str
    field: str
    items: int
    distance: float
    status: str


class Canary:
    """Compares a few stored items with what the encoders give now, once.

    Args:
        layouts: The collections' fields, by the collection's name.
        collections: The open collections.
    """

    def __init__(
        self, layouts: Mapping[str, Layout], collections: Mapping[str, Collection]
    ) -> None:
        self._layouts = layouts
        self._collections = collections
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._found: list[FieldDrift] | None = None
        self._failure: str | None = None

    def start(self) -> None:
        """Look in the background. Idempotent."""
        with self._lock:
            if self._thread is None and not self._closing:
                self._thread = threading.Thread(
                    target=self._look, name="tiepoint-canary", daemon=True
                )
                self._thread.start()

    def wait(self) -> None:
        """Look, if that was not done, and return when it is."""
        self.start()
        if self._thread is not None:
            self._thread.join()

    def close(self) -> None:
        """Look no further; returns when the collections are no longer used. Idempotent."""
        with self._lock:
            self._closing = True
            thread = self._thread
        if thread is not None:
            thread.join()

    def report(self) -> dict[str, Any]:
        """Return what `health` shows.

        `status` is `not looked yet`, `looking`, `failed` (with `reason`), `drifted`, `ok`, or
        `unchecked` where no field has an item that can be encoded again; `fields` says so of
        each field.
        """
        found = self._found
        if found is None:
            if self._failure is not None:
                return {"status": "failed", "reason": self._failure}
            return {"status": "looking" if self._thread is not None else "not looked yet"}
        states = {drift.status for drift in found}
        status = next((s for s in ("drifted", "ok") if s in states), "unchecked")
        return {
            "status": status,
            "tolerance": TOLERANCE,
            "fields": [asdict(drift) for drift in found],
        }

    def _look(self) -> None:
        try:
            found = [
                drift
                for name, layout in self._layouts.items()
                for drift in self._drifts(layout, self._collections[name])
            ]
        except Exception as error:  # noqa: BLE001 - foreign encoders may raise anything
            self._failure = f"{type(error).__name__}: {error}"
            logger.warning("the drift of encoders cannot be told: %s", self._failure)
            return
        for drift in found:
            if drift.status == "drifted":
                logger.warning("%s", _warning(drift))
        self._found = found

    def _drifts(self, layout: Layout, collection: Collection) -> Iterator[FieldDrift]:
        ids = collection.ids(_LOOKED_AT)
        stored = collection.get(ids)
        digests = collection.digests(ids)
        for part_field in layout.fields.values():
            if part_field.encoder is not None and not self._closing:
                chosen = _usable(part_field, layout, stored, digests)
                yield from _field_drifts(part_field, part_field.encoder, layout, collection, chosen)


def _usable(
    part_field: PartField, layout: Layout, stored: _Stored, digests: Mapping[str, str]
) -> dict[str, str]:
    """Return up to `ITEMS` parts by id that are, for certain, what was encoded."""
    chosen: dict[str, str] = {}
    for item, (metadata, parts) in stored.items():
        if len(chosen) == ITEMS:
            break
        if part_field.name in parts and (
            part_field.modality == TEXT
            or _unchanged(part_field, layout, parts, metadata, digests.get(item, ""))
        ):
            chosen[item] = parts[part_field.name]
    return chosen


def _unchanged(
    part_field: PartField,
    layout: Layout,
    parts: Mapping[str, str],
    metadata: Mapping[str, MetadataValue],
    stored: str,
) -> bool:
    """Whether an item's files are those that were indexed, by the hash of its content."""
    try:
        if Path(parts[part_field.name]).stat().st_size > _LARGEST_FILE_BYTES:
            return False
        hashes = {
            name: digest(part, layout.fields[name].modality)
            for name, part in parts.items()
            if name in layout.fields
        }
    except (OSError, DecodeError):
        return False
    return content_of(hashes, metadata, layout.schema) == content_part(stored)


def _field_drifts(
    part_field: PartField,
    encoder: Encoder,
    layout: Layout,
    collection: Collection,
    chosen: Mapping[str, str],
) -> Iterator[FieldDrift]:
    ids = list(chosen)
    encoded = encode_parts(encoder, list(chosen.values()), part_field.modality)
    good = [at for at in range(len(ids)) if at not in encoded.errors]
    kept = [ids[at] for at in good]
    spaces = layout.spaces(part_field, encoded.vectors[good])
    for name, vectors in spaces.items():
        yield _drift(collection, name, kept, vectors)


def _drift(collection: Collection, field: str, ids: Sequence[str], vectors: Vectors) -> FieldDrift:
    similarities = np.array(
        [
            collection.similarities(field, vector, [item])[0]
            for item, vector in zip(ids, vectors, strict=True)
        ],
        np.float64,
    )
    known = similarities[np.isfinite(similarities)]
    if not len(known):
        return FieldDrift(collection.schema.name, field, 0, 0.0, "unchecked")
    distance = max(0.0, float(1 - known.min()))
    status = "drifted" if distance > TOLERANCE else "ok"
    return FieldDrift(collection.schema.name, field, len(known), distance, status)


def _warning(drift: FieldDrift) -> str:
    return str(
        TiepointError(
            f"the encoder no longer gives the stored vectors of field {drift.field!r}: of "
            f"{drift.items} items encoded again, one is {drift.distance:.2g} away (cosine "
            f"distance; {TOLERANCE:g} is tolerated), though the fingerprint is the same",
            where=f"collection {drift.collection!r}",
            hint="Install the versions of the libraries that it was indexed with, or run "
            "`tiepoint index CONFIG --migrate --reencode`.",
        )
    )
