"""`tiepoint run`: open a deployment, start its plugins, and stay."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import click


@click.command(epilog="Example: tiepoint run deployment.yaml")
@click.argument("config", type=click.Path(path_type=Path))
def run(config: Path) -> None:
    """Run a deployment until SIGINT or SIGTERM.

    While it runs it owns the store; other commands on the same deployment are answered by it.
    One line is printed when it is ready.
    """
    from tiepoint.host import Host

    ended = threading.Event()
    host = Host.from_config(config)
    host.check()
    with host:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        host.warm_up()
        host.start()
        plugins = ", ".join(host.plugins) or "none"
        collections = ", ".join(
            f"{name} ({len(host.collection(name))})" for name in host.deployment.collections
        )
        click.echo(f"ready: process {os.getpid()}, collections {collections}, plugins {plugins}")
        ended.wait()
