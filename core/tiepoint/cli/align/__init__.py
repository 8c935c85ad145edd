"""`tiepoint align`: fit an aligner on pairs, evaluate it, and look into it."""

from __future__ import annotations

import click

from tiepoint.cli.align.evaluate import evaluate
from tiepoint.cli.align.fit import fit
from tiepoint.cli.align.inspect import inspect


@click.group()
def align() -> None:
    """Fit an aligner on image-text pairs, evaluate it, and look into it."""


align.add_command(fit)
align.add_command(evaluate)
align.add_command(inspect)
