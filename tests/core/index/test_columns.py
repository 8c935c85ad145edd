"""Columns: what goes in comes out, also through arrays, and rows live or die together."""

import numpy as np
import pytest

from tiepoint.index.base import CollectionSchema, Row
from tiepoint.index.columns import Columns
from tiepoint.index.filters import Filter

SCHEMA = CollectionSchema(
    "items",
    (),
    (),
    {
        "name": "string",
        "count": "int",
        "price": "float",
        "new": "bool",
        "tags": "strings",
        "sizes": "ints",
        "marks": "floats",
    },
)


def _row(number):
    metadata = {
        "name": f"näme {number % 5}",
        "count": number - 2**62,
        "price": number / 7,
        "new": number % 2 == 0,
        "tags": [f"tag{number % 3}", "all"][: number % 3],
        "sizes": list(range(number % 4)),
        "marks": [number / 3],
    }
    for gap, name in enumerate(list(metadata)):
        if (number + gap) % 6 == 0:
            del metadata[name]
    parts = {"text": f"文字 {number}"} if number % 2 else {"image": f"/pictures/{number}.jpg"}
    return Row(f"item-{number}", {}, metadata, parts, f"digest-{number}")


@pytest.fixture
def columns():
    columns = Columns(SCHEMA)
    for start in (0, 30):
        first = columns.append([_row(number) for number in range(start, start + 30)])
        columns.revive(first, first + 30)
    return columns


def _check(columns, numbers):
    rows = columns.rows([f"item-{number}" for number in numbers])
    expected = [_row(number) for number in numbers]
    assert columns.metadata(rows) == [row.metadata for row in expected]
    assert columns.parts(rows) == [row.parts for row in expected]
    assert columns.digests(rows) == [row.digest for row in expected]


def test_items_come_back_with_their_types(columns):
    _check(columns, range(60))
    assert columns.rows(["item-59", "nobody"]).tolist() == [59, -1]


def test_columns_come_back_from_arrays_and_still_grow(columns):
    again = Columns.of(SCHEMA, columns.arrays())
    first = again.append([_row(60)])
    again.revive(first, first + 1)
    _check(again, range(61))
    where = Filter.parse("name == 'näme 0' and tags contains 'all'", SCHEMA.metadata)
    mask = where.mask(again)
    assert [again.ids[row] for row in mask.nonzero()[0]] == [
        f"item-{n}"
        for n in range(61)
        if _row(n).metadata.get("name") == "näme 0" and "all" in _row(n).metadata.get("tags", ())
    ]


def test_appended_rows_are_dead_until_they_replace_the_old(columns):
    first = columns.append([_row(3), _row(70)])
    assert columns.rows(["item-3", "item-70"]).tolist() == [3, -1]
    columns.revive(first, first + 2)
    assert columns.rows(["item-3", "item-70"]).tolist() == [60, 61]
    assert not columns.live[3]
    columns.kill("item-70")
    assert columns.live.sum() == 60


def test_selected_rows_keep_everything(columns):
    columns.kill("item-0")
    selected = columns.selected(SCHEMA, np.flatnonzero(columns.live))
    assert len(selected) == 59
    _check(selected, range(1, 60))
