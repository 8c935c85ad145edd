"""`tiepoint fusion fit`: from labelled queries to a fusion that a deployment names."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tiepoint.cli.output import echo, print_json, print_table, say
from tiepoint.cli.progress import progress_of
from tiepoint.cli.result_folder import CHECKPOINT, check_result_folder
from tiepoint.errors import ConfigError, InputError

if TYPE_CHECKING:
    from tiepoint.config.models import Deployment
    from tiepoint.fusion.asking import Asked
    from tiepoint.fusion.examples import FusionExamples
    from tiepoint.fusion.fitted import FittedFusion
    from tiepoint.fusion.labelled import LabelledQuery
    from tiepoint.host import Host

SHOWN = 5
HELD_OUT = 0.2
"""Share of the wanted items whose queries are held out where no split is."""
COLUMNS = ("R@1", "R@5", "R@10", "rsum")


@click.command(
    epilog="Example: tiepoint fusion fit deployment.yaml --queries asked.csv --out fusion"
)
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--queries",
    "file",
    type=click.Path(path_type=Path),
    required=True,
    help="CSV or JSON lines: text, image, relevant ids; or a file of pairs.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The folder to write.")
@click.option("--force", is_flag=True, help="Replace a fusion that --out holds already.")
@click.option(
    "--method",
    default="learned-weights",
    show_default=True,
    help="learned-weights, attention, match-head or an installed one.",
)
@click.option("--root", type=click.Path(path_type=Path), help="The folder of the queries' images.")
@click.option("--split", help="Learn from the queries of this split only.")
@click.option("--val", "val_split", metavar="SPLIT", help="The split that is held out.")
@click.option("--lang", "languages", multiple=True, help="Texts of this language; repeatable.")
@click.option("--collection", metavar="NAME", help="May be left out where there is one.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="An option of the method, such as epochs=30; repeatable.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of chance.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def fit(
    config: Path,
    file: Path,
    out: Path,
    force: bool,
    method: str,
    root: Path | None,
    split: str | None,
    val_split: str | None,
    languages: tuple[str, ...],
    collection: str | None,
    settings: tuple[str, ...],
    seed: int,
    as_json: bool,
) -> None:
    """Learn how routes are combined, from queries whose right items are known.

    The collection must hold the relevant items. Without --val a fifth of the wanted items is
    held out with their queries. On what is held out, every route alone and every fusion is
    evaluated, and the probabilities are calibrated. A fusion that --out holds already is replaced
    with --force only.

    With --json: {"method", "out", "queries", "held_out", "skipped": [{"where", "reason"}],
    "unknown", "seconds", "routes", "options", "metrics": {NAME: {"R@1", "R@5", "R@10", "rsum",
    "MRR"}}, "calibration"}.
    """
    from tiepoint.alignment.fitting import FitSettings
    from tiepoint.cli.align.settings import parsed_options
    from tiepoint.fusion.card import SAVED
    from tiepoint.fusion.saved import fitted_fusion
    from tiepoint.host import Host

    check_result_folder(out, SAVED.card, force=force)
    made = fitted_fusion(method)(**parsed_options(settings))  # refuses options before any work
    queries, held_out = _queries(file, root, split, val_split, languages)
    with Host(_unfused(config)) as host:
        asked = _asked(host, collection, queries + held_out, made.needs_vectors)
    learned, val = _divided(asked, len(queries) if held_out else None, seed)
    for skipped in asked.skipped[:SHOWN]:
        say(f"skipped {skipped.where}: {skipped.reason}")
    if len(asked.skipped) > SHOWN:
        say(f"skipped {len(asked.skipped) - SHOWN} more")
    if asked.unknown:
        say(
            f"warning: {len(asked.unknown)} relevant ids are not in the collection, such as"
            f" {asked.unknown[0]}"
        )
    report = made.fit(learned, val, FitSettings(seed, checkpoint=out / CHECKPOINT))
    metrics = _finish(made, val)
    made.save(out)
    shutil.rmtree(out / CHECKPOINT, ignore_errors=True)
    if as_json:
        print_json(
            {
                "method": method,
                "out": str(out),
                "queries": report.queries,
                "held_out": len(val),
                "skipped": [{"where": s.where, "reason": s.reason} for s in asked.skipped],
                "unknown": len(asked.unknown),
                "seconds": round(report.seconds, 3),
                "routes": list(learned.routes),
                "options": made.options.model_dump(mode="json"),
                **metrics,
            }
        )
        return
    _print(metrics["metrics"])
    echo(
        f"{method}: {report.queries} queries in {report.seconds:.1f} s, {len(val)} held out;"
        f" wrote {out}"
    )
    echo(f"fusion: {{type: saved, path: {out}}}")


def _queries(
    file: Path,
    root: Path | None,
    split: str | None,
    val_split: str | None,
    languages: Sequence[str],
) -> tuple[list[LabelledQuery], list[LabelledQuery]]:
    """Return the queries to learn from, and those that are held out by name."""
    from tiepoint.fusion.labelled import read_labelled, select

    if split is not None and split == val_split:
        raise ConfigError(
            f"--split and --val are both {split!r}", hint="Hold out another split, or leave it out."
        )
    found = read_labelled(file, root)
    if val_split is None:
        return select(found, split, languages, str(file)), []
    held_out = select(found, val_split, languages, str(file))
    others = [query for query in found if query.split != val_split]
    return select(others, split, languages, str(file)), held_out


def _unfused(config: Path) -> Deployment:
    """Return the deployment without its own fusion, which may be the one that is to be made."""
    from tiepoint.config.loader import load
    from tiepoint.config.ranking import FusionSection

    deployment = load(config)
    plain = FusionSection(candidates=deployment.fusion.candidates)
    return deployment.model_copy(update={"fusion": plain, "plugins": {}})


def _asked(
    host: Host, collection: str | None, queries: Sequence[LabelledQuery], vectors: bool
) -> Asked:
    from tiepoint.encoders.cache import EmbeddingCache
    from tiepoint.fusion.asking import ask

    cache = EmbeddingCache()
    try:
        with progress_of("queries") as progress:
            return ask(
                host.collection_search(collection),
                host.collection(collection),
                queries,
                cache,
                vectors=vectors,
                progress=progress,
            )
    finally:
        cache.close()


def _divided(asked: Asked, learned: int | None, seed: int) -> tuple[FusionExamples, FusionExamples]:
    """Return the queries to learn from and those held out.

    Args:
        asked: All of them.
        learned: How many of the first are to be learned from; None to hold out by chance.
        seed: Of chance; queries for the same item stay together.

    Raises:
        InputError: Nothing is left of either.
    """
    import numpy as np

    from tiepoint.fusion.examples import wanted_items

    examples = asked.examples
    if learned is not None:
        held_out = np.array(asked.kept) >= learned
    else:
        wanted = wanted_items(examples)
        items = np.random.default_rng(seed).permutation(np.unique(wanted))
        held_out = np.isin(wanted, items[: max(1, round(HELD_OUT * len(items)))])
    if held_out.all() or not held_out.any():
        raise InputError(
            f"{len(examples)} labelled queries cannot be divided into some to learn from and some"
            " to hold out",
            hint="Give queries for two items at least, and better for some hundreds.",
        )
    return examples.of(np.flatnonzero(~held_out)), examples.of(np.flatnonzero(held_out))


def _finish(fusion: FittedFusion, val: FusionExamples) -> dict[str, Any]:
    """Evaluate and calibrate on what was held out, and complete the card."""
    from tiepoint.fusion.calibrating import calibrate, cross_validated
    from tiepoint.fusion.evaluating import figures, ranks_by_method

    ranks = ranks_by_method({fusion.method: fusion}, val)
    metrics: dict[str, Any] = {"metrics": {name: figures(each) for name, each in ranks.items()}}
    calibration = None
    try:
        calibration = calibrate(fusion, val)
        metrics["calibration"] = cross_validated(fusion, val)
    except InputError as error:
        metrics["calibration"] = None
        say(f"warning: probabilities are not calibrated: {error.what}")
    fusion.with_card(metrics=metrics, calibration=calibration)
    return metrics


def _print(metrics: dict[str, dict[str, float]]) -> None:
    rows = [
        (name, *(f"{figures[column]:.1f}" for column in COLUMNS), f"{figures['MRR']:.3f}")
        for name, figures in metrics.items()
    ]
    print_table(("held out", *COLUMNS, "MRR"), rows)
