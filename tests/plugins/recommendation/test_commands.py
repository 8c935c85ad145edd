"""The commands of measuring and of making models, from files to files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from tests.plugins.recommendation.running import run

NOW = 1_700_000_000


def write(path: Path, header: str, rows: list[tuple[object, ...]]) -> Path:
    lines = [header, *(",".join(str(cell) for cell in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty users who walk through one of two circles of twelve items, in its order."""
    generator = np.random.default_rng(0)
    rows = []
    for user in range(60):
        start, circle = int(generator.integers(12)), user % 2
        for step in range(8):
            item = f"{'ab'[circle]}{(start + step) % 12}"
            rows.append((f"u{user}", item, "view", NOW + user * 1000 + step * 100))
    return write(tmp_path_factory.mktemp("told") / "events.csv", "user,item,event,timestamp", rows)


@pytest.fixture(scope="module")
def store(events: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop") / "store"
    assert run("recommend", "ingest", "--events", events, "--store", folder).code == 0
    assert run("recommend", "fit", "--store", folder).code == 0
    return folder


def test_prediction_goes_on_where_a_user_stopped(store: Path, tmp_path: Path) -> None:
    users = write(tmp_path / "users.csv", "user", [("u0",), ("u1",)])
    out = tmp_path / "out.csv"
    done = run("recommend", "predict", "--store", store, "--users", users, "-k", 3, "--out", out)
    assert done.code == 0
    rows = list(csv.DictReader(out.open()))
    assert list(rows[0]) == ["user", "item", "rank", "score"]
    assert [row["rank"] for row in rows] == ["1", "2", "3"] * 2
    assert {row["item"][0] for row in rows if row["user"] == "u0"} == {"a"}
    assert {row["item"][0] for row in rows if row["user"] == "u1"} == {"b"}


def test_unknown_users_get_what_is_popular(store: Path, tmp_path: Path) -> None:
    users = tmp_path / "users.txt"
    users.write_text("u0\nnobody\n")
    out = tmp_path / "out.csv"
    done = run("recommend", "predict", "--store", store, "--users", users, "--out", out, "--json")
    assert json.loads(done.out)["unknown"] == 1
    assert any(row["user"] == "nobody" for row in csv.DictReader(out.open()))


def test_telling_the_same_events_again_changes_nothing(store: Path, events: Path) -> None:
    done = run("recommend", "ingest", "--events", events, "--store", store, "--json")
    assert json.loads(done.out)["events"]["kept"] == 0
    assert json.loads(done.out)["events"]["repeated"] == 480


def test_evaluation_is_recomputed_from_its_scores(store: Path, tmp_path: Path) -> None:
    figures, scores = tmp_path / "e.json", tmp_path / "e.csv"
    done = run("recommend", "eval", "--store", store, "--json", figures, "--scores", scores)
    assert done.code == 0
    found = json.loads(figures.read_text())
    ranks = [int(r["rank"]) for r in csv.DictReader(scores.open()) if r["system"] == "blend"]
    assert len(ranks) == 60
    assert found["Recall@10"] == pytest.approx(np.mean(np.array(ranks) <= 10))
    assert found["MRR"] == pytest.approx(np.mean(1 / np.array(ranks)))
    assert found["Recall@10"] > 0.9
    assert found["systems"]["sequence"]["figures"]["MRR"]["value"] > 0.9


@pytest.mark.parametrize("protocol", ["time", "strict-cold"])
def test_every_protocol_measures(store: Path, tmp_path: Path, protocol: str) -> None:
    figures = tmp_path / "e.json"
    done = run("recommend", "eval", "--store", store, "--protocol", protocol, "--json", figures)
    assert done.code == 0
    assert json.loads(figures.read_text())["protocol"] == protocol


def test_a_store_without_events_is_an_input_error(tmp_path: Path) -> None:
    done = run("recommend", "fit", "--store", tmp_path / "none")
    assert done.code == 2
    assert "there are no events yet" in done.err


def test_rows_that_cannot_be_used_are_told_and_the_rest_is_kept(tmp_path: Path) -> None:
    rows = [
        ("u", "i", "view", NOW),
        ("", "i", "view", NOW),
        ("u", "j", "view", "soon"),
        ("u", "k", "view", 4_000_000_000),
        ("u", "l", "view", NOW * 1000),
    ]
    source = write(tmp_path / "e.csv", "user,item,event,timestamp", rows)
    done = run("recommend", "ingest", "--events", source, "--store", tmp_path / "s", "--json")
    told = json.loads(done.out)
    assert done.code == 0
    assert told["events"]["kept"] == 2
    assert told["events"]["units"] == {"s": 1, "ms": 1}
    reasons = " ".join(one["reason"] for one in told["skipped"])
    assert "there is no id" in reasons or "item id" in reasons
    assert "no time" in reasons
    assert "future" in reasons
    strict = run("recommend", "ingest", "--events", source, "--store", tmp_path / "s", "--strict")
    assert strict.code == 2


def test_the_page_shows_every_system_and_escapes_names(store: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert run("recommend", "eval", "--store", store, "--html", page).code == 0
    text = page.read_text()
    assert text.count("<svg") == 4
    assert "sequence" in text
    assert "<script" not in text
