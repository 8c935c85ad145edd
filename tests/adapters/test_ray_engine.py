"""Encoding on a local Ray cluster: the same items, each once, whatever dies."""

import os
import signal

import pytest

from tests.distributions import install
from tiepoint import Host, Item, registry
from tiepoint.config.loader import loads
from tiepoint.errors import ConfigError, DecodeError

pytest.importorskip("ray", reason="Ray is not installed")

ENCODER = """
import hashlib, time
import numpy as np
from tiepoint.encoders.base import Encoder
from tiepoint.errors import DecodeError

class SlowWords(Encoder):
    modalities = ("text",)
    dim = 16
    fingerprint = "slow-words-1"

    def __init__(self, seconds=0.0):
        self.seconds = seconds

    def prepare(self, part, modality=None):
        if "broken" in part:
            raise DecodeError("the text is broken", hint="Mend it.")
        return np.random.default_rng(list(part.encode())).standard_normal(16)

    def infer(self, prepared, modality=None):
        time.sleep(self.seconds * len(prepared))
        x = np.asarray(prepared, np.float32)
        return x / np.linalg.norm(x, axis=1, keepdims=True)
"""
FILE = """
version: 1
encoders:
  words: {{type: slow-words, seconds: {seconds}}}
store: {{uri: {store}}}
collections:
  items:
    fields:
      text: {{encoder: words, words: true}}
    metadata: {{number: int}}
engine: {engine}
"""


@pytest.fixture(scope="module", autouse=True)
def words(tmp_path_factory):
    """An encoder that workers find as they find any other: by its distribution."""
    folder = tmp_path_factory.mktemp("site")
    entry_points = {"tiepoint.encoders": {"slow-words": "slow_words:SlowWords"}}
    install(folder, "slow-words", entry_points, {"slow_words": ENCODER})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        patch.syspath_prepend(str(folder))
        registry.refresh()
        yield
    registry.refresh()


def host(store, engine, seconds=0.0):
    text = FILE.format(store=store, engine=engine, seconds=seconds)
    return Host(loads(text))


def items(count, start=0):
    return [
        Item(id=f"item {i}", text=f"words of number {i}", metadata={"number": i})
        for i in range(start, start + count)
    ]


def content(host, count):
    ids = [f"item {i}" for i in range(count)]
    collection = host.collection()
    found = collection.search_vector("text", host.encoder("words").encode(["x"])[0], 9, None, ())
    return collection.digests(ids), collection.get(ids), found.ids, len(collection)


def test_a_killed_worker_is_made_up_for_and_each_item_is_stored_once(tmp_path):
    count, killed = 1200, []

    def kill_one(report):
        workers = engine_of(two)["workers"]
        if not killed and report.added >= 128 and workers:
            killed.append(workers[0]["process"])
            os.kill(killed[0], signal.SIGKILL)

    with host(tmp_path / "two", "{type: ray, workers: 2}", seconds=0.002) as two:
        report = two.add(items(count), progress=kill_one)
        assert killed
        assert (report.added, report.unchanged, report.skipped) == (count, 0, [])
        workers = engine_of(two)["workers"]
        assert len({worker["process"] for worker in workers}) >= 3
        assert sum(worker["items"] for worker in workers) == count
        again = two.add(items(count))
        assert (again.added, again.unchanged) == (0, count)
        spread = content(two, count)
    with host(tmp_path / "one", "{type: local}") as one:
        one.add(items(count))
        assert content(one, count) == spread


def engine_of(host):
    return host.health()["engine"]


@pytest.mark.slow
def test_a_broken_item_is_skipped_or_raised_as_in_one_process(tmp_path):
    broken = Item(id="bad", text="this is broken", metadata={})
    mixed = [*items(100), broken, *items(100, start=100)]
    with host(tmp_path / "store", "{type: ray, workers: 1, window: 2}") as one:
        report = one.add(mixed, strict=False)
        assert report.added == 200
        assert [skipped.where for skipped in report.skipped] == ["bad"]
        with pytest.raises(DecodeError, match="the text is broken"):
            one.add(mixed)


def test_a_single_batch_does_not_start_ray(tmp_path):
    with host(tmp_path / "store", "{type: ray}") as small:
        small.add(items(64))
        assert engine_of(small)["started"] is False


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ("{type: ray, workers: many}", "engine.workers"),
        ("{type: ray, wrokers: 2}", "wrokers"),
        ("{type: roy}", "Did you mean 'ray'"),
        ("{type: local, workers: 2}", "workers"),
    ],
)
def test_wrong_options_are_found_by_the_file_s_check(tmp_path, engine, said):
    with pytest.raises(ConfigError, match=said):
        host(tmp_path, engine)
