"""`tiepoint recommend similar`: items that are like an item, or go with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tiepoint.cli.output import print_json
from tiepoint_recommendation.cli.live import (
    filter_options,
    filters_of,
    opened_service,
    print_answer,
)
from tiepoint_recommendation.cli.stores import config_option, store_options


@click.command(epilog="Example: tiepoint recommend similar kettle --store shop --complementary")
@click.argument("item")
@store_options
@config_option
@click.option("--complementary", is_flag=True, help="What goes with it, not what is like it.")
@click.option("-k", "k", default=10, show_default=True, type=click.IntRange(1, 1000))
@click.option(
    "--diversity",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    help="From 0 (by score alone) to below 1.",
)
@filter_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def similar(
    item: str,
    store: Path,
    database: str | None,
    config: Path | None,
    complementary: bool,
    k: int,
    diversity: float,
    as_json: bool,
    **filters: Any,
) -> None:
    """List the items that are like an ITEM in words, looks and use, or that go with it.

    With --json: as `tiepoint recommend recommend`.
    """
    with opened_service(store, database, config) as service:
        answered = service.similar(
            item,
            relation="complementary" if complementary else "similar",
            k=k,
            filters=filters_of(filters),
            diversity=diversity,
        )
    if as_json:
        print_json(answered.as_dict())
    else:
        print_answer(answered)
