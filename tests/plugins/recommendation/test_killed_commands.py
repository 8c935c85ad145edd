"""Commands that are killed in the middle, and run again."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.plugins.recommendation.running import run
from tests.waiting import until
from tiepoint.errors import StoreError
from tiepoint_recommendation.saving import current_generation, load_model
from tiepoint_recommendation.storage.catalogue import CatalogueStore
from tiepoint_recommendation.storage.database import Database
from tiepoint_recommendation.storage.events import EventStore

N_EVENTS, N_ITEMS = 60_000, 3_000


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A catalogue with nothing to encode, and events that take a while to write."""
    folder = tmp_path_factory.mktemp("files")
    items = (f"i{n},{n / 10},{n % 7}" for n in range(N_ITEMS))
    (folder / "items.csv").write_text("\n".join(["item,price,stock", *items]) + "\n")
    events = (f"u{n % 500},i{n % N_ITEMS},view,{1_700_000_000 + n}" for n in range(N_EVENTS))
    (folder / "events.csv").write_text("\n".join(["user,item,event,timestamp", *events]) + "\n")
    return folder


def killed_when(met, *words):
    """Run `tiepoint recommend` in a process of its own, and kill it when something is so."""
    program = "import sys; from tiepoint.cli.main import main; sys.exit(main(sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "recommend", *map(str, words)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: met() or process.poll() is not None, 120)
    finally:
        process.kill()
    return process.wait()


def counted(store, of):
    if not (store / "recommendation.db").exists():
        return 0
    database = Database.of_store(store)
    try:
        return of(database).count()
    except StoreError:  # it is just being made
        return 0
    finally:
        database.close()


@pytest.mark.parametrize("of", [CatalogueStore, EventStore])
def test_an_ingest_that_was_killed_is_run_again_and_all_is_there_once(files, tmp_path, of):
    store = tmp_path / "store"
    words = ("--items", files / "items.csv", "--events", files / "events.csv", "--store", store)
    assert killed_when(lambda: counted(store, of) > 0, "ingest", *words) == -9
    some = counted(store, EventStore)
    assert some < N_EVENTS
    assert some % 5000 == 0  # whole transactions
    assert counted(store, CatalogueStore) == N_ITEMS
    told = json.loads(run("recommend", "ingest", *words, "--json").out)["events"]
    assert (told["repeated"], told["kept"]) == (some, N_EVENTS - some)
    database = Database.of_store(store)
    assert CatalogueStore(database).count() == N_ITEMS
    events = [row[:4] for row in EventStore(database).all()]
    database.close()
    assert len(events) == len(set(events)) == N_EVENTS


def fitting(store):
    return (store / "models" / "fit.lock").exists()


def writing(store):
    """Whether there is a generation that is not current."""
    models, current = store / "models", current_generation(store)
    return models.exists() and any(one.is_dir() and one.name != current for one in models.iterdir())


@pytest.mark.parametrize("met", [fitting, writing])
def test_a_fit_that_was_killed_leaves_a_model_or_none_and_is_run_again(files, tmp_path, met):
    store, config = tmp_path / "store", tmp_path / "few.yaml"
    config.write_text(
        "version: 1\nstore: {uri: items}\ncollections: {items: {fields: {x: {dimensions: 4}}}}\n"
        "plugins: {recommendation: {fit: {blend: {rankers: {popularity: {}, item-item: {}}}}}}\n"
    )
    words = ("--events", files / "events.csv", "--store", store)
    assert run("recommend", "ingest", *words).code == 0
    fit = ("fit", "--store", store, "--config", config)
    killed_when(lambda: met(store), *fit)
    first = current_generation(store)
    if first is not None:
        load_model(store)
    assert run("recommend", *fit).code == 0
    second = current_generation(store)
    assert second != first
    whole = load_model(store)
    killed_when(lambda: met(store) and current_generation(store) == second, *fit)
    assert load_model(store).last_event == whole.last_event == N_EVENTS
    assert run("recommend", *fit).code == 0
    left = [one.name for one in (store / "models").iterdir() if one.is_dir()]
    assert len(left) <= 2  # what was cut off is cleared away
