"""Snapshots: whole or not there, and refused when they do not fit."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest

from tiepoint.errors import StoreError
from tiepoint.index.base import CollectionSchema, Row, TextAnalysis, VectorField
from tiepoint.index.filters import Filter
from tiepoint.index.kinds import choice
from tiepoint.index.snapshot import SnapshotError
from tiepoint.index.tier import ServingTier

DIM = 32
SCHEMA = CollectionSchema(
    "items",
    (VectorField("image", DIM, "encoder-1"),),
    {"caption": TextAnalysis()},
    {"price": "float"},
)
COUNT = 1500
VECTORS = np.random.default_rng(0).standard_normal((COUNT, DIM)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)


def _row(number):
    parts = {"caption": f"picture number{number}"}
    return Row(
        f"item-{number}", {"image": VECTORS[number]}, {"price": number / 2}, parts, f"d{number}"
    )


@pytest.fixture
def saved(tmp_path, monkeypatch):
    monkeypatch.setattr(choice, "EXACT_BELOW", 1000)
    tier = ServingTier(SCHEMA)
    tier.upsert(COUNT, [_row(number) for number in range(COUNT)])
    tier.delete(COUNT + 1, ["item-5"])
    tier.snapshot(tmp_path)
    yield tier, tmp_path
    tier.close()


def assert_refused(folder, schema):
    with pytest.raises(SnapshotError):
        ServingTier.load(folder, schema)


def _answers(tier):
    where = Filter.parse("price < 300", SCHEMA.metadata)
    found = [tier.search_vector("image", query, 5, None, ()) for query in VECTORS[:20]]
    found += [tier.search_vector("image", query, 5, where, ()) for query in VECTORS[:20]]
    found.append(tier.search_text("caption", "number77", 5, None, ()))
    ids = ["item-5", "item-6", "item-1499"]
    return (
        [(one.ids, np.round(one.scores, 5).tolist()) for one in found],
        tier.payloads(ids),
        tier.digests(ids),
        tier.background("image", VECTORS[0]),
        len(tier),
        tier.sequence,
    )


def test_loaded_tier_answers_as_the_saved_one_did(saved):
    tier, folder = saved
    again = ServingTier.load(folder, SCHEMA)
    assert again.describe() == tier.describe()
    assert again.describe()["vectors"]["image"]["search"] == "hnsw"
    assert _answers(again) == _answers(tier)
    again.close()


def test_loaded_tier_takes_up_writing(saved):
    _, folder = saved
    again = ServingTier.load(folder, SCHEMA)
    again.upsert(COUNT + 2, [_row(5), dataclasses.replace(_row(6), metadata={})])
    assert again.search_vector("image", VECTORS[5], 1, None, ()).ids == ["item-5"]
    assert again.search_text("caption", "number5", 1, None, ()).ids == ["item-5"]
    assert again.payloads(["item-6"])[0][0] == {}
    again.snapshot(folder)
    third = ServingTier.load(folder, SCHEMA)
    assert _answers(third) == _answers(again)
    again.close()
    third.close()


def test_only_the_newest_snapshot_stays(saved):
    tier, folder = saved
    (folder / ".writing-dead").mkdir()
    tier.upsert(COUNT + 2, [_row(5)])
    tier.snapshot(folder)
    assert len(list(folder.iterdir())) == 1
    again = ServingTier.load(folder, SCHEMA)
    assert again.sequence == COUNT + 2
    again.close()


def test_other_schema_or_encoder_is_not_loaded(saved):
    _, folder = saved
    other = dataclasses.replace(SCHEMA, vectors=(VectorField("image", DIM, "encoder-2"),))
    assert_refused(folder, other)
    other = dataclasses.replace(SCHEMA, metadata={"price": "int"})
    assert_refused(folder, other)


def test_nothing_is_loaded_from_nothing(tmp_path):
    assert_refused(tmp_path / "absent", SCHEMA)
    (tmp_path / "snapshot-1").mkdir()
    assert_refused(tmp_path, SCHEMA)


def test_newer_format_is_not_loaded(saved):
    _, folder = saved
    manifest = next(folder.glob("*/manifest.json"))
    content = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**content, "format": content["format"] + 1, "more": 1}))
    assert_refused(folder, SCHEMA)


def test_every_damaged_file_is_noticed(saved):
    _, folder = saved
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 4
    for path in files:
        whole = path.read_bytes()
        for damaged in (whole[: len(whole) // 2], bytes([whole[0] ^ 1]) + whole[1:], None):
            if not whole and damaged is not None:
                continue
            path.unlink()
            if damaged is not None:
                path.write_bytes(damaged)
            assert_refused(folder, SCHEMA)
        path.write_bytes(whole)
    again = ServingTier.load(folder, SCHEMA)
    assert again is not None
    again.close()


def test_snapshot_that_cannot_be_written_leaves_the_old_one(saved):
    """A file-size limit stands for a full disk; the process under it reports one clear line."""
    tier, folder = saved
    program = f"""
import resource, signal, sys
from pathlib import Path
from tiepoint.errors import StoreError
from tests.core.index.test_snapshot import SCHEMA, _row
from tiepoint.index.kinds import choice
from tiepoint.index.tier import ServingTier
tier = ServingTier.load(Path({str(folder)!r}), SCHEMA)
tier.upsert(9999, [_row(5)])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    tier.snapshot(Path({str(folder)!r}))
except StoreError as error:
    print(error)
    sys.exit(7)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 7, done.stderr
    assert "the snapshot cannot be written" in done.stdout
    again = ServingTier.load(folder, SCHEMA)
    assert _answers(again) == _answers(tier)
    assert [path.name for path in folder.iterdir()] == [next(folder.glob("snapshot-*")).name]
    again.close()


def test_folder_that_is_a_file_is_one_clear_error(saved, tmp_path):
    tier, _ = saved
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        tier.snapshot(tmp_path / "file")
