"""Refits: new models are taken up in one step, and failures leave the former one serving."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from tests.plugins.recommendation.shops import TagEncoder, deployment
from tests.waiting import until
from tiepoint.errors import InputError
from tiepoint_recommendation.fitting import fit
from tiepoint_recommendation.live.asks import Ask
from tiepoint_recommendation.live.settings import LiveSettings, RefitSettings
from tiepoint_recommendation.saving import current_generation
from tiepoint_recommendation.service import RecommendationService
from tiepoint_recommendation.settings import BlendSettings, FitSettings
from tiepoint_recommendation.types import Event, Product

QUICK = FitSettings(blend=BlendSettings(rankers={"popularity": {}, "item-item": {}}))


def generation(service):
    return service.models.shelf.model.generation


def without_content(service):
    """Take texts and pictures from the catalogue, so that a refit needs no encoder."""
    service.catalogue.put(
        [replace(one, title="", description="", tags=()) for one in service.catalogue.all()]
    )


@pytest.fixture
def quick(store):
    service = RecommendationService(store, deployment(store), LiveSettings(), QUICK)
    service.open()
    without_content(service)
    yield service
    service.stop()


def test_a_refit_is_taken_up_and_knows_new_items(quick):
    before = generation(quick)
    quick.catalogue.put([Product("brand-new", stock=1)])
    now = time.time()
    quick.record_events([Event(f"u{n:04d}", "brand-new", "purchase", now) for n in range(30)])
    with pytest.raises(InputError):
        quick.similar("brand-new")
    assert quick.refit()
    assert generation(quick) != before
    assert quick.similar("brand-new").items is not None
    assert quick.health()["status"] == "ok"
    answered = quick.recommend(Ask(user="nobody", k=5, diversity=0.0))
    assert "brand-new" in [one.id for one in answered.items]


def test_a_refit_that_fails_leaves_the_former_model_serving_and_is_shown(store):
    wrong = FitSettings(blend=BlendSettings(rankers={"popularity": {"half_life_days": -1}}))
    service = RecommendationService(store, deployment(store), LiveSettings(), wrong)
    service.open()
    without_content(service)
    before, answered = generation(service), service.recommend(Ask(user="u0001"))
    assert not service.refit()
    told = service.health()
    assert told["status"] == "degraded"
    assert told["refit"]["status"] == "failed"
    assert "half_life_days" in told["refit"]["reason"]
    assert generation(service) == before == current_generation(store)
    again = service.recommend(Ask(user="u0001"))
    assert [one.id for one in again.items] == [one.id for one in answered.items]
    service.stop()


def test_a_refit_that_is_killed_leaves_the_former_model_serving(quick):
    quick.models.shelf  # noqa: B018 - loads it
    before = generation(quick)
    outcome = []
    thread = threading.Thread(target=lambda: outcome.append(quick.refit()))
    thread.start()
    until(lambda: quick._refitter._process is not None)
    while quick._refitter._process.pid is None:
        time.sleep(0.01)
    os.kill(quick._refitter._process.pid, signal.SIGKILL)
    thread.join(30)
    assert outcome == [False]
    assert "ended with -9" in quick.health()["refit"]["reason"]
    assert generation(quick) == before
    assert quick.recommend(Ask(user="u0001")).items
    assert quick.refit()  # and the next one goes well
    assert quick.health()["status"] == "ok"


def test_a_model_that_cannot_be_read_is_told_and_the_former_serves(quick, store):
    before = generation(quick)
    fit(quick.database, store, TagEncoder(), QUICK)
    folder = store / "models" / current_generation(store)
    (folder / "model.safetensors").write_bytes(b"damaged")
    assert not quick.models.follow()
    assert quick.health()["status"] == "degraded"
    assert "cannot be used" in quick.health()["problem"]
    assert generation(quick) == before


def test_a_fit_of_another_process_is_taken_up_and_asks_go_on_meanwhile(quick, store):
    quick.start()
    before = generation(quick)
    ended, failures = threading.Event(), []

    def ask():
        while not ended.is_set():
            try:
                assert len(quick.recommend(Ask(user="u0001")).items) == 10
            except Exception as error:  # noqa: BLE001 - whatever it is fails the test
                failures.append(error)

    askers = [threading.Thread(target=ask) for _ in range(2)]
    for asker in askers:
        asker.start()
    fit(quick.database, store, TagEncoder(), QUICK)
    until(lambda: generation(quick) != before)
    ended.set()
    for asker in askers:
        asker.join()
    assert generation(quick) == current_generation(store) != before
    assert failures == []


def test_enough_new_events_make_a_refit_by_themselves(store):
    live = LiveSettings(refit=RefitSettings(every_s=0.5, after_events=5))
    service = RecommendationService(store, deployment(store), live, QUICK)
    service.open()
    without_content(service)
    service.start()
    before = generation(service)
    time.sleep(1.5)
    assert generation(service) == before  # nothing is new
    now = time.time()
    service.record_events([Event("u0001", f"i{n:04d}", "view", now + n) for n in range(6)])
    until(lambda: generation(service) != before)
    service.stop()


def test_events_that_were_taken_in_survive_a_kill(store):
    code = """
import sys, time
from pathlib import Path
from tests.plugins.recommendation.shops import service_of
from tiepoint_recommendation.types import Event
service = service_of(Path(sys.argv[1]))
service.open()
for n in range(100000):
    service.record_event(Event("victim", f"i{n % 144:04d}", "view", 1.7e9 + n))
    print(n, flush=True)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(store)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=os.fspath(__import__("pathlib").Path(__file__).parents[3]),
    )
    for _ in range(50):
        last = int(process.stdout.readline())
    process.kill()
    rest = process.stdout.read().split()
    process.wait()
    last = int(rest[-1]) if rest else last
    service = RecommendationService(store, deployment(store))
    service.open()
    kept = service.events.recent("victim", 5000)
    assert len(kept) in (last + 1, last + 2)  # what was told, and at most the one under way
    assert service.recommend(Ask(user="victim")).known
    service.stop()


def test_without_a_model_the_service_says_what_to_do(tmp_path):
    service = RecommendationService(tmp_path, deployment(tmp_path))
    service.open()
    assert service.health()["status"] == "no model"
    service.record_event(Event("u", "i", "view", time.time()))
    with pytest.raises(InputError, match="tiepoint recommend fit"):
        service.recommend(Ask(user="u"))
    service.stop()
