"""`tiepoint medical ingest`: images and reports into the collection, without identifiers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from tiepoint.cli.output import echo, print_json, say
from tiepoint.cli.progress import progress_of
from tiepoint_medical.cli.opening import opened_service, opened_target

if TYPE_CHECKING:
    from tiepoint.types import Skipped
    from tiepoint_medical.archive.incoming import Incoming

_PATH = click.Path(path_type=Path)


@click.command(epilog="Example: tiepoint medical ingest deployment.yaml ~/studies")
@click.argument("config", type=_PATH)
@click.argument("paths", type=_PATH, nargs=-1)
@click.option("--reports", type=_PATH, help="CSV key,text: reports by accession or study UID.")
@click.option(
    "--from", "address", help="An archive: https://host/dicom-web, dicom://TITLE@host:104."
)
@click.option(
    "--find", multiple=True, metavar="KEY=VALUE", help="Which of its studies, such as PatientID=7."
)
@click.option("--inbox", type=_PATH, help="Keep what --from fetches in this folder.")
@click.option("--metadata", type=_PATH, help="CSV of pictures with reports, instead of DICOM.")
@click.option("--root", type=_PATH, help="Folder of these pictures.")
@click.option("--image-column", default="image", show_default=True, help="The image's file.")
@click.option("--text-column", default="clinical_notes", show_default=True, help="The report.")
@click.option("--group-column", default="patientid", show_default=True, help="The patient.")
@click.option("--job", default="ingest", show_default=True, help="Names the batch, to go on.")
@click.option("--calibrate", is_flag=True, help="Then learn what scores mean.")
@click.option("--strict", is_flag=True, help="Exit code 2 if anything was left out.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def ingest(
    context: click.Context,
    config: Path,
    paths: tuple[Path, ...],
    reports: Path | None,
    address: str | None,
    find: tuple[str, ...],
    inbox: Path | None,
    metadata: Path | None,
    root: Path | None,
    image_column: str,
    text_column: str,
    group_column: str,
    job: str,
    calibrate: bool,
    strict: bool,
    as_json: bool,
) -> None:
    """Take DICOM files and folders, studies of a PACS, or a table into the archive of cases.

    --from asks an archive by DICOMweb or DIMSE for the studies that --find tells, and fetches them.
    A password or token is taken from TIEPOINT_ARCHIVE_PASSWORD or TIEPOINT_ARCHIVE_TOKEN.

    What is stored has pseudonyms instead of identifiers, and no path. A batch that was ended goes
    on when the command is given again. Where a service holds the store, it writes what is encoded
    here; --calibrate needs the store to be free.

    --json: {"added", "known", "without_report", "skipped": [{"where", "reason"}], "warnings"}.
    """
    from tiepoint_adapters.dicom.finding import require_files
    from tiepoint_medical.archive.incoming import from_studies, from_table
    from tiepoint_medical.archive.reports import read_report_table
    from tiepoint_medical.archive.studies import read_studies
    from tiepoint_medical.archive.writing import ingest as taken_in
    from tiepoint_medical.evaluation.cases import Columns, read_cases

    given = [bool(paths), address is not None, metadata is not None]
    if sum(given) != 1 or (metadata is None) != (root is None):
        raise click.UsageError("give DICOM files or folders, or --from, or --metadata with --root")
    if (address is not None) != bool(find) or (inbox is not None and address is None):
        raise click.UsageError("--from needs --find, and --find and --inbox need --from")
    texts = {} if reports is None else read_report_table(reports)
    for path in paths:
        require_files(path)

    def incoming(folders: tuple[Path, ...]) -> Iterator[Incoming | Skipped]:
        for path in folders:
            yield from from_studies(read_studies(path, texts))
        if metadata is not None and root is not None:
            columns = Columns(image_column, text_column, text_column, group_column)
            yield from from_table(read_cases(metadata, root, columns))

    with (
        opened_target(config) as (site, target),
        _fetched(address, find, inbox) as folders,
        progress_of("ingest") as told,
    ):
        cases = incoming((*paths, *folders))
        report = taken_in(site, target, cases, job, lambda so_far: told(so_far.added, None))
    if calibrate:
        with opened_service(config) as service:
            service.calibrate()
    if as_json:
        print_json(
            {
                "added": report.added,
                "known": report.known,
                "without_report": report.without_report,
                "skipped": [{"where": s.where, "reason": s.reason} for s in report.skipped],
                "warnings": report.warnings,
            }
        )
    else:
        echo(
            f"{report.added} cases added ({report.without_report} without a report),"
            f" {report.known} known, {len(report.skipped)} left out"
        )
    for skipped in report.skipped[:20]:
        say(f"left out {skipped.where}: {skipped.reason}")
    for warning, count in report.warnings.items():
        say(f"{count} cases: {warning}")
    if strict and report.skipped:
        context.exit(2)


@contextmanager
def _fetched(
    address: str | None, find: tuple[str, ...], inbox: Path | None
) -> Iterator[tuple[Path, ...]]:
    """Fetch studies of an archive into a folder, which is removed at the end unless it is named."""
    if address is None:
        yield ()
        return
    from tiepoint_adapters.dicom.network.archives import archive_at
    from tiepoint_adapters.dicom.network.inbox import Inbox

    archive = archive_at(address)
    filters = dict(_filter(one) for one in find)
    with TemporaryDirectory(prefix="tiepoint-") as temporary:
        kept = Inbox(inbox or Path(temporary))
        uids = [str(study.StudyInstanceUID) for study in archive.find_studies(**filters)]
        with progress_of("fetch") as told:
            for number, uid in enumerate(uids, 1):
                archive.fetch_study(uid, kept)
                told(number, len(uids))
        say(f"{len(uids)} studies fetched, {len(kept)} objects")
        yield (kept.folder,)


def _filter(text: str) -> tuple[str, str]:
    from pydicom.datadict import tag_for_keyword

    keyword, sign, value = text.partition("=")
    if not sign or not value or tag_for_keyword(keyword) is None:
        raise click.UsageError(f"--find {keyword} is no DICOM keyword with a value (PatientID=7)")
    return keyword, value
