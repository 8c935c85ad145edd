"""`tiepoint recommend ingest`: bring in events and products."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tiepoint.cli.output import echo, print_json, say
from tiepoint.errors import InputError
from tiepoint_recommendation.cli.stores import (
    EXISTING_FILE,
    FOLDER,
    config_option,
    opened_database,
    store_options,
)

if TYPE_CHECKING:
    from tiepoint_recommendation.reading.records import ReadReport

_BATCH = 5000
_LISTED = 5


@click.command(
    epilog="Example: tiepoint recommend ingest --events events.csv --items items.csv --store shop"
)
@store_options
@config_option
@click.option("--events", metavar="F", help="CSV, TSV, JSONL or Parquet file, or a database URL.")
@click.option("--items", metavar="F", help="The catalogue, of the same kinds.")
@click.option(
    "--root", type=FOLDER, help="The folder of the items' images; the file's own if not given."
)
@click.option(
    "--map", "map_file", type=EXISTING_FILE, help="YAML that says which column holds what."
)
@click.option("--prune", is_flag=True, help="Remove products that --items does not have.")
@click.option("--strict", is_flag=True, help="Exit with 2 where a row cannot be used.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def ingest(
    context: click.Context,
    store: Path,
    database: str | None,
    config: Path | None,
    events: str | None,
    items: str | None,
    root: Path | None,
    map_file: Path | None,
    prune: bool,
    strict: bool,
    as_json: bool,
) -> None:
    """Bring events (user,item,event,timestamp) and items (item,title,...) into a store.

    What is told again changes nothing, so an ingest that was interrupted is simply run again.
    Texts and pictures of the items are encoded here, once.

    With --json: {"events": {"rows", "kept", "repeated", "forgotten", "skipped", "units"},
    "items": {"rows", "kept", "removed", "skipped", "unreadable"},
    "skipped": [{"where", "reason"}]}.
    """
    from tiepoint.cli.progress import progress_of
    from tiepoint_recommendation.reading.mapping import read_mapping
    from tiepoint_recommendation.reading.records import ReadReport, read_events, read_products
    from tiepoint_recommendation.storage.catalogue import CatalogueStore
    from tiepoint_recommendation.storage.events import EventStore

    if events is None and items is None:
        raise click.UsageError("give --events, --items or both")
    if prune and items is None:
        raise click.UsageError("--prune goes with --items")
    mapping = read_mapping(map_file)
    of_items, of_events = ReadReport(), ReadReport()
    kept_items, removed, unreadable = 0, 0, []
    counts: Counter[str] = Counter()
    with opened_database(store, database, new=True) as opened:
        if items is not None:
            products = list(read_products(items, mapping.items, root, of_items))
            _require_some(of_items, items)
            if prune and of_items.unread:
                raise InputError(
                    f"{of_items.unread} rows cannot be used, so nothing tells which products left"
                    f" ({of_items.skipped[0].where}: {of_items.skipped[0].reason})",
                    where=items,
                    hint="Correct them, or go without --prune.",
                )
            CatalogueStore(opened).put(products)
            kept_items = len(products)
            if prune:
                removed = CatalogueStore(opened).keep_only([one.id for one in products])
            unreadable = _encode(store, config, products)
        if events is not None:
            with progress_of("events") as report:
                told = read_events(events, mapping.events, of_events)
                while batch := list(islice(told, _BATCH)):
                    appended = EventStore(opened).append(batch)
                    counts.update(appended._asdict())
                    report(of_events.rows, None)
            _require_some(of_events, events)
    skipped = [*of_items.skipped, *of_events.skipped]
    result: dict[str, Any] = {
        "events": {
            "rows": of_events.rows,
            "kept": counts["kept"],
            "repeated": counts["repeated"],
            "forgotten": counts["forgotten"],
            "skipped": of_events.n_skipped,
            "units": dict(of_events.units),
        },
        "items": {
            "rows": of_items.rows,
            "kept": kept_items,
            "removed": removed,
            "skipped": of_items.n_skipped,
            "unreadable": [{"item": one.product, "reason": one.reason} for one in unreadable],
        },
        "skipped": [{"where": one.where, "reason": one.reason} for one in skipped],
    }
    if as_json:
        print_json(result)
    else:
        _tell(result)
    if strict and (of_items.n_skipped or of_events.n_skipped or unreadable):
        context.exit(2)


def _encode(store: Path, config: Path | None, products: Any) -> Any:
    """Encode products now, so that no fit has to wait for it; returns what cannot be read."""
    from tiepoint.cli.progress import progress_of
    from tiepoint_recommendation.item_space import ProductEncoder, deployment_of

    with (
        progress_of("texts and pictures") as report,
        ProductEncoder(deployment_of(config, store), store) as encoder,
    ):
        return encoder.vectors(products, report)[1]


def _require_some(report: ReadReport, source: str) -> None:
    if report.rows == report.n_skipped:
        first = ""
        if report.skipped:
            first = f" ({report.skipped[0].where}: {report.skipped[0].reason})"
        raise InputError(
            f"no row can be used{first}", where=source, hint="Correct the file, or give --map."
        )


def _tell(result: dict[str, Any]) -> None:
    for name in ("items", "events"):
        counts = result[name]
        if not counts["rows"]:
            continue
        text = f"{name}: {counts['kept']} kept of {counts['rows']}"
        for key in ("repeated", "forgotten", "skipped", "removed"):
            if counts.get(key):
                text += f", {counts[key]} {key}"
        echo(text)
    units = result["events"]["units"]
    if len(units) > 1:
        listed = ", ".join(f"{count} in {unit}" for unit, count in units.items())
        say(f"the times are of several units: {listed}")
    for one in result["skipped"][:_LISTED]:
        say(f"skipped {one['where']}: {one['reason']}")
    if len(result["skipped"]) > _LISTED:
        say(f"... and {len(result['skipped']) - _LISTED} more; --json lists them")
    for one in result["items"]["unreadable"][:_LISTED]:
        say(f"{one['item']}: kept without what cannot be read: {one['reason']}")
