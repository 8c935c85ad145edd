"""`tiepoint recommend`: the commands of this plugin."""

from __future__ import annotations

import click

from tiepoint_recommendation.cli.evaluate import compare, evaluate
from tiepoint_recommendation.cli.experiment import experiment
from tiepoint_recommendation.cli.explain import explain
from tiepoint_recommendation.cli.fit import fit
from tiepoint_recommendation.cli.forget import forget
from tiepoint_recommendation.cli.ingest import ingest
from tiepoint_recommendation.cli.predict import predict
from tiepoint_recommendation.cli.recommend import recommend_command
from tiepoint_recommendation.cli.rules import rules
from tiepoint_recommendation.cli.similar import similar
from tiepoint_recommendation.cli.simulate import simulate
from tiepoint_recommendation.cli.tune import tune


@click.group()
def recommend() -> None:
    """Recommend items by what people do and what things look like, and measure it."""


recommend.add_command(ingest)
recommend.add_command(fit)
recommend.add_command(evaluate)
recommend.add_command(compare)
recommend.add_command(forget)
recommend.add_command(tune)
recommend.add_command(predict)
recommend.add_command(recommend_command)
recommend.add_command(similar)
recommend.add_command(explain)
recommend.add_command(simulate)
recommend.add_command(rules)
recommend.add_command(experiment)
