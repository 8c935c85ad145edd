"""Events and products from rows."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tiepoint.errors import InputError, SchemaError
from tiepoint.types import Skipped, checked_id
from tiepoint_adapters.tables.readers import column_names
from tiepoint_adapters.tables.values import read_value
from tiepoint_recommendation.reading.mapping import EventMapping, ItemMapping
from tiepoint_recommendation.reading.rows import rows
from tiepoint_recommendation.reading.times import seconds
from tiepoint_recommendation.types import Event, Product

FUTURE_S = 86_400.0
"""How far a clock may be ahead before an event is refused."""
_MOST_LISTED = 1000


@dataclass(slots=True)
class ReadReport:
    """What was met while reading.

    Attributes:
        rows: All rows.
        skipped: Rows that could not be used, with reasons; the first thousand of them.
        n_skipped: How many there were.
        unread: How many rows of products gave none, so that nothing is known of their ids.
        units: How many times were given in each unit.
    """

    rows: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    n_skipped: int = 0
    unread: int = 0
    units: Counter[str] = field(default_factory=Counter)

    def skip(self, place: str, reason: str) -> None:
        """Note a row that cannot be used."""
        self.n_skipped += 1
        if len(self.skipped) < _MOST_LISTED:
            self.skipped.append(Skipped(place, reason))


def read_events(
    source: str, mapping: EventMapping, report: ReadReport, now_s: float | None = None
) -> Iterator[Event]:
    """Yield the events of a file or database; rows that cannot be used are noted.

    Args:
        source: A path or URL.
        mapping: Which column holds what.
        report: What is met is noted here.
        now_s: The present, in seconds since 1970; events more than a day after it are refused.

    Raises:
        InputError: The source cannot be read at all.
    """
    columns = mapping.columns
    required = [columns.user, columns.item, columns.timestamp]
    optional = [columns.session, columns.value]
    (optional if mapping.event is not None else required).append(columns.event)
    latest = (time.time() if now_s is None else now_s) + FUTURE_S
    name = Path(source).name if "://" not in source else "row"
    for number, cells in rows(source, required, optional, mapping.delimiter, mapping.query):
        report.rows += 1
        place = f"{name} row {number}"
        if isinstance(cells, str):
            report.skip(place, cells)
            continue
        try:
            event, unit = _event(cells, mapping)
            if event.time_s > latest:
                raise ValueError("the time is in the future")
        except (ValueError, SchemaError) as error:
            report.skip(place, error.what if isinstance(error, SchemaError) else str(error))
            continue
        report.units[unit] += 1
        yield event


def event_of(cells: Mapping[str, Any], mapping: EventMapping | None = None) -> Event:
    """Return the event of one record, such as a call or a message brings it.

    Raises:
        ValueError: A value is missing or is not what it should be.
        SchemaError: An id cannot be used.
    """
    return _event(cells, mapping or EventMapping())[0]


def _event(cells: Mapping[str, Any], mapping: EventMapping) -> tuple[Event, str]:
    columns = mapping.columns
    user, item = _id(cells, columns.user), _id(cells, columns.item)
    kind = mapping.event or _text(cells.get(columns.event))
    if not kind:
        raise ValueError(f"{columns.event}: the event has no kind")
    raw = cells.get(columns.timestamp)
    if raw is None or raw == "":
        raise ValueError(f"{columns.timestamp}: the event has no time")
    time_s, unit = seconds(raw, mapping.time)
    if time_s < 0:
        raise ValueError(f"{columns.timestamp}: the time is before 1970")
    value = cells.get(columns.value)
    number = None if value is None or value == "" else _number(columns.value, value)
    session = _text(cells.get(columns.session))
    return Event(user, item, mapping.kinds.get(kind, kind), time_s, session, number), unit


def read_products(
    source: str, mapping: ItemMapping, root: Path | None, report: ReadReport
) -> Iterator[Product]:
    """Yield the products of a file or database; rows that cannot be used are noted.

    An id that is given again with the same content is noted and left out; with another one,
    nothing can tell which is right.

    Args:
        source: A path or URL.
        mapping: Which column holds what.
        root: The folder that images lie in; beside the file if not given.
        report: What is met is noted here.

    Raises:
        InputError: The source cannot be read at all, or gives one id with two contents.
    """
    columns = mapping.columns
    others = [name for key, name in columns.model_dump().items() if key != "item"] + list(
        mapping.metadata
    )
    is_file = "://" not in source
    folder = root or (Path(source).parent if is_file else Path())
    name = Path(source).name if is_file else "row"
    seen: dict[str, tuple[int, Product]] = {}
    found = rows(source, [columns.item], others, mapping.delimiter, mapping.query)
    if is_file and Path(source).suffix.lower() == ".parquet" and Path(source).is_file():
        names = column_names(Path(source), "")  # rows have the columns that were asked for only
        if names is not None and columns.item in names:
            _require_catalogue(source, names, mapping)
    for number, cells in found:
        report.rows += 1
        place = f"{name} row {number}"
        if isinstance(cells, str):
            report.unread += 1
            report.skip(place, cells)
            continue
        if report.rows == 1:
            _require_catalogue(source, cells, mapping)
        try:
            product = _product(cells, mapping)
        except (ValueError, SchemaError) as error:
            report.unread += 1
            report.skip(place, error.what if isinstance(error, SchemaError) else str(error))
            continue
        product = _with_image(product, folder, place, report)
        first = seen.setdefault(product.id, (number, product))
        if first[0] != number:
            if first[1] != product:
                raise InputError(
                    f"the id {product.id!r} is given twice with other content: in row {first[0]}"
                    f" ({first[1].title!r:.60}) and in row {number} ({product.title!r:.60})",
                    where=source,
                    hint="Give every product its own id.",
                )
            report.skip(place, f"a repetition of row {first[0]}")
            continue
        yield product


def _require_catalogue(source: str, given: Collection[str], mapping: ItemMapping) -> None:
    """Refuse another table than a catalogue, such as events, before its rows become products."""
    columns = mapping.columns
    content = [columns.title, columns.description, columns.tags, columns.image]
    mapped = {*columns.model_dump().values(), *mapping.metadata}
    unexpected = [name for name in given if name not in mapped]
    if unexpected and not any(name in given for name in content):
        raise InputError(
            f"this is no catalogue: it has no column {_listed(content)}, and has"
            f" {', '.join(unexpected)}",
            where=source,
            hint="Give events as --events, or say under `items` of --map which column holds what.",
        )


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _product(cells: Mapping[str, Any], mapping: ItemMapping) -> Product:
    columns = mapping.columns
    raw_tags = cells.get(columns.tags)
    parts = (
        raw_tags if isinstance(raw_tags, list | tuple) else _text(raw_tags).split(mapping.separator)
    )
    metadata = {}
    for name, declared in mapping.metadata.items():
        value = read_value(cells.get(name), declared)
        if value is not None:
            metadata[name] = value
    price, stock = (_optional(cells, name) for name in (columns.price, columns.stock))
    added = cells.get(columns.added)
    return Product(
        _id(cells, columns.item),
        title=_text(cells.get(columns.title)),
        description=_text(cells.get(columns.description)),
        tags=tuple(tag for tag in (str(part).strip() for part in parts) if tag),
        image=_text(cells.get(columns.image)),
        price=price,
        stock=None if stock is None else int(stock),
        brand=_text(cells.get(columns.brand)),
        category=_text(cells.get(columns.category)),
        added_s=None if added is None or added == "" else seconds(added)[0],
        metadata=metadata,
    )


def _with_image(product: Product, folder: Path, place: str, report: ReadReport) -> Product:
    """Return the product with its image's absolute path, or without one that is not there."""
    from dataclasses import replace

    if not product.image:
        return product
    reason = ""
    path = folder / product.image
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            reason = f"the path {product.image!r:.120} leaves the folder {folder}"
        elif not path.is_file():
            reason = f"there is no file {product.image!r:.120} in {folder}"
    except (OSError, ValueError):
        reason = f"{product.image!r:.120} is no path"
    if reason:
        report.skip(place, f"the product is kept without its image: {reason}")
        return replace(product, image="")
    return replace(product, image=str(path.resolve()))


def _id(cells: Mapping[str, Any], column: str) -> str:
    value = cells.get(column)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None or isinstance(value, bool):
        raise ValueError(f"{column}: there is no id")
    return checked_id(str(value).strip())


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).strip()


def _number(column: str, value: Any) -> float:
    import math

    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{column}: {value!r:.60} is no number") from error
    if not math.isfinite(number):
        raise ValueError(f"{column}: {value!r:.60} is no number")
    return number


def _optional(cells: Mapping[str, Any], column: str) -> float | None:
    value = cells.get(column)
    return None if value is None or value == "" else _number(column, value)
