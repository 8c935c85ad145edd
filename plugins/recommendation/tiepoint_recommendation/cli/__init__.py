"""`tiepoint recommend`: the commands of this plugin."""

from __future__ import annotations

import click

from tiepoint_recommendation.cli.evaluate import compare, evaluate
from tiepoint_recommendation.cli.fit import fit
from tiepoint_recommendation.cli.ingest import ingest
from tiepoint_recommendation.cli.predict import predict


@click.group()
def recommend() -> None:
    """Recommend items by what people do and what things look like, and measure it."""


recommend.add_command(ingest)
recommend.add_command(fit)
recommend.add_command(evaluate)
recommend.add_command(compare)
recommend.add_command(predict)
