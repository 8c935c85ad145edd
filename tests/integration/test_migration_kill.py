"""Kill -9 at any moment of a migration: the store is the old one or the new one, whole."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import time

import numpy as np
import pytest
from PIL import Image

from tests.integration import migrating
from tiepoint import Host, Item
from tiepoint.errors import FingerprintError

COUNT = 400
LONGEST_S = 1.6


@pytest.fixture(scope="module")
def processes():
    """Processes that begin with everything imported, and die alone."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["tests.integration.migrating", "milvus_lite.adapter.grpc.server", "tiepoint.index.tier"]
    )
    return context


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A folder with pictures of their own colours, and a closed store of them."""
    folder = tmp_path_factory.mktemp("migration")
    generator = np.random.default_rng(11)
    items = []
    for n, colour in enumerate(generator.integers(0, 256, (COUNT, 3), np.uint8)):
        file = folder / f"{n}.png"
        Image.fromarray(colour[None, None]).save(file)
        items.append(Item(f"{n}", image=str(file), text=f"red {n}", metadata={"number": n}))
    with migrating.known():
        with Host(migrating.deployment(folder, "colour")) as host:
            host.add(items)
        yield folder


def present_encoder(folder):
    """Open the store, check that all of it is there and comes from one encoder; name that."""
    for name in ("colour", "turned"):
        deployment = migrating.deployment(folder, name)
        try:
            host = Host(deployment)
            host.open()
        except FingerprintError:
            continue
        with host:
            collection = host.collection()
            assert sorted(collection.ids(), key=int) == [str(n) for n in range(COUNT)]
            encoder = host.encoder("photo")
            numbers = range(0, COUNT, 7)
            vectors = encoder.encode([folder / f"{n}.png" for n in numbers])
            for n, vector in zip(numbers, vectors, strict=True):
                [cosine] = collection.similarities("image", vector, [str(n)])
                assert cosine == pytest.approx(1, abs=1e-5)
            payloads = collection.payloads([str(n) for n in numbers])
            assert [metadata["number"] for metadata, _ in payloads] == list(numbers)
            assert len(host.search(text="red 7", k=5)) == 5
        return name
    raise AssertionError("the store is neither the old one nor the new one")


def kill_repeatedly(filled, folder, processes, kills, seed):
    """Kill migrations to and fro; returns the number of switches that were met."""
    shutil.copytree(filled / "store", folder / "store")
    for file in filled.glob("*.png"):
        (folder / file.name).symlink_to(file)
    chance = random.Random(seed)
    present, switches = "colour", 0
    for _ in range(kills):
        wanted = "turned" if present == "colour" else "colour"
        serving = chance.random() < 0.5
        begun = processes.Event()
        process = processes.Process(
            target=migrating.run, args=(folder, present, wanted, serving, begun)
        )
        process.start()
        assert begun.wait(60)
        time.sleep(chance.uniform(0, LONGEST_S))
        process.kill()
        process.join()
        found = present_encoder(folder)
        switches += found != present
        present = found
    wanted = "turned" if present == "colour" else "colour"
    last = migrating.migrate(migrating.deployment(folder, wanted))
    assert last.switched
    assert present_encoder(folder) == wanted
    return switches


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TIEPOINT_CACHE", str(tmp_path / "cache"))
    return tmp_path


def test_a_migration_that_is_killed_at_random_moments_loses_nothing(filled, folder, processes):
    kill_repeatedly(filled, folder, processes, kills=10, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 8))
def test_a_migration_that_is_killed_many_times_loses_nothing(filled, folder, processes, seed):
    assert kill_repeatedly(filled, folder, processes, kills=25, seed=seed) > 0
