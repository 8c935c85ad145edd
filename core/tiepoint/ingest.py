"""From a source into a collection: what was read, written, left as it was, and left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

from tiepoint import registry
from tiepoint.config.models import MetadataType, SourceSection
from tiepoint.errors import ConfigError, InputError
from tiepoint.types import AddReport, Item, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable

    from tiepoint.host import Host


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
        unchanged: Items that were there already, the same.
        encoded: Parts that went through an encoder.
        cached: Parts whose vector came from the embedding cache.
        skipped: What was left out, with reasons.
        seconds: How long it took.
    """

    source: str
    collection: str
    added: int = 0
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


def build_source(name: str, section: SourceSection) -> Source:
    """Construct a source of a deployment.

    Args:
        name: Its name under `sources`.
        section: Its part of the deployment file.

    Raises:
        PluginError: Its type is unknown or cannot be imported.
        ConfigError: It does not take these options.
    """
    component = registry.load(registry.SOURCES, section.type)
    try:
        source: Source = component(**section.options)
    except TypeError as error:
        raise ConfigError(
            f"the source {section.type!r} cannot take these options ({error})",
            where=f"sources.{name}",
            hint="Correct or remove the option.",
        ) from error
    return source


def ingest(
    host: Host,
    name: str,
    source: Source,
    collection: str,
    *,
    strict: bool = False,
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
        progress: Called after each batch with the inputs done, and how many there are.

    Raises:
        InputError: The source as a whole cannot be used, or strict, and an input cannot.
    """
    report = IngestReport(name, collection)
    started = perf_counter()

    def usable() -> Iterator[Item]:
        for entry in source.items(host.deployment.collections[collection].metadata):
            if isinstance(entry, Item):
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
    report.seconds = perf_counter() - started
    return report
