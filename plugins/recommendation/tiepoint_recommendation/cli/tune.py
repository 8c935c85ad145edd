"""`tiepoint recommend tune`: choose the rankers' options on the store's own events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tiepoint.cli.output import echo, print_json, print_table, write_file
from tiepoint_recommendation.cli.stores import (
    FILE,
    config_option,
    fit_settings,
    opened_database,
    store_options,
)


@click.command(
    epilog="Example: tiepoint recommend tune --store shop --trials 20 --out settings.yaml"
)
@store_options
@config_option
@click.option(
    "--protocol",
    type=click.Choice(["leave-last", "time", "strict-cold"]),
    default="leave-last",
    show_default=True,
)
@click.option(
    "--trials",
    default=12,
    show_default=True,
    type=click.IntRange(1, 1000),
    help="Settings tried of each ranker.",
)
@click.option("--out", type=FILE, required=True, help="The YAML to write; for --config.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def tune(
    store: Path,
    database: str | None,
    config: Path | None,
    protocol: str,
    trials: int,
    out: Path,
    as_json: bool,
) -> None:
    """Try settings of each ranker on an inner part of the training events, and write the best.

    What `eval` measures has no part in the choice. The file holds what belongs under
    plugins.recommendation.fit.blend of a deployment file.

    With --json: {"rankers": {NAME: {"options", "before", "after", "trials"}}, "figure", "out"}.
    """
    import yaml

    from tiepoint.cli.progress import progress_of
    from tiepoint_recommendation.evaluation import tuning
    from tiepoint_recommendation.fitting import read_data
    from tiepoint_recommendation.item_space import ProductEncoder, deployment_of

    settings = fit_settings(config)
    with opened_database(store, database) as opened:
        data = read_data(opened, ProductEncoder(deployment_of(config, store), store), settings)
    found: dict[str, dict[str, Any]] = {}
    with progress_of("trials") as report:
        for trial in tuning.tune(data.log, data.space, settings, protocol, trials, report):
            first = {"options": {}, "before": trial.value, "after": trial.value, "trials": 0}
            one = found.setdefault(trial.ranker, first)
            one["trials"] += 1
            if trial.kept:
                one.update(options=trial.options, after=trial.value)
    rankers = {name: one["options"] for name, one in found.items()}
    write_file(out, yaml.safe_dump({"rankers": rankers}, sort_keys=False).encode())
    if as_json:
        print_json({"rankers": found, "figure": tuning.FIGURE, "out": str(out)})
        return
    rows: list[tuple[str, ...]] = [
        (name, f"{one['before']:.4f}", f"{one['after']:.4f}", str(one["options"] or "as it was"))
        for name, one in found.items()
    ]
    print_table(("ranker", f"{tuning.FIGURE} before", "after", "options"), rows)
    echo(f"written: {out}")
