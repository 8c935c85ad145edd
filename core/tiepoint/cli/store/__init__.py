"""`tiepoint store`: work on stores as a whole."""

from __future__ import annotations

import click

from tiepoint.cli.store.copy import copy


@click.group()
def store() -> None:
    """Copy a store: from folder to folder, or to and from a server."""


store.add_command(copy)
