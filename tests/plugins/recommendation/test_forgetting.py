"""What a user did is gone from data and models, and that can be proved."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.plugins.recommendation.running import run
from tests.plugins.recommendation.test_commands import NOW, write

PARTICULAR = "somebody-very-particular"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    rows: list[tuple[object, ...]] = [
        (f"u{user}", f"i{(user + step) % 9}", "view", NOW + 100 * step)
        for user in range(20)
        for step in range(4)
    ]
    rows += [(PARTICULAR, f"i{step}", "view", NOW + 50 * step) for step in range(5)]
    events = write(tmp_path / "events.csv", "user,item,event,timestamp", rows)
    assert run("recommend", "ingest", "--events", events, "--store", tmp_path / "s").code == 0
    assert run("recommend", "fit", "--store", tmp_path / "s").code == 0
    return tmp_path / "s"


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_nothing_of_the_user_is_left_in_any_file(store: Path) -> None:
    assert PARTICULAR.encode() in bytes_of(store)
    looking = ("--user", PARTICULAR, "--verify", "--store", store, "--json")
    before = json.loads(run("recommend", "forget", *looking).out)
    assert not before["proved"]
    done = run("recommend", "forget", "--user", PARTICULAR, "--store", store, "--json")
    told = json.loads(done.out)
    assert done.code == 0
    assert told["removed_events"] == 5
    assert told["proved"]
    assert PARTICULAR.encode() not in bytes_of(store)


def test_the_model_is_that_of_a_store_that_never_knew_the_user(store: Path, tmp_path: Path) -> None:
    run("recommend", "forget", "--user", PARTICULAR, "--store", store)
    lines = (tmp_path / "events.csv").read_text().splitlines()
    other = tmp_path / "other.csv"
    other.write_text("\n".join(line for line in lines if PARTICULAR not in line) + "\n")
    run("recommend", "ingest", "--events", other, "--store", tmp_path / "o")
    run("recommend", "fit", "--store", tmp_path / "o")
    digests = [
        json.loads(next((folder / "models").glob("*/card.json")).read_text())["sha256"]
        for folder in (store, tmp_path / "o")
    ]
    assert digests[0] == digests[1]


def test_late_events_do_not_bring_the_user_back(store: Path, tmp_path: Path) -> None:
    run("recommend", "forget", "--user", PARTICULAR, "--store", store)
    again = run(
        "recommend", "ingest", "--events", tmp_path / "events.csv", "--store", store, "--json"
    )
    assert json.loads(again.out)["events"]["forgotten"] == 5
    assert json.loads(again.out)["events"]["kept"] == 0


def test_a_model_that_still_knows_the_user_is_found_out(store: Path, tmp_path: Path) -> None:
    former = tmp_path / "former"
    shutil.copytree(store / "models", former)
    run("recommend", "forget", "--user", PARTICULAR, "--store", store)
    shutil.rmtree(store / "models")
    shutil.copytree(former, store / "models")
    found = run("recommend", "forget", "--user", PARTICULAR, "--verify", "--store", store)
    assert found.code == 1
    assert "other events" in found.err
