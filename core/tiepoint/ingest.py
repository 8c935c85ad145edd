"""From a source into a collection: what was read, written, left as it was, and left out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from inspect import signature
from time import perf_counter
from typing import Any, Protocol, runtime_checkable

from tiepoint import registry
from tiepoint.config.collections import MetadataType
from tiepoint.config.models import Deployment, SourceSection
from tiepoint.errors import ConfigError, InputError
from tiepoint.types import AddReport, Item, MetadataValue, Skipped

_LOOKED_UP = 1000


class Target(Protocol):
    """What takes items: a host, or another process's through `RemoteHost`."""

    @property
    def deployment(self) -> Deployment: ...

    def add(
        self,
        items: Iterable[Item],
        *,
        collection: str,
        strict: bool = True,
        progress: Callable[[AddReport], None] | None = None,
    ) -> AddReport: ...

    def delete(self, ids: Sequence[str], *, collection: str) -> int: ...

    def collection(self, name: str) -> Contents: ...


class Contents(Protocol):
    """What is stored in a collection."""

    def ids(self) -> list[str]: ...

    def get(
        self, ids: Sequence[str]
    ) -> Mapping[str, tuple[Mapping[str, MetadataValue], Mapping[str, str]]]: ...


@runtime_checkable
class OwningSource(Protocol):
    """A source that knows its items again, so that those that it no longer has can be removed."""

    def name_of(self, item: str, parts: Mapping[str, str]) -> str | None:
        """Return what this source calls a stored item, as `Skipped.where` does; None if not its.

        Args:
            item: Its id.
            parts: What is stored of the item's parts.
        """


class Source(Protocol):
    """Where items come from (entry points: `tiepoint.sources`).

    Constructed cheaply with its options from the deployment file, where its paths are absolute.

    Attributes:
        total: How many inputs there are, once the first was asked for; None if unknown.
    """

    total: int | None

    def items(self, metadata: Mapping[str, MetadataType]) -> Iterator[Item | Skipped]:
        """Yield items in a fixed order with the same ids each time, so that a run can resume.

        Args:
            metadata: The types that the collection declares; what a source holds as bare text
                is read as these.

        Raises:
            InputError: The source as a whole cannot be used: missing, empty, or with the same
                id twice. Raised before the first item.
        """


@dataclass(slots=True)
class IngestReport:
    """What one source gave.

    Attributes:
        source: The source's name.
        collection: The collection that took the items.
        added: Items written, new or changed.
        removed: Items that the source no longer has, where it was to be pruned.
        unchanged: Items that were there already, the same.
        encoded: Parts that went through an encoder.
        cached: Parts whose vector came from the embedding cache.
        skipped: What was left out, with reasons.
        seconds: How long it took.
    """

    source: str
    collection: str
    added: int = 0
    removed: int = 0
    unchanged: int = 0
    encoded: int = 0
    cached: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def read(self) -> int:
        """Items that could be read."""
        return self.added + self.unchanged

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data, in the documented shape of `index --json`."""
        return asdict(self)


def build_source(name: str, section: SourceSection, fields: Collection[str]) -> Source:
    """Construct a source of a deployment.

    Args:
        name: Its name under `sources`.
        section: Its part of the deployment file.
        fields: The fields of the collection that takes its items; a source that has a
            parameter `fields` is told.

    Raises:
        PluginError: Its type is unknown or cannot be imported.
        ConfigError: It does not take these options.
    """
    component = registry.load(registry.SOURCES, section.type)
    told = {"fields": fields} if "fields" in signature(component).parameters else {}
    try:
        source: Source = component(**section.options, **told)
    except TypeError as error:
        raise ConfigError(
            f"the source {section.type!r} cannot take these options ({error})",
            where=f"sources.{name}",
            hint="Correct or remove the option.",
        ) from error
    return source


def ingest(
    host: Target,
    name: str,
    source: Source,
    collection: str,
    *,
    strict: bool = False,
    prune: bool = False,
    progress: Callable[[int, int | None], None] | None = None,
) -> IngestReport:
    """Add what a source yields to a collection.

    Items are written batch by batch, each durable before the next, so that a run that was cut
    short is continued by running it again: items that are there unchanged are not written, and
    their vectors come from the cache.

    Args:
        host: An open host.
        name: The source's name, for messages.
        source: What yields the items.
        collection: The collection that takes them.
        strict: Whether an input that cannot be used ends the work; the batch that it was in
            is not written.
        prune: Whether items that came from this source, and that it no longer has, are removed
            at the end; what it has and cannot be read stays.
        progress: Called after each batch with the inputs done, and how many there are.

    Raises:
        InputError: The source as a whole cannot be used, or strict, and an input cannot; or
            prune, and the source does not know its items again or none could be read.
    """
    if prune and not isinstance(source, OwningSource):
        raise InputError(
            "this source cannot tell which stored items are its own",
            where=f"--prune, source {name}",
            hint="Prune folders and catalogues, with --source; delete other items by their ids.",
        )
    seen: set[str] = set()
    report = IngestReport(name, collection)
    started = perf_counter()

    def usable() -> Iterator[Item]:
        for entry in source.items(host.deployment.collections[collection].metadata):
            if isinstance(entry, Item):
                seen.add(entry.id)
                yield entry
            elif strict:
                raise InputError(
                    entry.reason, where=entry.where, hint="Mend it, or go without --strict."
                )
            else:
                report.skipped.append(entry)

    def show(so_far: AddReport) -> None:
        if progress is not None:
            done = so_far.added + so_far.unchanged + len(so_far.skipped) + len(report.skipped)
            progress(done, source.total)

    outcome = host.add(usable(), collection=collection, strict=strict, progress=show)
    report.skipped += outcome.skipped
    report.added, report.unchanged = outcome.added, outcome.unchanged
    report.encoded, report.cached = outcome.encoded, outcome.cached
    if prune and isinstance(source, OwningSource) and report.read:
        stale = _stale(host.collection(collection), source, seen, report.skipped)
        report.removed = host.delete(stale, collection=collection) if stale else 0
    report.seconds = perf_counter() - started
    return report


def _stale(
    contents: Contents, source: OwningSource, seen: set[str], skipped: Sequence[Skipped]
) -> list[str]:
    """Return the ids of the source's items that it did not yield, nor fail to read."""
    unread = [entry.where for entry in skipped]
    exact = set(unread)
    folders = tuple(f"{where}/" for where in unread)
    unseen = [item for item in contents.ids() if item not in seen]
    stale = []
    for start in range(0, len(unseen), _LOOKED_UP):
        for item, (_, parts) in contents.get(unseen[start : start + _LOOKED_UP]).items():
            name = source.name_of(item, parts)
            if name is not None and name not in exact and not name.startswith(folders):
                stale.append(item)
    return stale
