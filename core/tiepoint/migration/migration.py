"""The migration of a store: make the next data beside the old, follow what is written, switch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

from tiepoint.assembly import Assembly
from tiepoint.config.models import Deployment
from tiepoint.encoders.cache import EmbeddingCache, RefreshedCache
from tiepoint.errors import InputError, StoreError, TiepointError
from tiepoint.index.base import Row
from tiepoint.index.embedded import generation_folder
from tiepoint.migration.origin import Origin, open_origin
from tiepoint.migration.plan import CollectionPlan, check_space, plan_of
from tiepoint.migration.rebuild import Rebuilder
from tiepoint.migration.successor import Successor
from tiepoint.types import Skipped

Missing = Literal["refuse", "keep", "drop"]
"""What becomes of an item of which a vector cannot be made: nothing is switched; it is kept
without that vector; it is left out."""

Progress = Callable[[int, int], None]
"""Told how many items are done, and how many there are."""

_ATTEMPTS = 50


@dataclass(slots=True)
class CollectionReport:
    """What became of one collection.

    Attributes:
        collection: Its name.
        items: Items that the migrated collection holds.
        encoded: Parts that went through an encoder, in this run.
        cached: Parts whose vector came from the embedding cache, in this run.
        reused: Vectors that were taken over from the store, in this run.
        resumed: Items that an earlier run had done.
        kept_without: Items that are kept without a vector that could not be made.
        dropped: Items that are left out since a vector could not be made.
    """

    collection: str
    items: int = 0
    encoded: int = 0
    cached: int = 0
    reused: int = 0
    resumed: int = 0
    kept_without: int = 0
    dropped: int = 0


@dataclass(slots=True)
class MigrationReport:
    """What a migration did.

    Attributes:
        switched: Whether the migrated data serve now; False where there was nothing to migrate.
        collections: What became of each collection.
        missing: Items of which a vector could not be made, and why.
        seconds: How long it took.
    """

    switched: bool = False
    collections: list[CollectionReport] = field(default_factory=list)
    missing: list[Skipped] = field(default_factory=list)
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data, in the documented shape of `index --migrate --json`."""
        return asdict(self)


class MissingItemsError(InputError):
    """Items of which a vector cannot be made; nothing was switched.

    Attributes:
        missing: The items, and why.
    """

    def __init__(self, missing: Sequence[Skipped]) -> None:
        first = missing[0]
        others = f" (+ {len(missing) - 1} more)" if len(missing) > 1 else ""
        super().__init__(
            f"nothing was switched, as it cannot be encoded again: {first.reason}{others}",
            where=f"item {first.where}",
            hint="Bring the files back, or choose --missing keep (without the vector) or "
            "--missing drop (without the item).",
        )
        self.missing = list(missing)


def migrate(
    deployment: Deployment,
    *,
    missing: Missing = "refuse",
    reencode: bool = False,
    progress: Progress | None = None,
) -> MigrationReport:
    """Bring a deployment's store to the encoders, the aligner and the fields that it names.

    The stored data serve until all is done; then the migrated ones take their place at once.
    What is written meanwhile is followed. A run that was killed is continued by another.

    Args:
        deployment: What is wanted; its store holds what there is.
        missing: What becomes of items of which a vector cannot be made.
        reencode: Whether parts are encoded again though their encoder is the same: for an
            encoder whose vectors have drifted.
        progress: Told of items done.

    Raises:
        MissingItemsError: Items cannot be encoded again, and `missing` is `refuse`.
        InputError: There is no store, or something stored has no place in the deployment.
        StoreOwnedError: Another process holds the store and takes no calls.
        StoreError: The disk is too small, or the store failed.
    """
    started = perf_counter()
    report = MigrationReport()
    assembly = Assembly(deployment)
    origin = open_origin(deployment.store.uri)
    try:
        plans = plan_of(origin.schemas, assembly.layouts, reencode=reencode)
        if reencode or any(plan.changed for plan in plans.values()):
            cache = RefreshedCache() if reencode else EmbeddingCache()
            try:
                work = _Migration(deployment, origin, plans, cache, missing, reencode, progress)
                work.run(report)
            finally:
                cache.close()
    finally:
        origin.close()
    report.seconds = perf_counter() - started
    return report


class _Migration:
    def __init__(
        self,
        deployment: Deployment,
        origin: Origin,
        plans: Mapping[str, CollectionPlan],
        cache: EmbeddingCache,
        missing: Missing,
        reencode: bool,
        progress: Progress | None,
    ) -> None:
        self.deployment = deployment
        self.origin = origin
        self.folder = Path(deployment.store.uri).expanduser().absolute()
        self.generation = origin.generation + 1
        self.rebuilders = {name: Rebuilder(plan, cache) for name, plan in plans.items()}
        self.plans = plans
        self.missing = missing
        self.reencode = reencode
        self.progress = progress
        self.counts = {name: origin.count(name) for name in plans}
        self.reports = {name: CollectionReport(name) for name in plans}
        self.seen = dict.fromkeys(plans, 0)
        self.problems: dict[str, dict[str, str]] = {name: {} for name in plans}

    def run(self, report: MigrationReport) -> None:
        """Migrate, and note in the report what was done."""
        successor = Successor(
            generation_folder(self.folder, self.generation),
            {name: plan.layout.schema for name, plan in self.plans.items()},
            reencode=self.reencode,
        )
        try:
            self._check(successor)
            self._follow_and_switch(successor)
        finally:
            successor.close()
        report.switched = True
        report.collections = list(self.reports.values())
        report.missing = self._listed()

    def _check(self, successor: Successor) -> None:
        """Refuse what cannot end well; nothing is left of a migration that had not begun."""
        try:
            self._check_space(successor)
            if self.missing == "refuse":
                self._refuse_lost_files(successor)
        except TiepointError:
            if not any(map(len, successor.collections.values())):
                successor.discard()
            raise

    def _check_space(self, successor: Successor) -> None:
        open_items = {
            name: max(0, self.counts[name] - len(collection))
            for name, collection in successor.collections.items()
        }
        check_space(self.folder, self.plans, open_items)

    def _refuse_lost_files(self, successor: Successor) -> None:
        """Look for the files before hours of encoding."""
        for name, rebuilder in self.rebuilders.items():
            if not rebuilder.reads_files:
                continue
            after = 0
            while page := self.origin.rows(name, after, (), rebuilder.page):
                after = page[-1][0]
                rows = [row for _, row in page if isinstance(row, Row)]
                done = successor.collections[name].digests([row.id for row in rows])
                for row in rows:
                    lost = rebuilder.lost_file(row)
                    if lost is not None and (row.id not in done or not done[row.id]):
                        self.problems[name][row.id] = f"{lost}: no such file"
        self._refuse_problems()

    def _refuse_problems(self) -> None:
        if listed := self._listed():
            raise MissingItemsError(listed)

    def _listed(self) -> list[Skipped]:
        return [
            Skipped(item, reason)
            for problems in self.problems.values()
            for item, reason in problems.items()
        ]

    def _follow_and_switch(self, successor: Successor) -> None:
        for _ in range(_ATTEMPTS):
            for name in self.plans:
                self._follow(name, successor)
                self._forget_deleted(name, successor)
            if self.missing == "refuse":
                self._refuse_problems()
            for name, collection in successor.collections.items():
                self.reports[name].items = len(collection)
            successor.close()
            if self.origin.switch(self.deployment, self.generation, self.seen):
                return
            successor.open()
        raise StoreError(
            "the store is written to faster than the migration can follow",
            where=str(self.folder),
            hint="Pause what writes, and run the migration again; it goes on where it was.",
        )

    def _follow(self, name: str, successor: Successor) -> None:
        """Take over what the old collection has beyond what was seen of it."""
        rebuilder = self.rebuilders[name]
        reused, most = rebuilder.plan.reused, rebuilder.page
        while page := self.origin.rows(name, self.seen[name], reused, most):
            rows = [row for _, row in page if isinstance(row, Row)]
            deleted = [row for _, row in page if isinstance(row, str)]
            for item in [*deleted, *(row.id for row in rows)]:
                self.problems[name].pop(item, None)
            self._write(name, rows, successor)
            if deleted:
                successor.collections[name].delete(deleted)
            self.seen[name] = page[-1][0]
            if self.progress is not None:
                total = sum(self.counts.values())
                done = sum(map(len, successor.collections.values()))
                self.progress(min(done, total), total)

    def _write(self, name: str, old: Sequence[Row], successor: Successor) -> None:
        collection, rebuilder = successor.collections[name], self.rebuilders[name]
        report = self.reports[name]
        done = collection.digests([row.id for row in old])
        due = [row for row in old if not done.get(row.id) or done[row.id] != rebuilder.digest(row)]
        report.resumed += len(old) - len(due)
        made = rebuilder.rebuild(due)
        report.encoded += made.encoded
        report.cached += made.cached
        report.reused += made.reused
        self.problems[name] |= made.problems
        if self.missing == "keep":
            collection.write(made.rows)
        else:
            collection.write([row for row in made.rows if row.id not in made.problems])
            collection.delete(list(made.problems))

    def _forget_deleted(self, name: str, successor: Successor) -> None:
        """Delete what is gone from the old collection: its tombstones may be gone as well."""
        collection, report = successor.collections[name], self.reports[name]
        problems = self.problems[name]
        left_out = 0 if self.missing == "keep" else len(problems)
        if len(collection) + left_out != self.origin.count(name):
            kept = self.origin.ids(name)
            collection.delete([item for item in collection.ids() if item not in kept])
            for item in problems.keys() - kept:
                del problems[item]
        report.kept_without = len(problems) if self.missing == "keep" else 0
        report.dropped = len(problems) if self.missing == "drop" else 0
