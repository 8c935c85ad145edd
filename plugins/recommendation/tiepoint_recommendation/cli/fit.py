"""`tiepoint recommend fit`: make a model of what is in a store."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import click

from tiepoint.cli.output import echo, print_json, print_table, say
from tiepoint_recommendation.cli.stores import (
    config_option,
    fit_settings,
    opened_database,
    store_options,
)


@click.command(epilog="Example: tiepoint recommend fit --store shop")
@store_options
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def fit(store: Path, database: str | None, config: Path | None, as_json: bool) -> None:
    """Fit the rankers and the weights of their blend on all events and products of a store.

    The new model takes the former one's place only when all of it is written.

    With --json: {"generation", "users", "items", "events", "seconds", "cleaned": {"repeats",
    "robots", "robot_events", "ignored"}, "weights": {SEGMENT: {RANKER: weight}}}.
    """
    from tiepoint.cli.progress import progress_of
    from tiepoint_recommendation.fitting import figures_of
    from tiepoint_recommendation.fitting import fit as fit_store
    from tiepoint_recommendation.item_space import ProductEncoder, deployment_of
    from tiepoint_recommendation.turns import fit_turn

    settings = fit_settings(config)
    started = perf_counter()
    with opened_database(store, database) as opened, progress_of("rankers") as report:
        encoder = ProductEncoder(deployment_of(config, store), store)
        with fit_turn(store, wait=True):
            model, data = fit_store(opened, store, encoder, settings, report)
    weights = figures_of(model)["weights"]
    cleaned = {
        "repeats": data.cleaning.repeats,
        "robots": len(data.cleaning.robots),
        "robot_events": data.cleaning.robot_events,
        "ignored": data.cleaning.ignored,
    }
    result = {
        "generation": model.generation,
        "users": len(data.log.users),
        "items": len(model.space),
        "events": len(data.log),
        "seconds": round(perf_counter() - started, 3),
        "cleaned": cleaned,
        "weights": weights,
    }
    if as_json:
        print_json(result)
        return
    echo(
        f"model {model.generation}: {result['users']} users, {result['items']} items,"
        f" {result['events']} events, in {result['seconds']:.1f} s"
    )
    rows = [(name, *(f"{weights[one][name]:.3f}" for one in weights)) for name in model.rankers]
    print_table(("ranker", *weights), rows)
    if data.cleaning.robots:
        say(
            f"{cleaned['robots']} users do more than people can, and were left out with"
            f" {cleaned['robot_events']} events"
        )
