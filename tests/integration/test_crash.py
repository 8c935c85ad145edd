"""Kill -9 at any moment: what was acknowledged is there, and a batch is whole or absent."""

import json
import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from tiepoint.index.collection import Collection
from tiepoint.index.milvus import MilvusStore
from tiepoint.testing.store import SCHEMA, make_row, stored_rows

WRITER = Path(__file__).with_name("crash_writer.py")
SMALL_SEGMENTS = {
    # So that a run of seconds also meets the moments in which Milvus Lite writes segments.
    "MILVUS_LITE_MEMTABLE_MEMORY_LIMIT_BYTES": "60000",
    "MILVUS_LITE_WAL_SIZE_LIMIT_BYTES": "120000",
}


def run_until_killed(folder, first, operations, delay_s):
    """Kill a writer `delay_s` after it has begun its n-th operation; gives what it printed."""
    writer = subprocess.Popen(
        [sys.executable, str(WRITER), str(folder), str(first)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | SMALL_SEGMENTS,
    )
    lines = []
    for line in writer.stdout:
        lines.append(line)
        if sum('"begin"' in line for line in lines) >= operations:
            break
    killer = threading.Timer(delay_s, writer.kill)
    killer.start()
    lines.extend(writer.stdout)
    errors = writer.stderr.read()
    writer.wait()
    killer.join()
    assert "Traceback" not in errors, errors
    return [json.loads(line) for line in lines if line.endswith("\n")]


def apply(state, operation):
    """Return what is there after an operation: the number of the last write, by item."""
    if operation["kind"] == "write":
        return state | dict.fromkeys(operation["ids"], operation["number"])
    if operation["kind"] == "delete":
        return {item: number for item, number in state.items() if item not in operation["ids"]}
    return state


def acknowledged_and_last(state, messages):
    """Return the states after the last acknowledged, and after the last begun operation."""
    begun = state
    for message in messages:
        if "begin" in message:
            begun = apply(state, message["begin"])
        else:
            state = begun
    return state, begun


def look(folder):
    """Reopen, check that store and tier agree and can be used; gives what is there."""
    store = MilvusStore(str(folder / "store"))
    store.open()
    try:
        assert store.health()["recovery"] is not None
        collection = Collection.open(store, SCHEMA, folder / "tier")
        found = {item: row for item, row in stored_rows(store).items() if row is not None}
        assert len(collection) == store.count(SCHEMA.name) == len(found)
        assert collection.digests(list(found)) == {item: row.digest for item, row in found.items()}
        state = {item: int(row.digest.rpartition("-")[2]) for item, row in found.items()}
        for item, number in list(state.items())[:5]:
            expected = make_row(item, seed=number)
            np.testing.assert_array_equal(found[item].vectors["image"], expected.vectors["image"])
            hits = collection.search_vector("image", expected.vectors["image"], 1, None, ())
            assert hits.ids == [item]
        collection.close()
    finally:
        store.close()
    return state


def kill_repeatedly(folder, kills, seed):
    chance = random.Random(seed)
    state, first, partial = {}, 1, 0
    for _ in range(kills):
        operations = chance.choice([1, 3, 10, 25])
        messages = run_until_killed(folder, first, operations, chance.uniform(0, 0.03))
        acknowledged, begun = acknowledged_and_last(state, messages)
        state = look(folder)
        assert state in (acknowledged, begun)
        partial += acknowledged != begun
        first += sum("begin" in message for message in messages)
    assert state
    return partial


def test_acknowledged_items_survive_kills_at_random_moments(tmp_path):
    kill_repeatedly(tmp_path, kills=8, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 12))
def test_acknowledged_items_survive_many_kills(tmp_path, seed):
    assert kill_repeatedly(tmp_path, kills=20, seed=seed) > 0
