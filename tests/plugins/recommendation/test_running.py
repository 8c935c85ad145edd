"""The plugin on a host, and replicas on one PostgreSQL."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import pytest

from tests.plugins.recommendation.shops import copied, fill, service_of
from tests.postgresql import postgresql_server
from tiepoint import Host
from tiepoint.config.models import Deployment
from tiepoint_recommendation.live.asks import Ask
from tiepoint_recommendation.types import Event


def test_a_host_runs_the_plugin_and_shows_its_health(filled, tmp_path):
    content = {
        "version": 1,
        "store": {"uri": str(tmp_path / "data")},
        "collections": {"items": {"fields": {"look": {"dimensions": 4}}}},
        "plugins": {"recommendation": {"live": {"diversity": 0.3}}},
    }
    copied(filled, tmp_path / "data-recommendation")
    with Host(Deployment.model_validate(content)) as host:
        host.start()
        plugin = host.plugin("recommendation")
        assert len(plugin.service.recommend(Ask(user="u0003")).items) == 10
        told = host.health()["plugins"]["recommendation"]
        assert told["status"] == "ok"
        assert told["items"] == 144
    assert plugin.service is None


@pytest.fixture
def database():
    with tempfile.TemporaryDirectory() as folder, postgresql_server(Path(folder)) as url:
        yield url


def test_replicas_on_postgresql_agree(database, shop, tmp_path):
    fill(shop, tmp_path / "one", database)
    copied(tmp_path / "one", tmp_path / "other")  # each replica has its folder of models
    one, other = (service_of(tmp_path / name, database) for name in ("one", "other"))
    for service in (one, other):
        service.open()
    lamp = next(item for item in shop.items if item.kind == "lamp")
    one.record_event(Event("traveller", lamp.id, "cart", time.time(), session="s"))
    for ask in (Ask(user="traveller", k=10), Ask(session="s", k=10)):
        answers = [[item.id for item in each.recommend(ask).items] for each in (one, other)]
        assert answers[0] == answers[1]
        assert other.recommend(ask).known
    one.record_event(Event("traveller", answers[0][0], "click", time.time()))
    other.record_event(Event("traveller", answers[0][1], "click", time.time()))
    assert len(one.events.recent("traveller")) == len(other.events.recent("traveller")) == 3
    for service in (one, other):
        service.stop()
