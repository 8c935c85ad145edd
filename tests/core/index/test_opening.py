"""A snapshot that cannot be used: built again from the store, said once, shown in health."""

import json
import logging
import shutil

import pytest

from tiepoint import Host, Item
from tiepoint.config.models import Deployment

COUNT = 40


def host(folder):
    deployment = {
        "version": 1,
        "store": {"uri": str(folder)},
        "collections": {
            "items": {"fields": {"image": {"dimensions": 4}}, "metadata": {"number": "int"}}
        },
    }
    return Host(Deployment.model_validate(deployment))


def items(first, count):
    return [
        Item(id=str(i), parts={"image": [1.0, i, 0.0, 0.0]}, metadata={"number": i})
        for i in range(first, first + count)
    ]


@pytest.fixture
def folder(tmp_path):
    with host(tmp_path / "store") as filled:
        filled.add(items(0, COUNT))
    return tmp_path / "store"


def collection_health(opened):
    return opened.health()["collections"]["items"]


def assert_complete(opened, count=COUNT):
    ids = [str(i) for i in range(count)]
    assert len(opened.collection()) == count
    assert {i: content[0]["number"] for i, content in opened.collection().get(ids).items()} == {
        i: int(i) for i in ids
    }
    [hit] = opened.search(vector={"image": [1.0, 7.0, 0.0, 0.0]}, k=1)
    assert hit.id == "7"


def assert_built_again(folder, because, caplog, count=COUNT):
    with caplog.at_level(logging.WARNING), host(folder) as opened:
        told = collection_health(opened)
        assert told["opened"]["from"] == "store"
        assert because in told["opened"]["because"]
        assert told["status"] == "ok"
        assert_complete(opened, count)
    said = [record.getMessage() for record in caplog.records if because in record.getMessage()]
    assert len(said) == 1
    assert "\n" not in said[0]
    with host(folder) as opened:
        assert collection_health(opened)["opened"]["from"] == "snapshot"
        assert_complete(opened, count)


def snapshot_file(folder, pattern):
    [path] = (folder / "tiers").rglob(pattern)
    return path


def test_a_whole_snapshot_is_used_and_a_new_store_has_nothing_to_say(folder, tmp_path):
    with host(folder) as opened:
        assert collection_health(opened)["opened"]["from"] == "snapshot"
    with host(tmp_path / "new") as opened:
        assert collection_health(opened)["opened"]["because"] is None


def test_a_missing_snapshot(folder, caplog):
    shutil.rmtree(folder / "tiers")
    assert_built_again(folder, "there is no snapshot", caplog)


def test_a_damaged_file_of_the_snapshot(folder, caplog):
    path = snapshot_file(folder, "columns.npz")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert_built_again(folder, "columns.npz is damaged", caplog)


def test_a_damaged_manifest(folder, caplog):
    snapshot_file(folder, "manifest.json").write_text("{broken")
    assert_built_again(folder, "no usable manifest", caplog)


def test_a_snapshot_of_a_newer_format(folder, caplog):
    path = snapshot_file(folder, "manifest.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))
    assert_built_again(folder, "format 99", caplog)


def test_a_snapshot_newer_than_the_store(folder, caplog, tmp_path):
    """The store's data were put back from a backup, its tiers were not."""
    for name in ("milvus", "store.json"):
        path = folder / name
        (shutil.copytree if path.is_dir() else shutil.copy)(path, tmp_path / f"backup-{name}")
    with host(folder) as opened:
        opened.add(items(COUNT, 10))
    shutil.rmtree(folder / "milvus")
    for name in ("milvus", "store.json"):
        (tmp_path / f"backup-{name}").replace(folder / name)
    assert_built_again(folder, "newer than the store", caplog)


def test_a_snapshot_that_cannot_be_written_is_shown_and_loses_nothing(folder):
    with host(folder) as opened:
        opened.add(items(COUNT, 5))
        [tier] = (folder / "tiers" / "items").iterdir()
        shutil.rmtree(tier)
        tier.write_text("in the way")
        with pytest.raises(Exception, match="snapshot cannot be written"):
            opened.collection().snapshot()
        opened.add(items(COUNT + 5, 1))
    tier.unlink()
    with host(folder) as opened:
        assert_complete(opened, COUNT + 6)
