"""`tiepoint recommend simulate`: a shop to try things on, made by code."""

from __future__ import annotations

from pathlib import Path

import click

from tiepoint.cli.output import echo, make_folder, print_json
from tiepoint.errors import InputError
from tiepoint_recommendation.cli.stores import FOLDER


@click.command(epilog="Example: tiepoint recommend simulate --out made --users 500")
@click.option("--out", type=FOLDER, required=True, help="The folder to write to.")
@click.option("--users", default=300, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--items", default=240, show_default=True, type=click.IntRange(12, 10_000))
@click.option("--days", default=60.0, show_default=True, type=click.FloatRange(1, 3650))
@click.option("--seed", default=7, show_default=True, type=click.IntRange(0))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def simulate(out: Path, users: int, items: int, days: float, seed: int, as_json: bool) -> None:
    """Make a shop: pictures, titles, and shoppers with hidden tastes and what they did.

    Writes items.csv, events.csv and images/, ready for `ingest`, and tastes.json with what each
    shopper likes best, which nothing else may read. The same options give the same files.

    With --json: {"items", "users", "events", "out"}.
    """
    from tiepoint.cli.progress import progress_of
    from tiepoint_recommendation.simulation.shop import simulate as simulated

    if out.exists() and any(out.iterdir()):
        raise InputError("the folder is not empty", where=str(out), hint="Name a new one.")
    shop = simulated(users, items, days, seed)
    make_folder(out)
    with progress_of("pictures") as report:
        shop.write(out, report)
    if as_json:
        counts = {"items": len(shop.items), "users": len(shop.shoppers)}
        print_json({**counts, "events": len(shop.events), "out": str(out)})
    else:
        echo(f"{len(shop.items)} items and {len(shop.events)} events of {users} users: {out}")
        echo(
            f"next: tiepoint recommend ingest --items {out}/items.csv --events {out}/events.csv"
            " --store DIR"
        )
