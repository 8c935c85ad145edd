"""`tiepoint recommend forget`: a user asks to be forgotten."""

from __future__ import annotations

from pathlib import Path

import click

from tiepoint.cli.output import echo, print_json, say
from tiepoint_recommendation.cli.stores import (
    config_option,
    fit_settings,
    opened_database,
    store_options,
)


@click.command(epilog="Example: tiepoint recommend forget --store shop --user u1 --verify")
@store_options
@config_option
@click.option("--user", required=True, help="The user's id.")
@click.option("--verify", is_flag=True, help="Change nothing; only look for what is left.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def forget(
    context: click.Context,
    store: Path,
    database: str | None,
    config: Path | None,
    user: str,
    verify: bool,
    as_json: bool,
) -> None:
    """Remove a user's events and impressions, fit the model again, and prove it.

    Events of the user that are older than this and told later are refused. A keyed digest of
    the id is kept for that, and nothing else. Exit code 1 if something is left.

    With --json: {"user", "removed_events", "removed_impressions", "left": {"events",
    "impressions", "generation", "model_matches", "former_models", "unfinished"}, "proved"}.
    """
    from tiepoint.cli.progress import progress_of
    from tiepoint_recommendation import forgetting
    from tiepoint_recommendation.item_space import ProductEncoder, deployment_of

    settings = fit_settings(config)
    events = shown = 0
    with opened_database(store, database) as opened:
        if not verify:
            encoder = ProductEncoder(deployment_of(config, store), store)
            with progress_of("rankers") as report:
                events, shown = forgetting.forget(opened, store, user, encoder, settings, report)
        proof = forgetting.prove(opened, store, user, settings)
    if as_json:
        print_json(
            {
                "user": user,
                "removed_events": events,
                "removed_impressions": shown,
                "left": {
                    "events": proof.events,
                    "impressions": proof.impressions,
                    "generation": proof.generation,
                    "model_matches": proof.model_matches,
                    "former_models": proof.former,
                    "unfinished": proof.unfinished,
                },
                "proved": proof.holds,
            }
        )
    else:
        if not verify:
            echo(f"{events} events and {shown} impressions of {user} are removed")
        if proof.holds:
            echo(f"nothing of {user} is left; the model is {proof.generation or 'not fitted'}")
    if not proof.holds:
        if proof.events or proof.impressions:
            say(f"{proof.events} events and {proof.impressions} impressions of {user} are there")
        if proof.unfinished:
            say("a command to forget was cut short: run it again, or fit")
        elif not proof.model_matches or proof.former:
            say("a model was fitted on other events than are there now")
        context.exit(1)
