"""`tiepoint bench`: the benchmarks that come in through entry points."""

from __future__ import annotations

import click

from tiepoint import registry
from tiepoint.cli.group import ComponentGroup


@click.group(cls=ComponentGroup, components=registry.BENCHMARKS)
def bench() -> None:
    """Measure against peers, in the same run."""
