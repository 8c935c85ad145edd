"""Files of labelled queries: what was asked, and which items were wanted."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tiepoint.errors import InputError
from tiepoint.types import IMAGE, TEXT, Modality

SEPARATOR = ";"
"""What stands between several relevant ids in a CSV cell."""


@dataclass(frozen=True)
class LabelledQuery:
    """One query with the items that are right for it.

    Attributes:
        parts: What is asked, by modality: a text, the path of an image.
        relevant: Ids of the wanted items, at least one.
        split: The split it belongs to; empty if the file does not say.
        language: Of the text; empty if the file does not say.
    """

    parts: Mapping[Modality, str]
    relevant: tuple[str, ...]
    split: str = ""
    language: str = field(default="")


def read_labelled(path: Path, root: Path | None = None) -> list[LabelledQuery]:
    """Read labelled queries.

    Either JSON lines (`.jsonl`) of objects with `text`, `image`, `relevant` (a list of ids),
    `split` and `lang`; or CSV with these columns, the ids separated by `;`. A file of pairs
    (`image,text,lang,split`, no `relevant`) is read as texts that ask for their image: the
    relevant id is what stands in `image`.

    Args:
        path: The file, UTF-8.
        root: The folder that images of queries are relative to; that of the file if not given.

    Raises:
        InputError: It cannot be read, a line lacks a query or relevant ids, or there is none.
    """
    rows = _json_lines(path) if path.suffix.lower() in (".jsonl", ".ndjson") else _csv_rows(path)
    folder = root if root is not None else path.parent
    queries = [query for line, row in rows for query in _queries(row, f"{path}:{line}", folder)]
    if not queries:
        raise InputError("the file holds no labelled query", where=str(path))
    return queries


def select(
    queries: Sequence[LabelledQuery], split: str | None, languages: Sequence[str], where: str
) -> list[LabelledQuery]:
    """Return the queries of a split and of some languages; all of them where not said.

    Raises:
        InputError: There are none.
    """
    chosen = [
        query
        for query in queries
        if (split is None or query.split == split)
        and (not languages or not query.language or query.language in languages)
    ]
    if not chosen:
        raise InputError(
            f"no labelled query is in the split {split!r}"
            + (f" and in {' or '.join(languages)}" if languages else ""),
            where=where,
            hint=f"Its splits: {_counted(q.split for q in queries)};"
            f" its languages: {_counted(q.language for q in queries)}.",
        )
    return chosen


def _queries(row: Mapping[str, Any], where: str, folder: Path) -> Iterator[LabelledQuery]:
    values = {name: row.get(name) for name in (TEXT, IMAGE, "lang", "split")}
    for name, value in values.items():
        if value is not None and not isinstance(value, str):
            raise InputError(f"{name} is no text", where=where, hint="Give it as a string.")
    text, image, language, split = (value.strip() if value else "" for value in values.values())
    relevant = row.get("relevant")
    if relevant is None:  # a pair: its text asks for its image
        if text and image:
            yield LabelledQuery({TEXT: text}, (image,), split, language)
        return
    ids = relevant.split(SEPARATOR) if isinstance(relevant, str) else relevant
    if not isinstance(ids, list) or not all(isinstance(id_, str) for id_ in ids):
        raise InputError("relevant is no list of ids", where=where, hint="Give a list of strings.")
    wanted = tuple(dict.fromkeys(id_.strip() for id_ in ids if id_.strip()))
    if not wanted or not (text or image):
        raise InputError(
            "a labelled query needs a text or an image, and relevant ids",
            where=where,
            hint="Complete the line, or remove it.",
        )
    parts = {TEXT: text} if text else {}
    if image:
        parts[IMAGE] = str(folder / image)
    yield LabelledQuery(parts, wanted, split, language)


def _json_lines(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(_text(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(
                f"this is no JSON ({error.msg})", where=f"{path}:{number}", hint="Mend the line."
            ) from error
        if not isinstance(row, dict) or "relevant" not in row:
            raise InputError(
                "this is no object with relevant ids",
                where=f"{path}:{number}",
                hint='Write {"text": ..., "relevant": [...]}.',
            )
        yield number, row


def _csv_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(_text(path).splitlines(keepends=True))
    columns = set(reader.fieldnames or ())
    if not columns & {TEXT, IMAGE} or not ({"relevant"} <= columns or {TEXT, IMAGE} <= columns):
        raise InputError(
            "there are no columns of labelled queries",
            where=str(path),
            hint="The header must have relevant, and text or image; or be that of pairs:"
            " image,text.",
        )
    try:
        for row in reader:
            yield reader.line_num, {name: row.get(name) for name in columns}
    except csv.Error as error:
        raise InputError(f"this is not CSV ({error})", where=str(path)) from error


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise InputError(
            f"the labelled queries cannot be read ({error.strerror})",
            where=str(path),
            hint="Check the path.",
        ) from error
    except UnicodeDecodeError as error:
        raise InputError("this is not UTF-8", where=str(path), hint="Save it as UTF-8.") from error


def _counted(values: Iterable[str]) -> str:
    counts = Counter(values).items()
    return ", ".join(f"{name or '(none)'} ({count})" for name, count in counts)
