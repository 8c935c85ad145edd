"""Tables that are not what they are given as, and catalogues of which products left."""

from __future__ import annotations

import json

import pytest

from tests.plugins.recommendation.running import run

EVENTS = "user,item,event,timestamp\nann,a,click,1700000000\nbob,b,click,1700000001\n"


@pytest.fixture
def ingest(tmp_path):
    def ingest(*words):
        done = run("recommend", "ingest", "--store", tmp_path / "store", *words, "--json")
        return done, json.loads(done.out) if done.code == 0 else None

    return ingest


def written(path, text):
    path.write_text(text)
    return path


def test_events_are_refused_as_a_catalogue_by_the_names_of_columns(ingest, tmp_path):
    from pyarrow import csv, parquet

    table = written(tmp_path / "events.csv", EVENTS)
    parquet.write_table(csv.read_csv(table), tmp_path / "events.parquet")
    lines = written(
        tmp_path / "events.jsonl",
        '{"user": "ann", "item": "a", "event": "click", "timestamp": 1700000000}\n',
    )
    for source in (table, tmp_path / "events.parquet", lines):
        done, _ = ingest("--items", source)
        assert done.code == 2
        first = done.err.splitlines()[0]
        assert "no column title, description, tags or image" in first
        assert "user, event, timestamp" in first
    assert not (tmp_path / "store" / "recommendation.db").exists()


def test_a_catalogue_is_refused_as_events_by_all_that_it_lacks(ingest, tmp_path):
    done, _ = ingest("--events", written(tmp_path / "items.csv", "item,title\na,Lamp\n"))
    assert done.code == 2
    assert "no column 'user', 'timestamp', 'event'" in done.err.splitlines()[0]


@pytest.mark.parametrize("header", ["item", "item,price,stock", "item,title,further"])
def test_a_catalogue_may_say_little(ingest, tmp_path, header):
    cells = {"item": "a", "price": "1", "stock": "2", "title": "", "further": "x"}
    row = ",".join(cells[name] for name in header.split(","))
    _, told = ingest("--items", written(tmp_path / "items.csv", f"{header}\n{row}\n"))
    assert told["items"]["kept"] == 1


def test_products_that_the_file_lacks_go_where_that_is_asked_for(ingest, tmp_path):
    items = tmp_path / "items.csv"
    _, told = ingest("--items", written(items, "item,price\na,1\nb,2\nc,3\n"))
    assert told["items"]["kept"] == 3
    _, told = ingest("--items", written(items, "item,price\na,1\n"))
    assert told["items"]["removed"] == 0
    done, _ = ingest("--items", written(items, "item,price\na,1\nb,dear\n"), "--prune")
    assert done.code == 2
    assert "row 3" in done.err.splitlines()[0]
    assert "b" in done.err
    _, told = ingest("--items", written(items, "item,price\na,1\na,1\n"), "--prune")
    assert told["items"]["removed"] == 2
    assert ingest("--prune", "--events", written(tmp_path / "e.csv", EVENTS))[0].code == 2
