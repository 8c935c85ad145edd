"""Kill -9 at any moment: what was acknowledged is there, and a batch is whole or absent."""

import contextlib
import multiprocessing
import multiprocessing.forkserver
import random
import threading

import pytest

from tests.integration.crash_writer import ITEMS, Operation, Writer, write_until_killed
from tiepoint.testing.store import SCHEMA, assert_same_row, make_row, stored_rows

# So that a run of seconds also meets the moments in which Milvus Lite writes segments.
SMALL_SEGMENTS = {
    "MILVUS_LITE_MEMTABLE_MEMORY_LIMIT_BYTES": "60000",
    "MILVUS_LITE_WAL_SIZE_LIMIT_BYTES": "120000",
}
PRELOADED = [
    "tests.integration.crash_writer",
    "tiepoint.index.tier",
    "milvus_lite.adapter.grpc.server",
    "faiss",
    "tantivy",
]


@pytest.fixture(scope="module")
def writers():
    """Processes that start in milliseconds: forked from one that has imported everything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**SMALL_SEGMENTS, "GRPC_VERBOSITY": "NONE"}.items():
            patch.setenv(name, value)
        multiprocessing.forkserver.ensure_running()
    return context


def run_until_killed(context, folder, kind, first, operations, delay_s):
    """Kill a writer `delay_s` after it has begun its n-th operation; gives what it sent."""
    receiver, sender = context.Pipe(duplex=False)
    writer = context.Process(target=write_until_killed, args=(folder, kind, first, sender))
    writer.start()
    sender.close()
    messages, killer = [], None
    with receiver, contextlib.suppress(EOFError, OSError):
        while True:
            messages.append(receiver.recv())
            begun = sum(kind == "begin" for kind, _ in messages)
            if killer is None and begun >= operations:
                killer = threading.Timer(delay_s, writer.kill)
                killer.start()
    writer.join()
    killer.join()
    failures = [content for kind, content in messages if kind == "failed"]
    assert not failures, failures[0]
    return messages


def apply(state, operation: Operation):
    """Return what is there after an operation: the number of the last write, by item."""
    if operation.kind == "write":
        return state | dict.fromkeys(operation.ids, operation.number)
    if operation.kind == "delete":
        return {item: number for item, number in state.items() if item not in operation.ids}
    return state


def possible_after(states, messages):
    """Return the states that may be there: the last operation, if unacknowledged, may be done."""
    pending = None
    for kind, content in messages:
        if kind == "begin":
            pending = content
        elif kind == "acknowledged":
            states, pending = [apply(state, pending) for state in states], None
    if pending is None:
        return states
    return states + [done for state in states if (done := apply(state, pending)) not in states]


def look(folder, kind):
    """Reopen; check that each item is whole and that store and tier agree; gives what is there."""
    writer = Writer(folder, kind)
    store, collection = writer.store, writer.collection
    try:
        found = {item: row for item, row in stored_rows(store).items() if row is not None}
        state = {item: int(row.digest.rpartition("-")[2]) for item, row in found.items()}
        expected = {item: make_row(item, seed=number) for item, number in state.items()}
        for item, row in expected.items():
            assert_same_row(found[item], row)
        assert len(collection) == store.count(SCHEMA.name) == len(found)
        assert collection.digests(ITEMS) == {
            item: expected[item].digest for item in ITEMS if item in expected
        }
        kept = {item: (row.metadata, row.parts) for item, row in expected.items()}
        assert collection.get(ITEMS) == kept
        for item, row in list(expected.items())[:3]:
            nearest = collection.search_vector("image", row.vectors["image"], 500, None, ())
            assert nearest.ids[0] == item
            assert sorted(nearest.ids) == sorted(expected)
        by_words = collection.search_text("text", "words", 500, None, ())
        assert sorted(by_words.ids) == sorted(expected)
        assert collection.health()["status"] == store.health()["status"] == "ok"
        collection.close()
    finally:
        store.close()
    return state


def kill_repeatedly(context, folder, kind, kills, seed):
    chance = random.Random(seed)
    states, first, unacknowledged = [{}], 1, 0
    for kill in range(1, kills + 1):
        operations = chance.choice([0, 1, 3, 8, 20])
        delay_s = chance.uniform(0, 0.03 if operations else 0.15)
        messages = run_until_killed(context, folder, kind, first, operations, delay_s)
        possible = possible_after(states, messages)
        unacknowledged += len(possible) > len(states)
        states = possible
        first += sum(kind == "begin" for kind, _ in messages)
        if chance.random() < 0.6 or kill == kills:  # else the next is killed on top of this one
            state = look(folder, kind)
            assert state in states
            states = [state]
    assert first > kills
    return unacknowledged


@pytest.mark.parametrize("kind", ["hnsw", "int8"])
def test_acknowledged_items_survive_kills_at_random_moments(writers, tmp_path, kind):
    kill_repeatedly(writers, tmp_path, kind, kills=10, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["hnsw", "ivf", "lsh", "int8", "binary"])
@pytest.mark.parametrize("seed", [2, 3])
def test_acknowledged_items_survive_many_kills(writers, tmp_path, kind, seed):
    assert kill_repeatedly(writers, tmp_path, kind, kills=20, seed=seed) > 0
