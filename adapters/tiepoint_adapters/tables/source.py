"""Items from a table whose columns hold texts, metadata, and the paths of files."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from tiepoint.config.collections import MetadataType
from tiepoint.errors import ConfigError, InputError, SchemaError
from tiepoint.types import Item, MetadataValue, Skipped
from tiepoint_adapters.tables.readers import READERS, Cells, Reader, column_names
from tiepoint_adapters.tables.values import read_value

_BY_NAME = ("image", "audio", "text")


class Columns(BaseModel):
    """Which column holds what."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(default="id", description="The column of the items' ids.")
    image: str | None = Field(default=None, description="Paths of images, under `root`.")
    audio: str | None = Field(default=None, description="Paths of audio files, under `root`.")
    text: str | None = Field(default=None, description="Texts.")
    texts: dict[str, str] = Field(
        default_factory=dict, description="Columns of further texts, by the field that takes them."
    )
    metadata: dict[str, str] = Field(
        default_factory=dict, description="Columns of metadata, by the name in the collection."
    )

    def names(self) -> list[str]:
        """Return the columns that are read, each once."""
        parts = [self.image, self.audio, self.text, *self.texts.values()]
        named = [self.id, *(part for part in parts if part), *self.metadata.values()]
        return list(dict.fromkeys(named))

    def completed(
        self, present: Collection[str] | None, fields: Collection[str], metadata: Collection[str]
    ) -> Columns:
        """Return these with what goes by name: columns that are not mapped, for what has none.

        Args:
            present: The table's columns; None where they are not known.
            fields: The collection's fields, of which `image`, `audio` and `text` go by name.
            metadata: The names that the collection declares.
        """
        mapped = self.names()

        def free(name: str) -> bool:
            return name not in mapped and (present is None or name in present)

        parts = {
            name: name
            for name in _BY_NAME
            if name in fields
            and getattr(self, name) is None
            and name not in self.texts
            and free(name)
        }
        values = {name: name for name in metadata if name not in self.metadata and free(name)}
        return self.model_copy(update={**parts, "metadata": {**self.metadata, **values}})


_DEFAULT = Columns()


class TableSource:
    """Reads a CSV, TSV, JSON-lines or Parquet file: every row is an item.

    Args:
        path: The file; its suffix says what it is.
        columns: Which column holds what, see `Columns`. A column that is not mapped goes by
            its name: `id`, a field `image`, `audio` or `text`, and declared metadata.
        root: The folder that paths in the table start at, and do not leave; the table's own
            folder if not given.
        delimiter: What separates the cells of a CSV file; a tab in `.tsv` files.
        fields: The fields of the collection that takes the items.

    Raises:
        ConfigError: The delimiter is not one character.
    """

    def __init__(
        self,
        path: Path,
        columns: Columns = _DEFAULT,
        *,
        root: Path | None = None,
        delimiter: str | None = None,
        fields: Collection[str] = (),
    ) -> None:
        self.total: int | None = None
        self.path = path
        self.root = root or path.parent
        self.columns = columns
        self.fields = fields
        self.delimiter = delimiter or ("\t" if self.path.suffix.lower() == ".tsv" else ",")
        if len(self.delimiter) != 1:
            raise ConfigError("must be one character", where="delimiter", hint='Such as ";".')

    def items(self, metadata: Mapping[str, MetadataType]) -> Iterator[Item | Skipped]:
        """Yield the rows in their order.

        Args:
            metadata: The declared types, which cells of CSV files are read as.

        Raises:
            InputError: The table is missing, empty or of an unknown kind, lacks a column, or
                gives the same id twice.
        """
        self._refuse_unknown(metadata)
        reader = self._reader()
        present = column_names(self.path, self.delimiter)
        columns = self.columns.completed(present, self.fields, metadata)
        self._refuse_twins(reader)
        for number, cells in reader(self.path, columns.names(), self.delimiter):
            if isinstance(cells, str):
                yield Skipped(self._place(number), cells)
            else:
                yield self._item(number, cells, columns, metadata)

    def _reader(self) -> Reader:
        if not self.path.is_file():
            raise InputError("no such file", where=str(self.path), hint="Name an existing table.")
        reader = READERS.get(self.path.suffix.lower())
        if reader is None:
            raise InputError(
                f"tables of the kind {self.path.suffix or 'without a suffix'} cannot be read",
                where=str(self.path),
                hint=f"Use one of {', '.join(READERS)}.",
            )
        return reader

    def _refuse_unknown(self, metadata: Mapping[str, MetadataType]) -> None:
        unknown = [name for name in self.columns.metadata if name not in metadata]
        if unknown:
            raise ConfigError(
                "the collection declares no such metadata",
                where=f"columns.metadata.{unknown[0]}",
                hint=f"It declares {', '.join(metadata) or 'none'}.",
            )

    def _refuse_twins(self, reader: Reader) -> None:
        """A first pass that reads little, so that nothing is written of a table with twins."""
        seen: dict[str, int] = {}
        self.total = 0
        for number, cells in reader(self.path, [self.columns.id], self.delimiter):
            self.total += 1
            if isinstance(cells, str):
                continue
            identifier = self._id(cells)
            first = seen.setdefault(identifier, number)
            if identifier and first != number:
                raise InputError(
                    f"the id {identifier!r} is given twice: in row {first} and in row {number}",
                    where=str(self.path),
                    hint="Give every row its own id.",
                )
        if not self.total:
            raise InputError(
                "the table has no rows", where=str(self.path), hint="Give it at least one."
            )

    def _id(self, cells: Cells) -> str:
        value = cells.get(self.columns.id)
        return "" if value is None else str(value).strip()

    def _place(self, number: int) -> str:
        return f"{self.path.name} row {number}"

    def _item(
        self, number: int, cells: Cells, columns: Columns, metadata: Mapping[str, MetadataType]
    ) -> Item | Skipped:
        try:
            return Item(
                self._id(cells),
                image=self._file(cells, columns.image),
                audio=self._file(cells, columns.audio),
                text=_text(cells, columns.text),
                metadata=_metadata(cells, columns, metadata),
                parts={field: _text(cells, name) for field, name in columns.texts.items()},
            )
        except ValueError as error:
            return Skipped(self._place(number), str(error))
        except SchemaError as error:
            return Skipped(self._place(number), error.what)

    def _file(self, cells: Cells, column: str | None) -> str | None:
        name = _text(cells, column)
        if name is None:
            return None
        path = self.root / name
        try:
            inside = path.resolve().is_relative_to(self.root.resolve())
            present = inside and path.is_file()
        except (OSError, ValueError) as error:
            raise ValueError(f"{column}: {name!r:.120} is no path") from error
        if not inside:
            raise ValueError(f"{column}: the path {name!r:.120} leaves the folder {self.root}")
        if not present:
            raise ValueError(f"{column}: there is no file {name!r:.120} in {self.root}")
        return str(path.absolute())


def _metadata(
    cells: Cells, columns: Columns, declared: Mapping[str, MetadataType]
) -> dict[str, MetadataValue]:
    values = {}
    for name, column in columns.metadata.items():
        try:
            value = read_value(cells.get(column), declared[name])
        except ValueError as error:
            raise ValueError(f"{column}: {error}") from error
        if value is not None:
            values[name] = value
    return values


def _text(cells: Cells, column: str | None) -> str | None:
    value = None if column is None else cells.get(column)
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(f"{column}: {value!r:.60} is not a text")
    return value.strip() or None
