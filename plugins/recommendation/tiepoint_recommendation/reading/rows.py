"""Rows of files and of databases, in one form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tiepoint.errors import ConfigError, InputError, StoreError
from tiepoint_adapters.tables.readers import READERS, Cells, NumberedRow, column_names

_CHUNK = 5000


def rows(
    source: str,
    required: Sequence[str],
    optional: Sequence[str],
    delimiter: str | None = None,
    query: str | None = None,
) -> Iterator[NumberedRow]:
    """Yield the rows of a file (CSV, TSV, JSON lines, Parquet) or of a database.

    Args:
        source: A path, or a URL of SQLAlchemy such as `postgresql://host/shop`.
        required: Columns that must be there.
        optional: Columns that are read where they are there.
        delimiter: Of CSV files.
        query: For a database: a SELECT, or the name of a table.

    Raises:
        InputError: The source is missing, of another kind, or lacks a column.
        StoreError: The database cannot be read.
    """
    if "://" in source:
        yield from _database_rows(source, required, query)
        return
    path = Path(source)
    if not path.is_file():
        raise InputError("no such file", where=source, hint="Name an existing table.")
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            f"tables of the kind {path.suffix or 'without a suffix'} cannot be read",
            where=source,
            hint=f"Use one of {', '.join(READERS)}, or a URL of a database.",
        )
    mark = delimiter or ("\t" if path.suffix.lower() == ".tsv" else ",")
    present = column_names(path, mark)
    wanted = list(required)
    if present is None:
        wanted += optional
    else:
        wanted += [name for name in optional if name in present and name not in wanted]
    yield from reader(path, wanted, mark)


def _database_rows(url: str, required: Sequence[str], query: str | None) -> Iterator[NumberedRow]:
    from sqlalchemy import MetaData, Table, create_engine, make_url, select, text
    from sqlalchemy.exc import ArgumentError, NoSuchTableError, SQLAlchemyError

    if not query:
        raise ConfigError(
            "nothing says which table or query the rows come from",
            where="--map (query)",
            hint="Add `query: orders`, or a SELECT, to the mapping.",
        )
    try:
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        where = parsed.render_as_string(hide_password=True)
        engine = create_engine(parsed)
    except (ArgumentError, SQLAlchemyError, ImportError) as error:
        raise ConfigError(
            f"the database cannot be opened ({error})",
            where="--events or --items",
            hint="Give a URL such as postgresql://user@host/name, and install its driver.",
        ) from error
    try:
        with engine.connect() as connection:
            if query.lstrip().lower().startswith(("select", "with")):
                statement = text(query)
                found = connection.execution_options(stream_results=True).execute(statement)
            else:
                table = Table(query, MetaData(), autoload_with=connection)
                found = connection.execution_options(stream_results=True).execute(select(table))
            names = list(found.keys())
            missing = [name for name in required if name not in names]
            if missing:
                raise InputError(
                    f"the rows have no column {', '.join(map(repr, missing))}",
                    where=where,
                    hint=f"Their columns are {', '.join(names)}.",
                )
            number = 0
            for part in found.mappings().partitions(_CHUNK):
                for row in part:
                    number += 1
                    cells: Cells = dict(row)
                    yield number, cells
    except NoSuchTableError as error:
        raise InputError(
            f"the database has no table {query!r}", where=where, hint="Correct `query`."
        ) from error
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise StoreError(
            f"the database cannot be read ({cause})", where=where, hint="See that it is reachable."
        ) from error
    finally:
        engine.dispose()
