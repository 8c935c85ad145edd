"""`tiepoint config`: check a deployment file, and print the schema that editors complete from."""

from __future__ import annotations

from pathlib import Path

import click

from tiepoint.cli.output import echo, print_json, say
from tiepoint.errors import TiepointError


@click.group()
def config() -> None:
    """Check a deployment file, or print its schema."""


@config.command(epilog="Example: tiepoint config check deployment.yaml")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print what is wrong as JSON.")
@click.pass_context
def check(context: click.Context, file: Path, as_json: bool) -> None:
    """Say everything that is wrong with FILE, without loading models.

    A file without a mistake is then put together, as far as that goes without models.

    Exit code 0 if nothing is, 2 if something is. The JSON is
    `{"file", "ok", "errors": [{"where", "what", "hint"}]}`.
    """
    from tiepoint.config.loader import check as find_errors

    errors: list[TiepointError] = [*find_errors(file)] or _build(file)
    if as_json:
        listed = [
            {"where": error.where, "what": error.what, "hint": error.hint} for error in errors
        ]
        print_json({"file": str(file), "ok": not errors, "errors": listed})
    elif errors:
        for error in errors:
            say(str(error))
    else:
        echo(f"{file}: ok")
    if errors:
        context.exit(errors[0].exit_code)


def _build(file: Path) -> list[TiepointError]:
    """Return what shows only where the parts meet, such as a route that cannot exist."""
    from tiepoint.host import Host

    try:
        Host.from_config(file).check()
    except TiepointError as error:
        error.where = f"{file} ({error.where})" if error.where else str(file)
        return [error]
    return []


@config.command(epilog="Example: tiepoint config schema > tiepoint.schema.json")
def schema() -> None:
    """Print the JSON Schema of deployment files."""
    from tiepoint.config.schema import deployment_schema

    print_json(deployment_schema())
