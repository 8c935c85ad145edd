"""`tiepoint security`: the commands of this plugin."""

from __future__ import annotations

import click


@click.group()
def security() -> None:
    """Watch cameras and footage, handle alerts, and search by words or pictures."""
