"""`tiepoint recommend experiment`: how the arms of the experiment that runs compare."""

from __future__ import annotations

from pathlib import Path

import click

from tiepoint.cli.output import print_json, print_table
from tiepoint_recommendation.cli.live import opened_service
from tiepoint_recommendation.cli.stores import config_option, store_options


@click.command(
    epilog="Example: tiepoint recommend experiment --store shop --config deployment.yaml"
)
@store_options
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def experiment(store: Path, database: str | None, config: Path | None, as_json: bool) -> None:
    """Show the click-through of each arm of `live.experiment`, with 95 % intervals.

    With --json: [{"arm", "users", "shown", "clicked", "rate", "low", "high", "difference",
    "difference_low", "difference_high"}].
    """
    with opened_service(store, database, config) as service:
        found = service.experiment_results()
    if as_json:
        print_json([one.as_dict() for one in found])
        return
    rows: list[tuple[str, ...]] = []
    for one in found:
        against = "" if one.difference is None else f"{one.difference:+.4f}"
        if one.difference_low is not None and one.difference_high is not None:
            against += f" ({one.difference_low:+.4f} to {one.difference_high:+.4f})"
        counts = (str(one.users), str(one.shown), str(one.clicked))
        rate = f"{one.rate:.4f} ({one.low:.4f} to {one.high:.4f})"
        rows.append((one.arm, *counts, rate, against))
    print_table(("arm", "users", "shown", "clicked", "click-through", "against the first"), rows)
