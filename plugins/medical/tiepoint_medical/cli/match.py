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
        click.option("--image", type=_PATH, help="A DICOM file or a picture."),
        click.option("--text", help="A sentence or a report."),
        click.option("--report", type=_PATH, help="A file with the report."),
        click.option("--patient", help="The query's patient, whose cases are listed apart."),
        click.option("--study", help="The query's study, whose cases are listed nowhere."),
        click.option("-k", "most", default=5, show_default=True, type=click.IntRange(1, 100)),
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
    ):
        command = option(command)
    return command


@click.command()
@_query_options
@click.option("--keep", is_flag=True, help="Put the match onto the worklist.")
@click.option("--heat-map", type=_PATH, help="Write what made the first case resemble it (PNG).")
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
) -> None:
    """Find cases of other patients that resemble an image, a report, or both.

    The patient and the study of a DICOM image are taken from its header. What supports and what
    contradicts is shown with every case; below the limit of the deployment it abstains.

    --json: {"query", "expected", "probability", "abstained", "reason", "hits": [{"case",
    "patient", "study", "score", "contributions", "report", "present", "supports", "contradicts",
    "sentences"}], "priors", "provenance", "notice"}.
    """
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


@click.command()
@_query_options
@click.option(
    "--results",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder that takes DICOM reports and FHIR bundles on the DICOM file of --image.",
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
) -> None:
    """Draft a report from similar cases; every sentence cites the case that it is taken from.

    --json: {"sentences": [{"text", "case", "findings", "support"}], "abstained", "neighbours",
    "notice", "status"}.
    """
    with opened_service(config) as service:
        made = service.draft(_asked(service, image, text, report, patient, study, most, False))
        if results is not None:
            _write_results(service, made, image, results)
    if as_json:
        print_json(made.as_dict())
        return
    if made.abstained:
        echo("nothing is drafted: the similar cases are too few, too unlike, or disagree")
    for sentence in made.sentences:
        echo(f"{sentence.text} [{sentence.case}; {sentence.support} cases]")
    say(f"{made.status} draft. {made.notice}")


def _write_results(service: MedicalService, made: Draft, image: Path | None, results: Path) -> None:
    """Write a draft in the forms that other systems take."""
    from tiepoint_medical.results.outgoing import outgoing, write_results

    if image is None:
        raise click.UsageError("--results needs --image, the DICOM file that they are about")
    findings = service.reader.vocabulary.findings
    radlex = {key: finding.radlex for key, finding in findings.items()}
    for file in write_results(outgoing(made, radlex), image, results):
        say(f"written: {file}")


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
    if image is not None and (patient is None or study is None):
        found = _header(image)
        patient, study = patient or found[0], study or found[1]
    return service.match(image=image, text=text, patient=patient, study=study, k=most, keep=keep)


def _read_report(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_REPORT_BYTES:
            raise InputError("the report is larger than 1 MiB", where=str(path))
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"the report cannot be read ({error})", where=str(path), hint="Give a text in UTF-8."
        ) from error


def _header(image: Path) -> tuple[str | None, str | None]:
    """Return the patient and the study of a DICOM image; nothing of another picture."""
    from tiepoint.encoders.readers import is_dicom
    from tiepoint_adapters.dicom.reading import read_dicom
    from tiepoint_adapters.dicom.values import text_of

    try:
        with image.open("rb") as file:
            start = file.read(132)
    except OSError as error:
        raise InputError(
            f"the image cannot be read ({error.strerror})", where=str(image), hint="Check the path."
        ) from error
    if not is_dicom(start):
        return None, None
    found = read_dicom(image, pixels=False)
    return text_of(found.dataset, "PatientID"), found.uid("StudyInstanceUID")


def _write_heat_map(service: MedicalService, found: Match, image: Path | None, file: Path) -> None:
    from tiepoint_medical.matching.occlusion import CAVEAT, heat_map, occlusion

    if image is None or not found.hits:
        raise InputError("there is no image, or no case that it resembles", where="--heat-map")
    section = service.host.deployment.collections[service.config.collection]
    encoder = service.host.encoder(str(section.fields["image"].encoder))
    target = service.matcher.collection.vectors("image", [found.hits[0].case])[0]
    write_file(file, heat_map(image, occlusion(encoder, image, target)))
    say(CAVEAT)
