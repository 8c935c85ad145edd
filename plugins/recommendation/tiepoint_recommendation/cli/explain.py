"""`tiepoint recommend explain`: where an item stands for a user, and why."""

from __future__ import annotations

from pathlib import Path

import click

from tiepoint.cli.output import echo, print_json, print_table
from tiepoint_recommendation.cli.live import opened_service
from tiepoint_recommendation.cli.stores import config_option, store_options


@click.command(epilog="Example: tiepoint recommend explain kettle --user u1 --store shop")
@click.argument("item")
@store_options
@config_option
@click.option("--user", required=True, metavar="ID", help="For whom.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def explain(
    item: str,
    store: Path,
    database: str | None,
    config: Path | None,
    user: str,
    as_json: bool,
) -> None:
    """Say where an ITEM stands for a user, what each ranker gave, and which filter keeps it out.

    With --json: {"item", "title", "rank", "score", "parts", "reasons": {"words", "why", "because"},
    "left_out_by", "known"}.
    """
    with opened_service(store, database, config) as service:
        found = service.explain(user, item)
    if as_json:
        print_json(found.as_dict())
        return
    place = "is left out by `" + found.left_out_by + "`" if found.left_out_by else None
    echo(f"{found.title} {place or f'has rank {found.rank}'}, with a score of {found.score:.3f}")
    rows: list[tuple[str, ...]] = [
        (name, f"{value:.3f}") for name, value in sorted(found.parts.items(), key=lambda p: -p[1])
    ]
    print_table(("part", "gives"), rows)
    echo(found.reasons.words)
    for one in found.reasons.because:
        echo(f"  {one.did} {one.title} ({one.item}): {one.credit:.3f}")
