"""The serving tier: every route, batches that are seen whole, and snapshots."""

import shutil
import tempfile
import threading

import numpy as np
import pytest

from tiepoint.errors import QueryError, SchemaError, StoreError
from tiepoint.index import tier_state
from tiepoint.index.base import CollectionSchema, Row, TextAnalysis, VectorField
from tiepoint.index.filters import Filter
from tiepoint.index.tier import ServingTier

DIM = 32
SCHEMA = CollectionSchema(
    "items",
    (VectorField("image", DIM, "encoder-1"), VectorField("text", DIM, "encoder-2")),
    {"caption": TextAnalysis()},
    {"price": "float", "tags": "strings"},
)


def _vector(seed):
    vector = np.random.default_rng(seed).standard_normal(DIM).astype(np.float32)
    return vector / np.linalg.norm(vector)


def _row(number, version=0):
    vectors = {"image": _vector(number + 1000 * version)}
    if number % 2:
        vectors["text"] = _vector(-number % 997)
    return Row(
        f"item-{number}",
        vectors,
        {"price": float(number), "tags": ["even" if number % 2 == 0 else "odd"]},
        {"caption": f"picture number{number} version{version}", "image": f"{number}.jpg"},
        f"digest-{number}-{version}",
    )


@pytest.fixture
def tier():
    tier = ServingTier(SCHEMA)
    tier.upsert(100, [_row(number) for number in range(100)])
    yield tier
    tier.close()


def _where(text):
    return Filter.parse(text, SCHEMA.metadata)


def test_every_route_answers(tier):
    found = tier.search_vector("image", _vector(7), 3, None, ())
    assert found.ids[0] == "item-7"
    assert found.scores[0] == pytest.approx(1.0, abs=1e-6)
    assert tier.search_text("caption", "number42", 3, None, ()).ids == ["item-42"]
    assert tier.payloads(["item-3", "nobody"]) == [
        (_row(3).metadata, _row(3).parts),
        ({}, {}),
    ]
    assert tier.matches(_where("price < 5"), ["item-4", "item-5", "nobody"]).tolist() == [
        True,
        False,
        False,
    ]
    assert tier.digests(["item-9", "nobody"]) == {"item-9": "digest-9-0"}
    similarities = tier.similarities("text", _vector(1), ["item-3", "item-2", "nobody"])
    assert np.isfinite(similarities).tolist() == [True, False, False]
    mean, deviation = tier.background("image", _vector(1))
    assert abs(mean) < 0.2
    assert deviation == pytest.approx(DIM**-0.5, rel=0.3)
    assert (len(tier), tier.sequence) == (100, 100)


def test_filters_and_exclusions_hold_on_every_route(tier):
    where = _where("tags contains 'even' and price >= 10")
    found = tier.search_vector("image", _vector(7), 100, where, ["item-10", "nobody"]).ids
    assert sorted(found) == sorted(f"item-{number}" for number in range(12, 100, 2))
    found = tier.search_text("caption", "picture", 100, where, ["item-10"]).ids
    assert sorted(found) == sorted(f"item-{number}" for number in range(12, 100, 2))
    assert tier.search_vector("image", _vector(7), 5, _where("price > 1000"), ()).ids == []


def test_replaced_and_deleted_items_are_gone_everywhere(tier):
    tier.upsert(101, [_row(7, version=1), _row(7, version=2)])
    tier.delete(102, ["item-8", "nobody"])
    assert "item-8" not in tier.search_vector("image", _vector(8), 100, None, ()).ids
    assert tier.search_vector("image", _vector(2007), 1, None, ()).ids == ["item-7"]
    assert tier.search_vector("image", _vector(7), 1, None, ()).scores[0] < 0.9
    assert tier.search_text("caption", "number8", 5, None, ()).ids == []
    assert tier.search_text("caption", "version2", 5, None, ()).ids == ["item-7"]
    assert tier.search_text("caption", "version1", 5, None, ()).ids == []
    assert tier.digests(["item-7", "item-8"]) == {"item-7": "digest-7-2"}
    assert not tier.matches(_where("price == 8"), ["item-8"]).any()
    assert (len(tier), tier.sequence) == (99, 102)


def test_vector_of_another_length_changes_nothing(tier):
    bad = Row("bad", {"image": np.ones(3, np.float32)}, {}, {"caption": "bad"}, "")
    with pytest.raises(SchemaError, match="bad: the vector image has shape"):
        tier.upsert(101, [_row(200), bad])
    assert (len(tier), tier.sequence) == (100, 100)


def test_empty_writes_only_move_the_sequence(tier):
    tier.upsert(101, [])
    tier.delete(102, [])
    assert (len(tier), tier.sequence) == (100, 102)
    assert tier.search_vector("image", _vector(7), 1, _where("price >= 0"), ()).ids == ["item-7"]


def test_unanswerable_queries_are_refused(tier):
    with pytest.raises(QueryError, match="There are: image, text"):
        tier.search_vector("audio", _vector(1), 1, None, ())
    with pytest.raises(QueryError, match="shape"):
        tier.search_vector("image", np.ones(3, np.float32), 1, None, ())
    with pytest.raises(QueryError, match="There are: caption"):
        tier.search_text("title", "dog", 1, None, ())
    with pytest.raises(QueryError, match="k is 0"):
        tier.search_vector("image", _vector(1), 0, None, ())


def test_empty_tier_answers_nothing():
    tier = ServingTier(SCHEMA)
    assert tier.search_vector("image", _vector(1), 5, None, ()).ids == []
    assert tier.search_text("caption", "dog", 5, None, ()).ids == []
    assert tier.search_vector("image", _vector(1), 5, _where("price < 1"), ["a"]).ids == []
    assert tier.background("image", _vector(1)) == (0.0, 0.0)
    assert tier.matches(_where("price < 1"), ["a"]).tolist() == [False]
    assert np.isnan(tier.similarities("image", _vector(1), ["a"])).all()
    tier.close()


def test_compaction_drops_the_dead_and_keeps_the_answers(monkeypatch):
    monkeypatch.setattr(tier_state, "_DEAD_AT_LEAST", 50)
    tier = ServingTier(SCHEMA)
    tier.upsert(1, [_row(number) for number in range(100)])
    for version in range(1, 4):
        tier.upsert(version + 1, [_row(number, version) for number in range(50)])
    tier.delete(5, ["item-99"])
    assert tier.describe()["tombstones"] < 60
    assert len(tier) == 99
    for number, version in ((3, 3), (60, 0)):
        query = _vector(number + 1000 * version)
        assert tier.search_vector("image", query, 1, None, ()).ids == [f"item-{number}"]
        assert tier.payloads([f"item-{number}"])[0][1] == _row(number, version).parts
    assert tier.search_text("caption", "number3 version3", 1, None, ()).ids == ["item-3"]
    assert len(tier.search_vector("image", _vector(1), 200, None, ()).ids) == 99
    tier.close()


def test_readers_see_a_batch_whole_or_not_at_all():
    """Each batch moves all items to a new version: no answer may mix two of them."""
    tier = ServingTier(SCHEMA)
    query = _vector(0)

    def batch(version):
        return [
            Row(f"item-{n}", {"image": _vector(n)}, {"price": float(version)}, {}, str(version))
            for n in range(40)
        ]

    tier.upsert(1, batch(1))
    mixed: list[object] = []
    stop = threading.Event()

    def read():
        while not stop.is_set():
            ids = tier.search_vector("image", query, 40, None, ()).ids
            digests = set(tier.digests(ids).values())
            prices = {metadata["price"] for metadata, _ in tier.payloads(ids)}
            if len(set(ids)) != 40 or len(digests) != 1 or len(prices) != 1:
                mixed.append((len(ids), digests, prices))

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for version in range(2, 60):
        tier.upsert(version, batch(version))
    stop.set()
    for thread in threads:
        thread.join()
    assert not mixed
    tier.close()


def _lose_temporary_files(folder):
    lost = list(folder.glob("tiepoint-words-*"))
    assert lost
    for root in lost:
        shutil.rmtree(root)


@pytest.fixture
def tier_in(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    tier = ServingTier(SCHEMA)
    tier.upsert(100, [_row(number) for number in range(100)])
    yield tier
    tier.close()


def test_words_are_made_again_when_their_temporary_files_are_gone(tier_in, tmp_path):
    _lose_temporary_files(tmp_path)
    tier_in.upsert(102, [_row(7, version=2), _row(500)])
    assert tier_in.search_text("caption", "number500", 3, None, ()).ids == ["item-500"]
    assert tier_in.search_text("caption", "number42", 3, None, ()).ids == ["item-42"]
    assert tier_in.search_text("caption", "version2", 3, None, ()).ids == ["item-7"]
    _lose_temporary_files(tmp_path)
    tier_in.delete(103, ["item-42"])
    assert tier_in.search_text("caption", "number42", 3, None, ()).ids == []
    assert tier_in.search_text("caption", "number43", 3, None, ()).ids == ["item-43"]


def test_without_its_temporary_files_the_tier_closes_and_a_snapshot_says_why_not(tier_in, tmp_path):
    _lose_temporary_files(tmp_path)
    with pytest.raises(StoreError, match="the word index cannot be written"):
        tier_in.snapshot(tmp_path / "snapshots")
    tier_in.close()
