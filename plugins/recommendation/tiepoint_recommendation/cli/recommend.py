"""`tiepoint recommend recommend`: items for a user, a session, a sentence or a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tiepoint.cli.output import echo, print_json, say
from tiepoint_recommendation.cli.live import (
    filter_options,
    filters_of,
    given,
    opened_service,
    print_answer,
)
from tiepoint_recommendation.cli.stores import (
    EXISTING_FILE,
    FILE,
    config_option,
    engine_of,
    store_options,
)


@click.command(
    "recommend", epilog="Example: tiepoint recommend recommend --store shop --user u1 -k 5"
)
@store_options
@config_option
@click.option("--user", metavar="ID", help="For this user.")
@click.option("--session", metavar="ID", help="For this session, whoever it is.")
@click.option("--item", "items", multiple=True, metavar="ID", help="Looked at just now.")
@click.option("--text", metavar="SENTENCE", help="Find what is described.")
@click.option("--image", type=EXISTING_FILE, help="Find what looks like this picture.")
@click.option("-k", "k", default=10, show_default=True, type=click.IntRange(1, 1000))
@click.option(
    "--diversity",
    type=click.FloatRange(0, 1, max_open=True),
    help="From 0 (by score alone) to below 1.",
)
@filter_options
@click.option("--all-users", is_flag=True, help="For every user of the store, into --out.")
@click.option("--out", type=FILE, help="Parquet file for --all-users.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def recommend_command(
    store: Path,
    database: str | None,
    config: Path | None,
    user: str | None,
    session: str | None,
    items: tuple[str, ...],
    text: str | None,
    image: Path | None,
    k: int,
    diversity: float | None,
    all_users: bool,
    out: Path | None,
    as_json: bool,
    **filters: Any,
) -> None:
    """Recommend items, with reasons; for somebody new, what is popular and varied.

    A sentence or a picture may come with a user, whose taste then counts as well. An answer
    without items says which filter left nothing, and exits with 0. --all-users is done by the
    deployment file's `engine`.

    With --json: {"request", "items": [{"id", "title", "rank", "score", "parts", "policy",
    "propensity", "pinned", "reasons": {"words", "why", "because": [{"item", "title",
    "did", "credit"}]}}], "known", "model", "arm", "rules", "left", "empty_because",
    "unknown_items"}; with --all-users {"users", "rows", "out"}.
    """
    from tiepoint_recommendation.live.asks import Ask

    if all_users != (out is not None):
        raise click.UsageError("--all-users and --out go together")
    wanted = filters_of(filters)
    asked = {
        "user": user,
        "session": session,
        "items": items,
        "text": text,
        "image": image,
        "k": k,
        "diversity": diversity,
        "explain": True,
    }
    with opened_service(store, database, config) as service:
        if out is not None:
            from tiepoint.cli.progress import progress_of
            from tiepoint_recommendation.live.batches import write_batch

            with engine_of(service.deployment) as engine, progress_of("users") as report:
                users, rows = write_batch(service, engine, k, out, wanted, report)
            result = {"users": users, "rows": rows, "out": str(out)}
            if as_json:
                print_json(result)
            else:
                echo(f"{rows} rows for {users} users: {out}")
            return
        answered = service.recommend(given(Ask, {**asked, "filters": wanted}))
    if as_json:
        print_json(answered.as_dict())
        return
    if not answered.known and text is None and image is None:
        say("nothing is known of who asks: what is popular, and varied")
    print_answer(answered)
