"""`tiepoint medical match` and `draft`: similar cases for an image or a report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tiepoint.cli.output import echo, print_json, say, write_file
from tiepoint.errors import InputError
from tiepoint_medical.cli.opening import opened_service

if TYPE_CHECKING:
    from tiepoint_medical.matching.draft import Draft
    from tiepoint_medical.matching.result import Match
    from tiepoint_medical.service import MedicalService

_PATH = click.Path(path_type=Path)
_MAX_REPORT_BYTES = 2**20


def _query_options(command: Any) -> Any:
    for option in (
        click.argument("config", type=_PATH),
        click.option("--image", type=_PATH, help="A DICOM file, a picture, or a study's folder."),
        click.option("--text", help="A sentence or a report."),
        click.option("--report", type=_PATH, help="A file with the report."),
        click.option("--patient", help="The query's patient, whose cases are listed apart."),
        click.option("--study", help="The query's study, whose cases are listed nowhere."),
        click.option("-k", "most", default=5, show_default=True, type=click.IntRange(1, 100)),
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
    ):
        command = option(command)
    return command


@click.command(epilog="Example: tiepoint medical match deployment.yaml --image chest.dcm -k 5")
@_query_options
@click.option("--keep", is_flag=True, help="Put the match onto the worklist.")
@click.option("--heat-map", type=_PATH, help="Write what made the first case resemble it (PNG).")
@click.option("--batch", type=_PATH, help="A folder of studies, each to be matched.")
@click.option(
    "--out", type=_PATH, help="The JSON lines of --batch; what is there is not done again."
)
def match(
    config: Path,
    image: Path | None,
    text: str | None,
    report: Path | None,
    patient: str | None,
    study: str | None,
    most: int,
    as_json: bool,
    keep: bool,
    heat_map: Path | None,
    batch: Path | None,
    out: Path | None,
) -> None:
    """Find cases of other patients that resemble an image, a report, or both.

    The patient and the study of a DICOM image are taken from its header. What supports and what
    contradicts is shown with every case; below the limit of the deployment it abstains. With
    --batch, every study of a folder is matched by all its images and its report, and a line
    {"study", "match"} is added to the file --out; given again, it goes on where it ended.

    --json: {"query", "expected", "probability", "abstained", "reason", "hits": [{"case",
    "patient", "study", "score", "contributions", "report", "present", "supports", "contradicts",
    "sentences"}], "priors", "provenance", "notice"};
    with --batch {"matched", "known", "skipped": [{"where", "reason"}]}.
    """
    if (batch is None) != (out is None):
        raise click.UsageError("--batch and --out belong together")
    if batch is not None and out is not None:
        if image or text or report or heat_map:
            raise click.UsageError("--batch takes its images and reports from the folder")
        _match_batch(config, batch, out, most, keep, as_json)
        return
    with opened_service(config) as service:
        found = _asked(service, image, text, report, patient, study, most, keep)
        if heat_map is not None:
            _write_heat_map(service, found, image, heat_map)
    if as_json:
        print_json(found.as_dict())
        return
    stated = ", ".join(f"{key.replace('_', ' ')} {status}" for key, status in found.query.items())
    echo(f"{'expected' if found.expected else 'asked'}: {stated or 'no finding is named'}")
    if found.abstained:
        echo(f"abstained: {found.reason}")
    elif found.probability is None:
        echo(f"no probability: {found.reason}")
    else:
        echo(f"probability {found.probability:.2f}")
    for title, cases in (("", found.hits), ("prior ", found.priors)):
        for case in cases:
            echo(f"{title}{case.case}  score {case.score:.3f}")
            for name, findings in (("+", case.supports), ("-", case.contradicts)):
                if findings:
                    echo(f"  {name} {', '.join(one.replace('_', ' ') for one in findings)}")
            for sentence in case.sentences:
                echo(f"  > {sentence}")
    say(found.notice)


@click.command(epilog="Example: tiepoint medical draft deployment.yaml --image chest.dcm")
@_query_options
@click.option(
    "--results",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder that takes DICOM reports and FHIR bundles on the DICOM of --image.",
)
@click.option(
    "--send", metavar="ADDRESS", help="Store the DICOM reports of --results: https:// or dicom://."
)
def draft(
    config: Path,
    image: Path | None,
    text: str | None,
    report: Path | None,
    patient: str | None,
    study: str | None,
    most: int,
    as_json: bool,
    results: Path | None,
    send: str | None,
) -> None:
    """Draft a report from similar cases; every sentence cites the case that it is taken from.

    --send stores the DICOM reports in a PACS, by STOW-RS at https://host/dicom-web or by C-STORE at
    dicom://TITLE@host:104, with the identities of the image's header.

    --json: {"sentences": [{"text", "case", "findings", "support"}], "abstained", "neighbours",
    "notice", "status"}.
    """
    if send is not None and results is None:
        raise click.UsageError("--send needs --results")
    with opened_service(config) as service:
        made = service.draft(_asked(service, image, text, report, patient, study, most, False))
        if results is not None:
            files = _write_results(service, made, image, results)
            if send is not None:
                _send(service, files, send)
    if as_json:
        print_json(made.as_dict())
        return
    if made.abstained:
        echo("nothing is drafted: the similar cases are too few, too unlike, or disagree")
    for sentence in made.sentences:
        echo(f"{sentence.text} [{sentence.case}; {sentence.support} cases]")
    say(f"{made.status} draft. {made.notice}")


def _write_results(
    service: MedicalService, made: Draft, image: Path | None, results: Path
) -> list[Path]:
    """Write a draft in the forms that other systems take; returns the files."""
    from tiepoint_medical.archive.asking import query_of
    from tiepoint_medical.results.outgoing import write_results

    if image is None:
        raise click.UsageError("--results needs --image, the DICOM that they are about")
    files = write_results(service.outgoing(made), query_of(image).files, results)
    for file in files:
        say(f"written: {file}")
    return files


def _send(service: MedicalService, files: list[Path], address: str) -> None:
    from tiepoint_adapters.dicom.network.archives import archive_at
    from tiepoint_adapters.dicom.reading import read_dicom

    reports = [read_dicom(file) for file in files if file.suffix == ".dcm"]
    stored = archive_at(address).store(reports)
    service.records.note(service.user, "sent", "results", {"objects": stored})
    say(f"{stored} reports stored")


def _asked(
    service: MedicalService,
    image: Path | None,
    text: str | None,
    report: Path | None,
    patient: str | None,
    study: str | None,
    most: int,
    keep: bool,
) -> Match:
    if image is None and text is None and report is None:
        raise click.UsageError("give --image, --text or --report")
    if text is not None and report is not None:
        raise click.UsageError("give --text or --report, not both")
    if report is not None:
        text = _read_report(report)
    if text is not None and not text.strip():
        raise InputError("the report is empty", hint="Give one with words.")
    from tiepoint_medical.archive.asking import ImageQuery, query_of

    asked = ImageQuery(None) if image is None else query_of(image)
    for warning in service.reader.read(text).warnings if text else ():
        say(warning)
    return service.match(
        image=asked.image,
        text=text or asked.report or None,
        patient=patient or asked.patient,
        study=study or asked.study,
        k=most,
        keep=keep,
    )


def _match_batch(
    config: Path, folder: Path, out: Path, most: int, keep: bool, as_json: bool
) -> None:
    from tiepoint.cli.progress import progress_of
    from tiepoint_medical.matching.batch import match_studies

    with opened_service(config) as service, progress_of("match") as told:
        done = match_studies(service, folder, out, most, keep, lambda count: told(count, None))
    if as_json:
        print_json(
            {
                "matched": done.matched,
                "known": done.known,
                "skipped": [{"where": s.where, "reason": s.reason} for s in done.skipped],
            }
        )
    else:
        echo(f"{done.matched} studies matched, {done.known} known, {len(done.skipped)} left out")
    for skipped in done.skipped[:20]:
        say(f"left out {skipped.where}: {skipped.reason}")


def _read_report(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_REPORT_BYTES:
            raise InputError("the report is larger than 1 MiB", where=str(path))
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"the report cannot be read ({error})", where=str(path), hint="Give a text in UTF-8."
        ) from error


def _write_heat_map(service: MedicalService, found: Match, image: Path | None, file: Path) -> None:
    from tiepoint_medical.matching.occlusion import CAVEAT, heat_map

    if image is None or image.is_dir() or not found.hits:
        raise InputError("there is no single image, or no case like it", where="--heat-map")
    write_file(file, heat_map(image, service.occlusion(image, found.hits[0].case)))
    say(CAVEAT)
