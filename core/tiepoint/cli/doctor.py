"""`tiepoint doctor`: what is installed, what would run, what is missing and how to get it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tiepoint.cli.output import print_json

if TYPE_CHECKING:
    from tiepoint.cli.diagnosis import Finding

_MARKS = {"ok": " ", "note": "-", "failed": "!"}


@click.command()
@click.argument("config", type=click.Path(path_type=Path), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def doctor(context: click.Context, config: Path | None, as_json: bool) -> None:
    """Say what is installed, what would run, and what is missing.

    With CONFIG, a deployment file, look at its store too. Exit code 0 if the embedded default
    (and the deployment) can run, 1 if not, 2 if the file is wrong. The JSON is `{"ok",
    "findings": [{"subject", "name", "state", "value", "hint"}]}` with the states `ok`, `note`
    (not needed) and `failed`.
    """
    findings = _look(config)
    ok = all(finding.state != "failed" for finding in findings)
    if as_json:
        print_json({"ok": ok, "findings": [asdict(finding) for finding in findings]})
    else:
        _print(findings)
    if config is not None:
        _refuse_wrong(config)
    if not ok:
        context.exit(1)


def _look(config: Path | None) -> list[Finding]:
    from tiepoint.cli import diagnosis

    findings = [
        *diagnosis.look_at_machine(),
        *diagnosis.look_at_packages(),
        *diagnosis.look_at_runtime(),
        *diagnosis.look_at_weights(),
        *diagnosis.look_at_plugins(),
        *diagnosis.look_at_space(),
    ]
    if config is not None:
        findings += diagnosis.look_at_deployment(config)
    return findings


def _refuse_wrong(config: Path) -> None:
    """End as other commands do where the deployment file is wrong.

    Raises:
        ConfigError: It is.
    """
    from tiepoint.config.loader import load

    load(config)


def _print(findings: list[Finding]) -> None:
    width = max(len(finding.name) for finding in findings)
    subject = None
    for finding in findings:
        if finding.subject != subject:
            subject = finding.subject
            click.echo(subject)
        hint = f"  -> {finding.hint}" if finding.hint else ""
        click.echo(f" {_MARKS[finding.state]} {finding.name.ljust(width)}  {finding.value}{hint}")
    states = Counter(finding.state for finding in findings)
    click.echo(f"\n{states['failed']} failed (!), {states['note']} to note (-), {states['ok']} ok.")
