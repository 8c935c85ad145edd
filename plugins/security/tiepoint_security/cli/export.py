"""`tiepoint security export`: hand over alerts with their evidence, under checksums."""

from __future__ import annotations

from pathlib import Path

import click

from tiepoint.cli.output import echo, print_json, say
from tiepoint_security.cli.records import opened_records, user_option


@click.command(
    name="export",
    epilog="Example: tiepoint security export deployment.yaml 20260131-0007 --out case",
)
@click.argument("config", type=click.Path(path_type=Path))
@click.argument("alerts", nargs=-1, required=True, metavar="ALERT...")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="A folder, which is made."
)
@user_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def export_command(
    context: click.Context,
    config: Path,
    alerts: tuple[str, ...],
    out: Path,
    user: str,
    as_json: bool,
) -> None:
    """Copy alerts with evidence, reviews and audit lines into a folder.

    `sha256sum --check SHA256SUMS` in it checks every file. Evidence that is gone or was changed
    since it was added is left out and named; the exit code is 1 then.

    With --json: {"folder", "files", "bytes", "sha256", "damaged": [..]}; "sha256" is that of
    SHA256SUMS, and is in the audit log.
    """
    from tiepoint_security.records.export import export

    with opened_records(config) as records:
        made = export(alerts, out, user, records.archive, records.evidence)
    if as_json:
        print_json(
            {
                "folder": str(made.folder),
                "files": made.files,
                "bytes": made.bytes,
                "sha256": made.sha256,
                "damaged": list(made.damaged),
            }
        )
    else:
        echo(f"{made.folder}: {made.files} files, {made.bytes} bytes, SHA256SUMS {made.sha256}")
    for file in made.damaged:
        say(f"not exported: {file}")
    if made.damaged:
        context.exit(1)
