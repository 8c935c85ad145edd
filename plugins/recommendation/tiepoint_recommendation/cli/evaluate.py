"""`tiepoint recommend eval` and `compare`: measure by a protocol, alone or beside peers."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tiepoint.cli.json_file import deliver, json_option
from tiepoint.cli.output import echo, print_table, write_file
from tiepoint_recommendation.cli.stores import (
    FILE,
    config_option,
    fit_settings,
    opened_database,
    store_options,
)

if TYPE_CHECKING:
    from tiepoint_recommendation.evaluation.protocol import Measured

Command = TypeVar("Command", bound=Callable[..., Any])
_SHOWN = ("Recall@10", "Recall@20", "NDCG@10", "NDCG@20", "MRR")


def measuring_options(command: Command) -> Command:
    """Add what `eval` and `compare` have in common."""
    for option in (
        click.option("--html", "html_file", type=FILE, help="Write a page with plots."),
        click.option(
            "--scores", "scores_file", type=FILE, help="Write each query's ranks to this CSV."
        ),
        json_option,
        click.option(
            "--protocol",
            type=click.Choice(["leave-last", "time", "strict-cold"]),
            default="leave-last",
            show_default=True,
        ),
        config_option,
        store_options,
    ):
        command = option(command)
    return command


@click.command(
    "eval",
    epilog="Example: tiepoint recommend eval --store shop --protocol time --json figures.json",
)
@measuring_options
def evaluate(
    store: Path,
    database: str | None,
    config: Path | None,
    protocol: str,
    json_file: Path | None,
    scores_file: Path | None,
    html_file: Path | None,
) -> None:
    """Measure the blend and each ranker on what users did later.

    Full ranking of the catalogue, seen items left out. Everything is fitted, and the blend's
    weights are learned, on the training part only. The model in the store is not touched.

    --scores: system,split,user,item,rank of every relevant item, rank from 1.
    """
    measured = _measured(store, database, config, protocol, peers=False)
    _write(measured, json_file, scores_file, html_file)


@click.command(epilog="Example: tiepoint recommend compare --store shop --html figures.html")
@measuring_options
def compare(
    store: Path,
    database: str | None,
    config: Path | None,
    protocol: str,
    json_file: Path | None,
    scores_file: Path | None,
    html_file: Path | None,
) -> None:
    """Measure as `eval` does, with peers on the same split.

    Peers: ALS, BPR and cosine neighbours of the package `implicit`, with the setting that is
    best on an inner part of the training events, and popularity. Ratios have paired bootstrap
    intervals over users.
    """
    measured = _measured(store, database, config, protocol, peers=True)
    _write(measured, json_file, scores_file, html_file)


def _measured(
    store: Path, database: str | None, config: Path | None, protocol: str, *, peers: bool
) -> Measured:
    from tiepoint.cli.progress import progress_of
    from tiepoint_recommendation.evaluation.protocol import measure
    from tiepoint_recommendation.fitting import read_data
    from tiepoint_recommendation.item_space import ProductEncoder, deployment_of

    settings = fit_settings(config)
    with opened_database(store, database) as opened:
        data = read_data(opened, ProductEncoder(deployment_of(config, store), store), settings)
    with progress_of("splits") as report:
        return measure(data.log, data.space, settings, protocol, peers=peers, progress=report)


def _write(
    measured: Measured, json_file: Path | None, scores_file: Path | None, html_file: Path | None
) -> None:
    from tiepoint_recommendation.evaluation.protocol import report

    figures = report(measured)
    if scores_file is not None:
        write_file(scores_file, _scores(measured))
    if html_file is not None:
        from tiepoint_recommendation.evaluation.page import page

        write_file(html_file, page(figures).encode())
    if deliver(json_file, figures):
        _print(measured, figures)


def _print(measured: Measured, figures: dict[str, Any]) -> None:
    from tiepoint_recommendation.evaluation.protocol import BLEND

    for note in figures["splits"]:
        echo(f"{measured.protocol}: {note}")
    rows = []
    for name, one in figures["systems"].items():
        shown = tuple(f"{one['figures'][figure]['value']:.4f}" for figure in _SHOWN)
        ratio = "" if name == BLEND else _ratio(figures["against"][name]["Recall@20"]["ratio"])
        rows.append((name, *shown, ratio))
    print_table(("system", *_SHOWN, "blend's Recall@20 is"), rows)
    whole = figures["systems"][BLEND]["figures"]["Recall@20"]
    echo(
        f"blend: Recall@20 {whole['value']:.4f} (95 % {whole['low']:.4f} to {whole['high']:.4f}),"
        f" coverage {figures['coverage']:.3f}, novelty {figures['novelty']:.2f} bits"
    )


def _ratio(found: list[float]) -> str:
    value, low, high = found
    if low > 1000:  # the other one found nothing
        return "-"
    return f"{value:.2f}x ({low:.2f} to {high:.2f})"


def _scores(measured: Measured) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("system", "split", "user", "item", "rank"))
    for name, system in measured.systems.items():
        for number, (split, answers) in enumerate(
            zip(measured.splits, system.answers, strict=True)
        ):
            for user, wanted, ranks in zip(split.users, split.wanted, answers.ranks, strict=True):
                writer.writerows(
                    (name, number, measured.names[user], measured.items[item], rank + 1)
                    for item, rank in zip(wanted.tolist(), ranks.tolist(), strict=True)
                )
    return text.getvalue().encode()
