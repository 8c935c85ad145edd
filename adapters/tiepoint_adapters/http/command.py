"""`tiepoint serve`: the service of a deployment."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(epilog="Example: tiepoint serve deployment.yaml")
@click.argument("config", type=click.Path(path_type=Path))
def serve(config: Path) -> None:
    """Serve a deployment by HTTP, with its plugins, until SIGINT or SIGTERM."""
    from tiepoint.host import Host

    Host.from_config(config).server.serve()
