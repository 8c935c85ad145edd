"""The filter language: what it accepts, what it refuses, what a missing value means."""

import time

import pytest

from tiepoint.errors import FilterError
from tiepoint.index.base import CollectionSchema, Row
from tiepoint.index.columns import Columns
from tiepoint.index.filters import Filter

METADATA = {
    "price": "float",
    "stock": "int",
    "color": "string",
    "new": "bool",
    "tags": "strings",
    "sizes": "ints",
    "in": "string",
}
ITEMS = {
    "a": {"price": 10.0, "stock": 3, "color": "red", "new": True, "tags": ["x", "y"]},
    "b": {"price": 20.5, "color": "blue", "new": False, "tags": [], "sizes": [1, 2]},
    "c": {"stock": -7, "color": 'dé"\\\n%', "tags": ["y"], "in": "box"},
    "d": {},
}


@pytest.fixture(scope="module")
def columns():
    columns = Columns(CollectionSchema("items", (), {}, METADATA))
    columns.append([Row(name, {}, values, {}, "") for name, values in ITEMS.items()])
    columns.revive(0, len(ITEMS))
    return columns


@pytest.mark.parametrize(
    ("where", "passing"),
    [
        ("price < 20", "a"),
        ("price <= 20.5 and price > 10", "b"),
        ("PRICE == 1 or color == 'red'".replace("PRICE", "price"), "a"),
        ("color != 'red'", "bc"),
        ("not color == 'red'", "bcd"),
        ("color in ['red', \"blue\"]", "ab"),
        ("color not in ['red']", "bc"),
        ("not color in ['red']", "bcd"),
        ("color in []", ""),
        ("color not in []", "abc"),
        ("color like 'r%'", "a"),
        ("color like '%l%'", "b"),
        ("color like '_ed'", "a"),
        ("color like '%e%e%'", ""),
        ("color like 'd%%%'", "c"),
        ("color == 'd\\u00e9\"\\\\\\n%'", "c"),
        ("color > 'blue'", "ac"),
        ("new == true", "a"),
        ("new != TRUE", "b"),
        ("tags contains 'y'", "ac"),
        ("tags contains any ['x', 'z']", "a"),
        ("tags contains all ['x', 'y']", "a"),
        ("tags contains all []", "abc"),
        ("tags contains any []", ""),
        ("not tags contains 'y'", "bd"),
        ("sizes contains 2", "b"),
        ("exists tags", "abc"),
        ("missing tags", "d"),
        ("not exists price and not missing stock", "c"),
        ("stock in [3, -7]", "ac"),
        ("`in` == 'box'", "c"),
        ("id == 'd'", "d"),
        ("id in ['a', 'nobody']", "a"),
        ("id like '%' and id != 'a' and id < 'c'", "b"),
        ("exists id", "abcd"),
        ("price < 20 or stock < 0 and color == 'red'", "a"),
        ("(price < 20 or stock < 0) and not color == 'red'", "c"),
    ],
)
def test_filter_passes_the_right_items(columns, where, passing):
    mask = Filter.parse(where, METADATA).mask(columns)
    assert "".join(columns.ids[row] for row in mask.nonzero()[0]) == passing


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("prise < 3", r"character 1: there is no field prise. Did you mean price\?"),
        ("price < 'low'", "character 9: price is compared with a number"),
        ("price < true", "price is compared with a number"),
        ("stock < 2.5", "stock is compared with a whole number"),
        ("stock == 99999999999999999999", "does not fit into 64 bits"),
        ("price == 1e999", "price is compared with a number"),
        ("color == 3", "color is compared with a string"),
        ("new < true", "no order"),
        ("new == 1", "true or false"),
        ("tags == 'x'", "tags is a list"),
        ("color contains 'r'", "color is not a list"),
        ("tags contains 3", "a string"),
        ("price like '1%'", "no text"),
        ("color like 'a\\\\%'", "no escapes"),
        ("color == 'a\\q'", "unknown escape"),
        ("color == '\\ud800'", "not valid Unicode"),
        ("price = 3", "character 7: unexpected '= 3'"),
        ("price <", "character 8: the filter ends too early"),
        ("color == 'red", "unexpected"),
        ("price < 3 color == 'red'", "character 11"),
        ("a.b == 3", "unexpected"),
        ("__import__('os')", "unexpected"),
        ("", "empty"),
        (" " * 70_000, "too long"),
        (f"{'not ' * 40}new == true", "deep"),
        (f"color == '{'x' * 70_000}'", "too long"),
        (3, "a filter is a string"),
    ],
)
def test_bad_filter_is_refused_with_its_place(where, message):
    with pytest.raises(FilterError, match=message) as error:
        Filter.parse(where, METADATA)
    assert "\n" not in str(error.value)


def test_deep_parentheses_are_only_parentheses(columns):
    where = Filter.parse("(" * 5000 + "price < 20" + ")" * 5000, METADATA)
    assert where.mask(columns).tolist() == [True, False, False, False]


def test_hostile_like_pattern_takes_no_time(columns):
    words = Columns(CollectionSchema("items", (), {}, {"name": "string"}))
    words.append([Row("a", {}, {"name": "a" * 20_000}, {}, "")])
    words.revive(0, 1)
    where = Filter.parse(f"name like '{'%a' * 200}%b'", {"name": "string"})
    started = time.monotonic()
    assert not where.mask(words).any()
    assert time.monotonic() - started < 1.0


def test_milvus_expression_escapes_what_a_string_holds():
    where = Filter.parse('color == \'" or id != ""\'', METADATA)
    assert where.to_milvus() == '(m_color is not null and m_color == "\\" or id != \\"\\"")'
