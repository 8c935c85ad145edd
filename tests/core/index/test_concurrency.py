"""Readers beside the one writer, and a second process."""

import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from tiepoint import Host, Item
from tiepoint.config.models import Deployment

COUNT = 60
OPENER = """
import sys
from tiepoint.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
FILE = """
version: 1
store: {{uri: {store}}}
collections:
  items:
    fields:
      image: {{dimensions: 8}}
      text: {{words: true}}
    metadata: {{version: int}}
sources:
  table: {{type: table, path: {table}, columns: {{id: id, texts: {{text: text}}}}}}
"""


@pytest.fixture
def host(tmp_path):
    deployment = {
        "version": 1,
        "store": {"uri": str(tmp_path / "store")},
        "collections": {
            "items": {
                "fields": {"image": {"dimensions": 8}, "text": {"words": True}},
                "metadata": {"version": "int"},
            }
        },
    }
    with Host(Deployment.model_validate(deployment)) as host:
        yield host


def items(version, numbers):
    """Return items that all have the same vector, which tells their version."""
    vector = np.zeros(8, np.float32)
    vector[version % 8] = 1
    return [
        Item(
            id=f"item {i}",
            text=f"words v{version}",
            metadata={"version": version},
            parts={"image": vector},
        )
        for i in numbers
    ]


def test_readers_see_each_write_whole_or_not_at_all(host):
    host.add(items(0, range(COUNT)))
    done, problems, looks = threading.Event(), [], [0]

    def look():
        rng = np.random.default_rng()
        while not done.is_set():
            query = np.zeros(8, np.float32)
            query[rng.integers(8)] = 1
            hits = host.search(vector={"image": query}, k=2 * COUNT)
            versions = {hit.metadata.get("version") for hit in hits}
            scores = {round(hit.score, 4) for hit in hits}
            if len(hits) != len({hit.id for hit in hits}) or None in versions:
                problems.append(("twice, or without content", hits))
            if len(hits) not in (COUNT, COUNT - 5) or len(versions) > 1 or len(scores) > 1:
                problems.append((len(hits), versions, scores))
            [version] = versions or {0}
            if scores != {float(query[version % 8])}:
                problems.append(("another version's score", version, scores))
            fused = host.search(vector={"image": query}, text="words", k=COUNT)
            if len({hit.metadata.get("version") for hit in fused}) != 1:
                problems.append(("fused", fused))
            looks[0] += 1

    readers = [threading.Thread(target=look) for _ in range(3)]
    for reader in readers:
        reader.start()
    until = time.monotonic() + 2.5
    version = 0
    while time.monotonic() < until or looks[0] < 20 or version < 6:
        version += 1
        host.add(items(version, range(COUNT)))
        if version % 3 == 0:
            host.delete([f"item {i}" for i in range(5)])
            host.add(items(version, range(5)))
        if version % 5 == 0:
            host.collection().snapshot()
    done.set()
    for reader in readers:
        reader.join()
    assert not problems, problems[0]


def test_writers_in_several_threads_take_turns_and_lose_nothing(host):
    def write(part):
        for start in range(0, 40, 10):
            numbers = range(1000 * part + start, 1000 * part + start + 10)
            host.add(items(part, numbers))

    writers = [threading.Thread(target=write, args=(part,)) for part in range(1, 5)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    ids = [f"item {1000 * part + i}" for part in range(1, 5) for i in range(40)]
    assert len(host.collection()) == 160
    assert len(host.collection().digests(ids)) == 160


def test_a_second_process_is_told_who_holds_the_store(host, tmp_path):
    import os

    table = tmp_path / "items.csv"
    table.write_text("id,text\na,words\n")
    file = tmp_path / "deploy.yaml"
    file.write_text(FILE.format(store=tmp_path / "store", table=table))
    host.add(items(1, range(3)))
    second = subprocess.run(
        [sys.executable, "-c", OPENER, "run", str(file)], capture_output=True, text=True
    )
    assert second.returncode == 2
    assert f"process {os.getpid()}" in second.stderr
    assert "since 20" in second.stderr
    assert second.stderr.count("\n") == 1
    assert len(host.collection()) == 3
