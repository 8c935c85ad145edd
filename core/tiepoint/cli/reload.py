"""`tiepoint reload`: have a running process take over its changed deployment file."""

from __future__ import annotations

from pathlib import Path

import click

from tiepoint.cli.output import echo, print_json


@click.command(epilog="Example: tiepoint reload deployment.yaml")
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def reload(config: Path, as_json: bool) -> None:
    """Have the process that serves CONFIG read the file again, as SIGHUP does.

    A file that is wrong changes nothing, and the process goes on with the one before.

    With --json: {"collections": [..], "plugins": [..]}.
    """
    from tiepoint.config.loader import load
    from tiepoint.errors import InputError
    from tiepoint.owner import OwnerClient, OwnerGoneError

    uri = load(config).store.uri
    if "://" in uri:
        raise InputError(
            "a process is found by its embedded store, and this store is on a server",
            where=str(config),
            hint="Send the process SIGHUP: kill -HUP PID.",
        )
    try:
        done = OwnerClient(uri).call("reload", {})
    except OwnerGoneError as error:
        raise OwnerGoneError(
            error.what, where=error.where, hint=f"Start one: tiepoint serve {config}"
        ) from error
    if as_json:
        print_json(done)
        return
    plugins = ", ".join(done["plugins"]) or "none"
    echo(f"reloaded: collections {', '.join(done['collections'])}, plugins {plugins}")
