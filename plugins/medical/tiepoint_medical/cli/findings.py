"""`tiepoint medical findings`: what a report says."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

import click

from tiepoint.cli.output import echo, print_json, say


@click.command(epilog="Example: tiepoint medical findings report.txt")
@click.argument("report", type=click.File("r", encoding="utf-8"))
@click.option(
    "--vocabulary",
    "vocabularies",
    multiple=True,
    type=click.Path(path_type=Path),
    help="YAML file with further findings; may be given again.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def findings(report: TextIO, vocabularies: tuple[Path, ...], as_json: bool) -> None:
    """Read a report (a file, or - for stdin): its findings, and whether it states or denies them.

    --json: {"language", "warnings", "sections", "profile", "contradictions", "statements":
    [{"finding", "status", "implied", "section", "sentence", "side", "severity", "regions",
    "compares", "historical"}]}.
    """
    from tiepoint.errors import InputError
    from tiepoint_medical.knowledge.vocabulary import extended_vocabulary
    from tiepoint_medical.reports.report import ReportReader

    try:
        text = report.read()
    except UnicodeDecodeError as error:
        raise InputError("the report is no text in UTF-8", hint="Convert it.") from error
    reader = ReportReader(extended_vocabulary(vocabularies) if vocabularies else None)
    read = reader.read(text)
    if as_json:
        print_json(read.as_dict())
    else:
        for finding, status in read.profile.items():
            echo(f"{status:9}  {reader.vocabulary.name(finding)}")
    for warning in read.warnings:
        say(warning)
