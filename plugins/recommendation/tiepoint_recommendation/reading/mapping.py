"""Which column holds what, as a YAML file says it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from tiepoint.config.collections import MetadataType
from tiepoint.config.problems import validate
from tiepoint.config.sections import Section
from tiepoint.errors import ConfigError

TimeUnit = Literal["auto", "s", "ms", "us", "ns", "iso"]


class EventColumns(Section):
    """The columns of events."""

    user: str = Field(default="user", title="User", description="The column of users' ids.")
    item: str = Field(default="item", title="Item", description="The column of items' ids.")
    event: str = Field(default="event", title="Event", description="The column of kinds.")
    timestamp: str = Field(default="timestamp", title="Timestamp", description="That of times.")
    session: str = Field(
        default="session", title="Session", description="That of visits; may be absent."
    )
    value: str = Field(
        default="value", title="Value", description="That of numbers; may be absent."
    )


class EventMapping(Section):
    """How events are read."""

    columns: EventColumns = Field(
        default_factory=EventColumns, title="Columns", description="Which column holds what."
    )
    event: str | None = Field(
        default=None, title="Event", description="The kind of all events, in place of a column."
    )
    kinds: dict[str, str] = Field(
        default_factory=dict,
        title="Kinds",
        description="What to call the kinds of the file.",
        examples=[{"buy": "purchase"}],
    )
    time: TimeUnit = Field(
        default="auto",
        title="Time",
        description="The unit of numbers since 1970; `auto` tells it by each number's size, and"
        " reads ISO 8601, too (UTC where no zone is given).",
    )
    delimiter: str | None = Field(
        default=None, title="Delimiter", description="Of CSV files; a comma if not given."
    )
    query: str | None = Field(
        default=None,
        title="Query",
        description="The SELECT, or the name of the table, where events come from a database.",
    )


class ItemColumns(Section):
    """The columns of items; all but the first may be absent."""

    item: str = Field(default="item", title="Item", description="The column of items' ids.")
    title: str = Field(default="title", title="Title", description="That of titles.")
    description: str = Field(
        default="description", title="Description", description="That of descriptions."
    )
    tags: str = Field(default="tags", title="Tags", description="That of tags.")
    image: str = Field(default="image", title="Image", description="Paths under --root.")
    price: str = Field(default="price", title="Price", description="That of prices.")
    stock: str = Field(default="stock", title="Stock", description="That of pieces in stock.")
    brand: str = Field(default="brand", title="Brand", description="That of brands.")
    category: str = Field(default="category", title="Category", description="That of categories.")
    added: str = Field(default="added", title="Added", description="When items came.")


class ItemMapping(Section):
    """How products are read."""

    columns: ItemColumns = Field(
        default_factory=ItemColumns, title="Columns", description="Which column holds what."
    )
    separator: str = Field(
        default=";", min_length=1, title="Separator", description="What stands between tags."
    )
    metadata: dict[str, MetadataType] = Field(
        default_factory=dict,
        title="Metadata",
        description="Further columns that are kept, with their types.",
        examples=[{"colour": "string"}],
    )
    delimiter: str | None = Field(
        default=None, title="Delimiter", description="Of CSV files; a comma if not given."
    )
    query: str | None = Field(
        default=None,
        title="Query",
        description="The SELECT, or the name of the table, where items come from a database.",
    )


class Mapping(Section):
    """A schema mapping: what `ingest --map` takes."""

    events: EventMapping = Field(
        default_factory=EventMapping, title="Events", description="How events are read."
    )
    items: ItemMapping = Field(
        default_factory=ItemMapping, title="Items", description="How products are read."
    )


def read_mapping(path: Path | None) -> Mapping:
    """Read a mapping; the default one without a file.

    Raises:
        ConfigError: The file cannot be read, or is no mapping.
    """
    import yaml

    if path is None:
        return Mapping()
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(
            f"the mapping cannot be read ({error})", where=str(path), hint="Correct the file."
        ) from error
    if not isinstance(content, dict):
        raise ConfigError(
            "the mapping is not a mapping of names",
            where=str(path),
            hint="Write `events: {columns: {user: ...}}`.",
        )
    return validate(Mapping, content, (str(path),))
