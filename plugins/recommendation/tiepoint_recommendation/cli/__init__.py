"""`tiepoint recommend`: the commands of this plugin."""

from __future__ import annotations

import click


@click.group()
def recommend() -> None:
    """Recommend items by what people do and what things look like, and measure it."""
