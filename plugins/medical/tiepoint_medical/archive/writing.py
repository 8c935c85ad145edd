"""Cases on their way into a collection, in batches that go on where they ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from tiepoint.ingest import Target
from tiepoint.sequences.volumes import Sliced
from tiepoint.types import AddReport, Item, MetadataValue, Skipped
from tiepoint_medical.archive.incoming import Incoming, Views
from tiepoint_medical.deid.scrubbing import Scrubber, words_of
from tiepoint_medical.site import Site

_BATCH = 1024
"""Cases that are added together: so many that an engine with workers has something to spread."""


@dataclass
class IngestReport:
    """What became of a batch.

    Attributes:
        added: Cases that were written.
        known: Cases that an earlier run of the same job had written.
        without_report: Of those added, how many have no report.
        skipped: Inputs left out, by number of the batch and reason; places only where the
            caller shows them to who gave them.
        warnings: What could not be read of reports, or is odd about studies, with how often.
    """

    added: int = 0
    known: int = 0
    without_report: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    warnings: dict[str, int] = field(default_factory=dict)


def ingest(
    site: Site,
    target: Target,
    incoming: Iterable[Incoming | Skipped],
    job: str = "ingest",
    progress: Callable[[IngestReport], None] | None = None,
) -> IngestReport:
    """Add cases; what an earlier run of the job has added is passed over.

    A case whose report or slices came later, or were corrected, is written again. Only
    pseudonyms, scrubbed reports and findings are stored: no path, no identifier.

    Args:
        site: Whose pseudonyms and records.
        target: A host, or the process that holds the store.
        incoming: Images with reports, or what could not be read of them.
        job: Names the batch, so that it goes on where it ended.
        progress: Called with what is done so far, as cases become durable.
    """
    report = IngestReport()
    done = set(site.records.done(job))
    batch: dict[str, Item] = {}
    parts: dict[str, str] = {}

    def under_way(so_far: AddReport) -> None:
        if progress is not None:
            finished = so_far.added + so_far.unchanged
            progress(replace(report, added=report.added + finished))

    def write() -> None:
        added = target.add(
            batch.values(), collection=site.config.collection, strict=False, progress=under_way
        )
        failed = {skipped.where for skipped in added.skipped}
        good = [id for id in batch if id not in failed]
        report.added += len(good)
        report.without_report += sum("report" not in batch[id].parts for id in good)
        report.skipped += added.skipped
        written = [parts[id] for id in good]
        site.records.finish(job, written, "done")
        done.update(written)
        site.records.finish(job, sorted(failed & parts.keys()), "skipped", "not readable")
        batch.clear()
        if progress is not None:
            progress(report)

    for one in incoming:
        if isinstance(one, Skipped):
            report.skipped.append(one)
            continue
        id = site.pseudonyms("image", one.image_id)
        parts[id] = f"{id}.{site.pseudonyms('content', one.state)}"
        if parts[id] in done:
            report.known += 1
            continue
        batch[id] = _item(site, target, id, one, report)
        if len(batch) >= _BATCH:
            write()
    if batch:
        write()
    counts = {"added": report.added, "skipped": len(report.skipped)}
    site.records.note(site.user, "ingested", job, counts)
    return report


def _item(site: Site, target: Target, id: str, one: Incoming, report: IngestReport) -> Item:
    text = Scrubber(words_of(one.identifiers)).scrub(one.report).strip()
    read = site.reader.read(text)
    for warning in (*one.warnings, *(read.warnings if text else ())):
        report.warnings[warning] = report.warnings.get(warning, 0) + 1
    profile = read.profile
    parts: dict[str, Any] = {}
    if one.image is not None:
        parts["image"] = one.image if isinstance(one.image, Sliced) else Views((one.image,))
    if text:
        parts["report"] = text
    vector = site.space.vector(profile)
    if vector is not None:
        parts["findings"] = vector
    metadata: dict[str, MetadataValue] = {
        "patient": site.pseudonyms("patient", one.patient),
        "study": site.pseudonyms("study", one.study),
    }
    for status in ("present", "absent", "uncertain"):
        metadata[status] = [key for key, stated in profile.items() if stated == status]
    declared = target.deployment.collections[site.config.collection].metadata
    metadata |= {name: told for name, told in one.details.items() if name in declared}
    return Item(
        id,
        metadata={name: value for name, value in metadata.items() if value},
        parts=parts,
    )
