"""`tiepoint recommend predict`: the best items for any list of users, as CSV or Parquet."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tiepoint.cli.output import echo, print_json, write_file
from tiepoint.errors import InputError
from tiepoint_recommendation.cli.stores import (
    EXISTING_FILE,
    FILE,
    config_option,
    engine_of,
    fit_settings,
    opened_database,
    store_options,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tiepoint_recommendation.histories import Histories
    from tiepoint_recommendation.model import Model
    from tiepoint_recommendation.settings import FitSettings
    from tiepoint_recommendation.storage.database import Database


@click.command(
    epilog="Example: tiepoint recommend predict --store shop --users users.csv -k 20 --out best.csv"
)
@store_options
@config_option
@click.option(
    "--users",
    "users_file",
    type=EXISTING_FILE,
    required=True,
    help="One user in a line, or a CSV with a column `user`.",
)
@click.option("-k", "k", default=20, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--out", type=FILE, required=True, help="CSV, or Parquet by its suffix.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def predict(
    store: Path,
    database: str | None,
    config: Path | None,
    users_file: Path,
    k: int,
    out: Path,
    as_json: bool,
) -> None:
    """Write the k best items of each user: user,item,rank,score, rank from 1.

    What a user has done something with is left out. A user that is not known gets what is
    popular.

    The deployment file's `engine` does the work: Ray spreads it over processes and machines,
    which all reach the store.

    With --json: {"users", "unknown", "rows", "out"}.
    """
    from tiepoint_recommendation.item_space import deployment_of
    from tiepoint_recommendation.saving import load_model
    from tiepoint_recommendation.spread import best_of_many

    users = read_users(users_file)
    settings = fit_settings(config)
    with opened_database(store, database) as opened:
        model = load_model(store)
        histories, unknown = histories_of(opened, model, users, settings)
    with engine_of(deployment_of(config, store)) as engine:
        ranked = sorted(
            best_of_many(engine, store, model, histories, k), key=lambda part: part.start
        )
    rows = [
        (users[user], model.space.ids[item], rank, score)
        for part in ranked
        for user, (items, scores) in enumerate(
            zip(part.items.tolist(), part.scores.tolist(), strict=True), part.start
        )
        for rank, (item, score) in enumerate(zip(items, scores, strict=True), 1)
        if item >= 0
    ]
    write_file(out, _content(rows, out))
    if as_json:
        print_json({"users": len(users), "unknown": unknown, "rows": len(rows), "out": str(out)})
    else:
        known = f", {unknown} of them unknown" if unknown else ""
        echo(f"{len(rows)} rows for {len(users)} users{known}: {out}")


def read_users(path: Path) -> list[str]:
    """Return the users of a list, each once, in their order.

    Raises:
        InputError: There is none, or the file is no text.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"the list of users cannot be read ({error})", where=str(path), hint="Give UTF-8 text."
        ) from error
    cells = list(csv.reader(lines))
    header = [name.strip().lower() for name in cells[0]] if cells else []
    column = header.index("user") if "user" in header else 0
    rest = cells[1:] if "user" in header else cells
    users = [row[column].strip() for row in rest if len(row) > column and row[column].strip()]
    if not users:
        raise InputError(
            "the list names no user", where=str(path), hint="Write one user in each line."
        )
    return list(dict.fromkeys(users))


def histories_of(
    database: Database, model: Model, users: Sequence[str], settings: FitSettings
) -> tuple[Histories, int]:
    """Return the histories of users, empty where unknown, and how many of them are."""
    import numpy as np

    from tiepoint_recommendation.histories import Histories, History
    from tiepoint_recommendation.interactions import event_log
    from tiepoint_recommendation.storage.events import EventStore

    asked = set(users)
    known = model.number_of
    rows = (row for row in EventStore(database).all() if row[0] in asked and row[1] in known)
    log, _ = event_log(rows, settings.events)
    now_s = float(log.time_s.max()) if len(log) else 0.0
    found = log.histories(now_s, settings.events.most_strength)
    numbers = np.array([known[id_] for id_ in log.items], np.int32)
    of_user = {user: number for number, user in enumerate(log.users)}
    some = []
    for user in users:
        if user in of_user:
            one = found[of_user[user]]
            some.append(History(numbers[one.items], one.strengths, one.times_s))
        else:
            some.append(History.empty())
    unknown = sum(not len(one) for one in some)
    return Histories.of(some, now_s), unknown


def _content(rows: list[tuple[str, str, int, float]], out: Path) -> bytes:
    names = ("user", "item", "rank", "score")
    if out.suffix.lower() == ".parquet":
        import pyarrow as pa
        from pyarrow import parquet

        columns = {name: [row[at] for row in rows] for at, name in enumerate(names)}
        sink = io.BytesIO()
        parquet.write_table(pa.table(columns), sink)
        return sink.getvalue()
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows((user, item, rank, f"{score:.6g}") for user, item, rank, score in rows)
    return text.getvalue().encode()
