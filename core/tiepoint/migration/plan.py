"""What a migration does to each field: take over the vectors, or encode the parts again."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tiepoint.errors import SchemaError, StoreError
from tiepoint.index.base import CollectionSchema
from tiepoint.index.milvus_layout import Layout as MilvusRows
from tiepoint.routes import GIVEN, JOINT_SUFFIX, Layout

_TIER_SHARE = 1.5
"""The snapshot and the words of a collection, relative to its rows."""


@dataclass(frozen=True, slots=True)
class CollectionPlan:
    """What becomes of one collection.

    Attributes:
        old: What is stored.
        layout: What is wanted.
        reused: The fields whose stored vectors are taken over.
    """

    old: CollectionSchema
    layout: Layout
    reused: frozenset[str]

    @property
    def changed(self) -> bool:
        """Whether anything that is stored is not what is wanted."""
        wanted = self.layout.schema
        return (
            set(self.old.vectors) != set(wanted.vectors)
            or set(self.old.texts) != set(wanted.texts)
            or dict(self.old.metadata) != dict(wanted.metadata)
        )


def plan_of(
    old: Mapping[str, CollectionSchema], layouts: Mapping[str, Layout], *, reencode: bool
) -> dict[str, CollectionPlan]:
    """Return what becomes of each stored collection.

    Args:
        old: The stored collections.
        layouts: The wanted ones.
        reencode: Whether vectors are encoded again though their encoder is the same.

    Raises:
        SchemaError: Something that is stored has no place in what is wanted.
    """
    for name in old:
        if name not in layouts:
            raise SchemaError(
                f"the store holds a collection {name!r} that the deployment does not name",
                where="collections",
                hint="Name it; a migration loses nothing.",
            )
    return {name: _collection_plan(old[name], layouts[name], reencode) for name in old}


def _collection_plan(old: CollectionSchema, layout: Layout, reencode: bool) -> CollectionPlan:
    where = f"collections.{old.name}"
    for name, kind in old.metadata.items():
        if layout.schema.metadata.get(name) != kind:
            raise SchemaError(
                f"the stored metadata {name!r} ({kind}) have no place in the deployment",
                where=f"{where}.metadata",
                hint=f"Declare `{name}: {kind}`.",
            )
    wanted = {vector.name: vector for vector in layout.schema.vectors}
    for vector in old.vectors:
        derived = vector.name.removesuffix(JOINT_SUFFIX)
        if vector.name not in wanted and (derived == vector.name or derived not in layout.fields):
            raise SchemaError(
                f"the stored vectors of field {vector.name!r} have no place in the deployment",
                where=f"{where}.fields",
                hint="Name the field, with an encoder or with `dimensions`.",
            )
        given = vector.fingerprint == GIVEN
        if given and wanted[vector.name] != vector:
            raise SchemaError(
                f"the vectors of field {vector.name!r} were given and cannot be made anew",
                where=f"{where}.fields.{vector.name}",
                hint=f"Keep `dimensions: {vector.dim}`.",
            )
    reused = {
        vector.name
        for vector in old.vectors
        if vector.name in layout.fields
        and vector in layout.schema.vectors
        and (not reencode or vector.fingerprint == GIVEN)
    }
    return CollectionPlan(old, layout, frozenset(reused))


def check_space(
    folder: Path, plans: Mapping[str, CollectionPlan], items: Mapping[str, int]
) -> None:
    """Make sure that the migrated data fit beside the old ones, as far as can be told.

    Args:
        folder: Where they will lie.
        plans: What becomes of each collection.
        items: How many items of each are still to be written.

    Raises:
        StoreError: They do not.
    """
    needed = sum(
        items[name] * MilvusRows(plan.layout.schema, embedded=True).row_bytes() * (1 + _TIER_SHARE)
        for name, plan in plans.items()
    )
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise StoreError(
            f"the migrated data need about {needed / 2**30:.1f} GiB beside the old ones, and "
            f"{free / 2**30:.1f} GiB are free",
            where=str(folder),
            hint="Free some space; nothing was changed.",
        )
