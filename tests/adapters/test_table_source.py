"""A table becomes items, row by row, and rows that cannot be used are named by number."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from tiepoint.errors import ConfigError, InputError
from tiepoint.types import Item, Skipped
from tiepoint_adapters.tables.source import Columns, TableSource

DECLARED = {
    "price": "float",
    "stock": "int",
    "sku": "string",
    "new": "bool",
    "tags": "strings",
    "sizes": "ints",
}
COLUMNS = {
    "id": "key",
    "image": "file",
    "text": "title",
    "metadata": {name: name for name in DECLARED},
}
HEADER = "key,file,title,price,stock,sku,new,tags,sizes"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (8, 8), "red").save(tmp_path / "pictures" / "a.jpg")
    return tmp_path


def read(path: Path, columns=COLUMNS, **options) -> list[Item | Skipped]:
    source = TableSource(path, Columns(**columns), root=path.parent / "pictures", **options)
    return list(source.items(DECLARED))


def csv(shop: Path, *rows: str) -> Path:
    path = shop / "items.csv"
    path.write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
    return path


def test_cells_are_read_as_the_declared_types(shop):
    [item] = read(csv(shop, '1,a.jpg,"red, ""warm""\nshoe",12.50,7,007,yes,red; soft,36;37'))
    assert item.id == "1"
    assert item.parts == {
        "image": str(shop / "pictures" / "a.jpg"),
        "text": 'red, "warm"\nshoe',
    }
    assert item.metadata == {
        "price": 12.5,
        "stock": 7,
        "sku": "007",
        "new": True,
        "tags": ["red", "soft"],
        "sizes": [36, 37],
    }


def test_empty_cells_are_missing_parts_and_values(shop):
    [item] = read(csv(shop, "1,,shoe,,,,,,"))
    assert item.parts == {"text": "shoe"}
    assert item.metadata == {}


def test_a_byte_order_mark_and_another_delimiter_are_understood(shop):
    path = shop / "items.csv"
    path.write_bytes(b"\xef\xbb\xbfkey;title\r\n1;sch\xc3\xb6n\r\n")
    [item] = read(path, {"id": "key", "text": "title"}, delimiter=";")
    assert (item.id, item.parts["text"]) == ("1", "schön")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2,a.jpg,x,cheap,1,s,yes,,", "price: 'cheap' is not float"),
        ("2,a.jpg,x,1,1.5,s,yes,,", "stock: '1.5' is not int"),
        ("2,a.jpg,x,1,1,s,perhaps,,", "new: 'perhaps' is not bool"),
        ("2,a.jpg,x,1,1,s,yes,,a;b", "sizes: 'a;b' is not ints"),
        ("2,gone.jpg,x,,,,,,", "there is no file 'gone.jpg'"),
        ("2,../items.csv,x,,,,,,", "leaves the folder"),
        ("2,/etc/hostname,x,,,,,,", "leaves the folder"),
        (f"2,{'x' * 5000},x,,,,,,", "is no path"),
        ("2,a.jpg,x", "3 cells, and the header has 9"),
        (",a.jpg,x,,,,,,", "item id"),
        (f"{'i' * 600},a.jpg,x,,,,,,", "item id"),
        ("2,,,,,,,,", "no part"),
        ("2,a.jpg,caf\udce9,,,,,,", "not UTF-8"),
        (f"2,a.jpg,{'x' * 200_000},,,,,,", "field larger than field limit"),
    ],
)
def test_a_bad_row_is_skipped_and_named_by_its_number(shop, row, reason):
    path = shop / "items.csv"
    text = "\n".join([HEADER, "1,a.jpg,one,,,,,,", row, "3,a.jpg,three,,,,,,", ""])
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    first, skipped, third = read(path)
    assert (first.id, third.id) == ("1", "3")
    assert skipped.where == "items.csv row 3"
    assert reason in skipped.reason


def test_json_lines_keep_their_own_types_and_name_bad_lines(shop):
    path = shop / "items.jsonl"
    path.write_text(
        '{"key": 1, "title": "one", "price": 2, "tags": ["a"]}\n{"key": \n[1]\n\n'
        '{"key": 5, "title": 7}\n{"key": 6, "file": "a.jpg", "price": "free"}\n'
    )
    one, *skipped = read(path)
    assert (one.id, one.metadata) == ("1", {"price": 2, "tags": ["a"]})
    assert [s.where for s in skipped] == [f"items.jsonl row {n}" for n in (2, 3, 5, 6)]
    assert "not valid JSON" in skipped[0].reason
    assert "not a JSON object" in skipped[1].reason
    assert "title: 7 is not a text" in skipped[2].reason
    assert "price: 'free' is not float" in skipped[3].reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"key": "b", "stock": ' + "1" * 5000 + "}", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        (r'{"key": "b\ud800", "title": "two"}', "half of a surrogate pair"),
        (r'{"key": "b", "title": "\udfff"}', "half of a surrogate pair"),
        (r'{"key": "b", "title": "two", "tags": ["\ud800"]}', "half of a surrogate pair"),
    ],
    ids=["digits", "depth", "id", "text", "metadata"],
)
def test_a_hostile_json_line_is_skipped(shop, line, reason):
    path = shop / "items.jsonl"
    path.write_text(line + '\n{"key": "c", "title": "whole \\ud83d\\ude00"}\n')
    skipped, whole = read(path)
    assert reason in skipped.reason
    assert whole.parts["text"] == "whole 😀"


def test_a_parquet_row_that_is_not_utf8_is_skipped(shop):
    raw = pa.array([b"one", b"\xff\xfe", b"three"], pa.binary())
    titles = pa.Array.from_buffers(pa.string(), 3, raw.buffers())
    absent = {name: pa.nulls(3, pa.string()) for name in ("file", *DECLARED)}
    table = pa.table({"key": ["a", "b", "c"], "title": titles, **absent})
    parquet.write_table(table, shop / "items.parquet")
    first, skipped, third = read(shop / "items.parquet")
    assert (first.id, third.id) == ("a", "c")
    assert skipped == Skipped("items.parquet row 2", "the row is not UTF-8")


def test_parquet_is_streamed_over_row_groups(shop):
    path = shop / "items.parquet"
    n = 3000
    table = pa.table(
        {"key": list(range(n)), "title": [f"item {i}" for i in range(n)], "unused": [b"x"] * n}
    )
    parquet.write_table(table, path, row_group_size=1000)
    items = read(path, {"id": "key", "text": "title"})
    assert [item.id for item in items] == [str(i) for i in range(n)]
    assert items[-1].parts == {"text": "item 2999"}


@pytest.mark.parametrize("name", ["items.csv", "items.jsonl", "items.parquet"])
def test_the_same_id_twice_is_found_before_the_first_item(shop, name):
    path = shop / name
    rows = [{"key": key, "title": "x"} for key in ("a", "b", "a")]
    if name.endswith("csv"):
        path.write_text("key,title\na,x\nb,x\na,x\n")
    elif name.endswith("jsonl"):
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        parquet.write_table(pa.Table.from_pylist(rows), path)
    source = TableSource(path, Columns(id="key", text="title"))
    with pytest.raises(InputError, match=r"'a' is given twice: in row \d and in row \d"):
        next(source.items({}))


def test_tables_that_cannot_be_used_say_why(shop):
    with pytest.raises(InputError, match="no such file"):
        read(shop / "absent.csv")
    (shop / "items.xls").write_bytes(b"x")
    with pytest.raises(InputError, match=r"kind \.xls"):
        read(shop / "items.xls")
    (shop / "empty.csv").write_bytes(b"")
    with pytest.raises(InputError, match="empty"):
        read(shop / "empty.csv")
    with pytest.raises(InputError, match="no rows"):
        read(csv(shop))
    (shop / "items.parquet").write_bytes(b"not parquet")
    with pytest.raises(InputError, match="not a readable Parquet file"):
        read(shop / "items.parquet")
    (shop / "other.csv").write_text("id,name\n1,x\n")
    with pytest.raises(InputError, match=r"no column 'key'.*id, name"):
        read(shop / "other.csv")


def test_options_that_cannot_be_used_say_why(shop):
    path = csv(shop, "1,a.jpg,x,,,,,,")
    with pytest.raises(ConfigError, match=r"colour.*It declares price"):
        read(path, {"id": "key", "text": "title", "metadata": {"colour": "title"}})
    with pytest.raises(ConfigError, match="one character"):
        read(path, delimiter="::")


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_columns_that_are_not_mapped_go_by_their_name(shop, suffix):
    path = shop / f"items.{suffix}"
    row = {"id": "1", "image": "a.jpg", "title": "shoe", "text": "red", "price": 2.5, "cost": 1.5}
    if suffix == "csv":
        path.write_text(f"{','.join(row)}\n{','.join(map(str, row.values()))}\n")
    elif suffix == "jsonl":
        path.write_text(json.dumps(row) + "\n")
    else:
        parquet.write_table(pa.Table.from_pylist([row]), path)

    def items(fields: list[str], **columns) -> list[Item | Skipped]:
        mapped = [Columns(**columns)] if columns else []
        source = TableSource(path, *mapped, root=shop / "pictures", fields=fields)
        return list(source.items({"price": "float", "stock": "int"}))

    picture = str(shop / "pictures" / "a.jpg")
    [item] = items(["image", "text"])
    assert (item.id, item.parts) == ("1", {"image": picture, "text": "red"})
    assert item.metadata == {"price": 2.5}
    [item] = items(["text"], text="title", metadata={"price": "cost"})
    assert (item.parts, item.metadata) == ({"text": "shoe"}, {"price": 1.5})
    [item] = items(["text", "caption"], texts={"caption": "text"})
    assert item.parts == {"caption": "red"}
