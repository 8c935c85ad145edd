"""`tiepoint medical ingest`: images and reports into the collection, without identifiers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tiepoint.cli.output import echo, print_json, say
from tiepoint.cli.progress import progress_of
from tiepoint_medical.cli.opening import opened_service

if TYPE_CHECKING:
    from tiepoint.types import Skipped
    from tiepoint_medical.archive.incoming import Incoming

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("config", type=_PATH)
@click.argument("paths", type=_PATH, nargs=-1)
@click.option("--reports", type=_PATH, help="CSV key,text: reports by accession or study UID.")
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
    """Take DICOM files and folders, or a table of pictures, into the archive of cases.

    What is stored has pseudonyms instead of identifiers, and no path. A batch that was ended goes
    on when the command is given again.

    --json: {"added", "known", "without_report", "skipped": [{"where", "reason"}], "warnings"}.
    """
    from tiepoint_medical.archive.incoming import from_studies, from_table
    from tiepoint_medical.archive.reports import read_report_table
    from tiepoint_medical.archive.studies import read_studies
    from tiepoint_medical.evaluation.cases import Columns, read_cases

    if bool(paths) == (metadata is not None) or (metadata is None) != (root is None):
        raise click.UsageError("give DICOM files or folders, or --metadata with --root")
    texts = {} if reports is None else read_report_table(reports)

    def incoming() -> Iterator[Incoming | Skipped]:
        for path in paths:
            yield from from_studies(read_studies(path, texts))
        if metadata is not None and root is not None:
            columns = Columns(image_column, text_column, text_column, group_column)
            yield from from_table(read_cases(metadata, root, columns))

    with opened_service(config) as service:
        with progress_of("ingest") as told:
            report = service.ingest(incoming(), job, lambda so_far: told(so_far.added, None))
        if calibrate:
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
        say(f"{count} reports: {warning}")
    if strict and report.skipped:
        context.exit(2)
