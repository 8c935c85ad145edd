"""`tiepoint search` and `tiepoint run` as a user runs them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from tests.command_line import TIEPOINT, tiepoint
from tiepoint.index.ownership import StoreLock

DEPLOYMENT = """\
version: 1
encoders:
  words: {type: use}
store: {uri: ./store}
collections:
  items:
    fields:
      text: {words: true}
    metadata: {price: float, color: string}
sources:
  shop:
    type: table
    path: ./shop.csv
    columns: {id: id, text: title, metadata: {price: price, color: color}}
"""
SHOP = """\
id,title,price,color
a,red shoe of leather,20,red
b,blue shoe,30,blue
c,[bold]red[/bold] lamp,40,red
d,green chair,50,
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "deploy.yaml").write_text(DEPLOYMENT)
    (folder / "shop.csv").write_text(SHOP)
    done = tiepoint("index", folder / "deploy.yaml")
    assert done.returncode == 0, done.stderr
    return folder / "deploy.yaml"


@pytest.fixture
def ids(shop, tiepoint_here):
    """Search in this process and return the ids that were found."""

    def search(*options: str) -> list[str]:
        done = tiepoint_here("search", shop, *options, "--json")
        assert done.returncode == 0, done.stderr
        return [hit["id"] for hit in json.loads(done.stdout)["hits"]]

    return search


def test_json_has_the_documented_shape(shop):
    done = tiepoint("search", shop, "--text", "leather shoe", "-k", "1", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert set(answer) == {"hits", "took_ms"}
    assert answer["took_ms"] > 0
    [hit] = answer["hits"]
    [contribution] = hit.pop("contributions")
    assert set(contribution) == {"route", "similarity", "standardised", "weight", "value"}
    assert contribution["route"] == "words->text"
    assert hit["score"] == pytest.approx(contribution["value"])
    assert (hit["id"], hit["probability"]) == ("a", None)
    assert hit["metadata"] == {"price": 20.0, "color": "red"}
    assert hit["parts"] == {"text": "red shoe of leather"}


def test_filters_and_exclusions_are_heeded(ids):
    assert ids("--text", "shoe") == ["b", "a"]
    assert ids("--text", "shoe", "--filter", "price < 25") == ["a"]
    assert ids("--text", "red shoe lamp", "--where", 'color == "red"', "-k", "9") == [
        "c",
        "a",
    ]
    assert ids("--text", "shoe", "--exclude", "b", "--exclude", "c") == ["a"]


def test_the_table_shows_what_was_found_as_it_is_and_why(shop):
    done = tiepoint("search", shop, "--text", "lamp", "--explain", COLUMNS=160)
    assert done.returncode == 0, done.stderr
    assert "[bold]red[/bold] lamp" in done.stdout
    assert "color=red" in done.stdout
    assert "words->text: similarity" in done.stdout
    assert "1 hit in " in done.stdout


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "nothing to search for"),
        (("--text", "cat \udcff"), "--text: this is not UTF-8 text"),
        (("--text", "shoe", "--filter", 'color == "\udcff"'), "--filter: this is not UTF-8 text"),
        (("--text", "shoe", "--exclude", "\udcff"), "--exclude: this is not UTF-8 text"),
        (("--text", "shoe", "-k", "0"), "k is 0"),
        (("--text", "shoe", "-k", "1000000"), "k is 1000000"),
        (("--text", "shoe", "-k", "-3"), "k is -3"),
        (("--text", "shoe", "--filter", "price <"), "price <"),
        (("--text", "shoe", "--filter", "prise < 3"), "prise"),
        (("--text", "shoe", "--filter", 'price < "3"'), "price"),
        (("--text", "shoe", "--collection", "shoes"), "there is no collection 'shoes'"),
        (("--image", "absent.jpg"), "no route leads from image"),
    ],
)
def test_a_question_that_cannot_be_answered_is_one_line_and_code_2(
    shop, tiepoint_here, options, told
):
    done = tiepoint_here("search", shop, *options)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert told in line


def test_a_missing_deployment_is_one_line_and_code_2(tmp_path, tiepoint_here):
    done = tiepoint_here("search", tmp_path / "absent.yaml", "--text", "x")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture
def running(shop):
    process = subprocess.Popen(
        [TIEPOINT, "run", str(shop)], stdout=subprocess.PIPE, text=True, env=os.environ
    )
    assert process.stdout is not None
    ready = process.stdout.readline()
    assert ready == f"ready: process {process.pid}, collections items (4), plugins none\n"
    yield process
    process.kill()
    process.wait()


def test_the_process_that_holds_the_store_answers_for_others(shop, running, ids, tiepoint_here):
    assert ids("--text", "shoe", "--filter", "price < 25") == ["a"]
    refused = tiepoint_here("search", shop, "--text", "shoe", "-k", "0")
    assert refused.returncode == 2
    assert "k is 0" in refused.stderr


def test_a_file_of_other_fields_than_the_holder_serves_is_refused(shop, running, tiepoint_here):
    other = shop.with_name("other.yaml")
    other.write_text(shop.read_text().replace("color: string", "color: strings"))
    refused = tiepoint_here("search", other, "--text", "shoe")
    assert (refused.returncode, refused.stdout) == (2, "")
    [line] = refused.stderr.splitlines()
    assert "serves it with other encoders or fields" in line


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_ends_cleanly_at_a_signal_and_gives_the_store_back(running, ids, number):
    running.send_signal(number)
    assert running.wait(timeout=60) == 0
    assert ids("--text", "chair") == ["d"]


def test_the_store_is_free_again_after_its_holder_was_killed(running, ids):
    running.kill()
    running.wait()
    assert ids("--text", "chair") == ["d"]


def test_searches_at_the_same_time_all_find(shop):
    command = [TIEPOINT, "search", str(shop), "--text", "chair", "--json"]
    searches = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for search in searches:
        stdout, stderr = search.communicate(timeout=120)
        assert search.returncode == 0, stderr
        assert [hit["id"] for hit in json.loads(stdout)["hits"]] == ["d"]


def test_a_holder_that_takes_no_calls_is_waited_for_but_not_for_ever(
    shop, tiepoint_here, monkeypatch
):
    monkeypatch.setattr("tiepoint.cli.asking.WAIT_S", 0.2)
    lock = StoreLock(shop.parent / "store")
    lock.acquire()
    try:
        done = tiepoint_here("search", shop, "--text", "chair")
        assert done.returncode == 2
        assert "takes no calls" in done.stderr
        monkeypatch.setattr("tiepoint.cli.asking.WAIT_S", 60)
        threading.Timer(0.5, lock.release).start()
        assert tiepoint_here("search", shop, "--text", "chair").returncode == 0
    finally:
        lock.release()


def test_a_store_that_is_not_there_is_told_and_not_made(shop, tiepoint_here, tmp_path):
    mistyped = tmp_path / "deploy.yaml"
    mistyped.write_text(shop.read_text().replace("./store", "./stoer"))
    done = tiepoint_here("search", mistyped, "--text", "chair")
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert "there is no store here" in line
    assert f"tiepoint index {mistyped}" in line
    assert not (tmp_path / "stoer").exists()


def test_a_store_whose_path_is_a_file_is_told_as_that(shop, tiepoint_here, tmp_path):
    deployment = tmp_path / "deploy.yaml"
    deployment.write_text(shop.read_text().replace("./store", "./deploy.yaml"))
    done = tiepoint_here("search", deployment, "--text", "chair")
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert "the store's path is a file" in line
    assert "tiepoint index" not in line


def test_without_a_cache_everything_is_found_with_one_warning(tmp_path):
    (tmp_path / "deploy.yaml").write_text(DEPLOYMENT.replace("words: true", "encoder: words"))
    (tmp_path / "shop.csv").write_text(SHOP)
    (tmp_path / "file").touch()
    nowhere = tmp_path / "file" / "cache"
    indexed = tiepoint("index", tmp_path / "deploy.yaml", TIEPOINT_CACHE=nowhere)
    assert indexed.returncode == 0, indexed.stderr
    assert "4 added" in indexed.stdout
    assert indexed.stderr.count("the cache cannot be used") == 1
    found = tiepoint(
        *("search", tmp_path / "deploy.yaml", "--text", "seat", "-k", "1", "--json"),
        TIEPOINT_CACHE=nowhere,
    )
    assert found.returncode == 0, found.stderr
    assert [hit["id"] for hit in json.loads(found.stdout)["hits"]] == ["d"]
