"""`tiepoint config`: check a deployment file, and print the schema that editors complete from."""

from __future__ import annotations

from pathlib import Path

import click

from tiepoint.cli.output import print_json, say


@click.group()
def config() -> None:
    """Check a deployment file, or print its schema."""


@config.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print what is wrong as JSON.")
@click.pass_context
def check(context: click.Context, file: Path, as_json: bool) -> None:
    """Say everything that is wrong with FILE, without loading models.

    Exit code 0 if nothing is, 2 if something is. The JSON is
    `{"file", "ok", "errors": [{"where", "what", "hint"}]}`.
    """
    from tiepoint.config.loader import check as find_errors

    errors = find_errors(file)
    if as_json:
        listed = [
            {"where": error.where, "what": error.what, "hint": error.hint} for error in errors
        ]
        print_json({"file": str(file), "ok": not errors, "errors": listed})
    elif errors:
        for error in errors:
            say(str(error))
    else:
        click.echo(f"{file}: ok")
    if errors:
        context.exit(errors[0].exit_code)


@config.command()
def schema() -> None:
    """Print the JSON Schema of deployment files."""
    from tiepoint.config.schema import deployment_schema

    print_json(deployment_schema())
