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
    from tiepoint.errors import ConfigError

_MARKS = {"ok": " ", "note": "-", "failed": "!"}


@click.command(epilog="Example: tiepoint doctor deployment.yaml")
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
    wrong = None if config is None else _error_of(config)
    findings = _look(config)
    ok = all(finding.state != "failed" for finding in findings)
    if as_json:
        print_json({"ok": ok, "findings": [asdict(finding) for finding in findings]})
    else:
        # What is wrong with the file is the error at the end, and told once.
        _print([one for one in findings if wrong is None or one.subject != "deployment"])
    if wrong is not None:
        raise wrong
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


def _error_of(config: Path) -> ConfigError | None:
    """Return the error with which other commands end where the deployment file is wrong."""
    from tiepoint.config.loader import load
    from tiepoint.errors import ConfigError

    try:
        load(config)
    except ConfigError as error:
        return error
    return None


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
