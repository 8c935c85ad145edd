"""A full disk: one clear line, nothing acknowledged is lost, nothing half-written shows."""

import contextlib
import itertools
import os
import subprocess

import numpy as np
import pytest

from tiepoint.errors import StoreError
from tiepoint.index.base import CollectionSchema, Row, VectorField
from tiepoint.index.milvus import MilvusStore

SCHEMA = CollectionSchema("items", (VectorField("image", 256, "encoder"),))
BATCH = 200
BALLAST_BYTES = 11 << 20


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=14m", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("a small file system can only be mounted by root")
    (folder / "ballast").write_bytes(bytes(BALLAST_BYTES))
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def batch_rows(number):
    vectors = np.random.default_rng(number).normal(size=(BATCH, 256)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [
        Row(f"{number}/{i}", {"image": vector}, {}, {}, f"{number}/{i}")
        for i, vector in enumerate(vectors)
    ]


def fill(store):
    """Write until the disk is full; gives the number of acknowledged batches."""
    acknowledged = []

    def write_without_end():
        for number in itertools.count():
            store.upsert("items", batch_rows(number))
            acknowledged.append(number)

    with pytest.raises(StoreError) as caught:
        write_without_end()
    assert caught.value.exit_code == 1
    assert "disk is full" in str(caught.value)
    assert "\n" not in str(caught.value)
    return len(acknowledged)


def stored_batches(store):
    """Return how many rows of each batch are there."""
    counts = {}
    for batch in store.scan("items"):
        for _, row in batch:
            number = int(row.id.split("/")[0])
            counts[number] = counts.get(number, 0) + 1
    return counts


def test_writes_go_on_once_there_is_space_again(small_disk):
    store = MilvusStore(str(small_disk / "store"))
    store.open()
    store.create(SCHEMA)
    acknowledged = fill(store)
    assert acknowledged > 1
    with pytest.raises(StoreError, match="disk is full"):
        store.upsert("items", batch_rows(1000))
    told = store.health()
    assert (told["status"], told["problem"]["reason"]) == ("failed", "the disk is full")
    (small_disk / "ballast").unlink()
    before = store.last_sequence("items")
    assert store.upsert("items", batch_rows(2000)) > before
    assert store.health()["status"] == "ok"
    store.close()

    store = MilvusStore(str(small_disk / "store"))
    store.open()
    store.create(SCHEMA)
    counts = stored_batches(store)
    store.close()
    assert set(counts.values()) == {BATCH}
    assert {*range(acknowledged), 2000} <= counts.keys() <= {*range(acknowledged + 1), 1000, 2000}


def test_what_was_acknowledged_survives_closing_on_a_full_disk(small_disk):
    store = MilvusStore(str(small_disk / "store"))
    store.open()
    store.create(SCHEMA)
    acknowledged = fill(store)
    with contextlib.suppress(StoreError):
        store.close()
    (small_disk / "ballast").unlink()

    store = MilvusStore(str(small_disk / "store"))
    store.open()
    assert store.health()["recovery"] is not None
    store.create(SCHEMA)
    counts = stored_batches(store)
    store.close()
    assert set(counts.values()) == {BATCH}
    assert set(range(acknowledged)) <= counts.keys() <= set(range(acknowledged + 1))


def test_a_host_on_a_full_disk_says_so_and_goes_on_with_all_that_it_acknowledged(small_disk):
    from tiepoint import Host, Item
    from tiepoint.config.models import Deployment

    deployment = Deployment.model_validate(
        {
            "version": 1,
            "store": {"uri": str(small_disk / "store")},
            "collections": {
                "items": {"fields": {"image": {"dimensions": 256}, "text": {"words": True}}}
            },
        }
    )
    acknowledged = 0

    def batch(number):
        vectors = np.random.default_rng(number).normal(size=(64, 256))
        return [
            Item(id=f"{number}/{i}", text=f"words {number}", parts={"image": vector})
            for i, vector in enumerate(vectors)
        ]

    with Host(deployment) as host:
        with pytest.raises(StoreError, match="disk is full"):  # noqa: PT012 - until it is
            for number in itertools.count():
                host.add(batch(number))
                acknowledged += 1
        assert acknowledged > 1
        assert len(host.collection()) == 64 * acknowledged
        health = host.health()
        assert health["store"]["status"] == "failed"
        assert health["collections"]["items"]["status"] == "degraded"
        (small_disk / "ballast").unlink()
        host.add(batch(1000))
        health = host.health()
        assert health["store"]["status"] == health["collections"]["items"]["status"] == "ok"
    with Host(deployment) as host:
        ids = [f"{number}/{i}" for number in [*range(acknowledged), 1000] for i in range(64)]
        assert len(host.collection().digests(ids)) == len(ids)
        assert len(host.collection()) in (len(ids), len(ids) + 64)
