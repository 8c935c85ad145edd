"""`tiepoint fusion`: learn from labelled queries how routes are combined."""

from __future__ import annotations

import click

from tiepoint.cli.fusion.fit import fit


@click.group()
def fusion() -> None:
    """Learn from labelled queries how routes are combined."""


fusion.add_command(fit)
