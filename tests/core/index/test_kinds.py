"""Every kind of index finds what NumPy finds, by every metric, and comes back from a snapshot."""

import numpy as np
import pytest

from tiepoint.config.collections import IndexSection
from tiepoint.errors import StoreError
from tiepoint.index.allowed import Allowed
from tiepoint.index.base import CollectionSchema, Row, VectorField
from tiepoint.index.disk import DiskVectors
from tiepoint.index.filters import Filter
from tiepoint.index.kinds.choice import PROPOSERS, choose, memory_of
from tiepoint.index.metrics import METRICS
from tiepoint.index.tier import ServingTier
from tiepoint.index.vectors import VectorIndex

DIM = 24
COUNT = 3000
KINDS = ("exact", *PROPOSERS)
NONE = np.empty(0, np.int64)


def _vectors(metric, count=COUNT, seed=1):
    centres = np.random.default_rng(0).standard_normal((60, DIM))
    rng = np.random.default_rng(seed)
    vectors = centres[rng.integers(0, 60, count)] + 0.5 * rng.standard_normal((count, DIM))
    if metric == "cosine":
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32)


def _scores(metric, vectors, query):
    difference = vectors.astype(np.float64) - query
    if metric == "euclidean":
        return -np.sqrt((difference**2).sum(1))
    if metric == "manhattan":
        return -np.abs(difference).sum(1)
    return vectors.astype(np.float64) @ query


def _index(metric, kind, vectors, **options):
    index = VectorIndex(VectorField("v", DIM, "given", metric), IndexSection(kind=kind, **options))
    for start in range(0, len(vectors), 1000):
        step = vectors[start : start + 1000]
        index.append(range(start, start + len(step)), step)
    index.improve()
    return index


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_nearest_are_found_with_their_true_scores(kind, metric):
    vectors, queries = _vectors(metric), _vectors(metric, 30, seed=2)
    index = _index(metric, kind, vectors)
    assert index.describe()["search"] == kind
    for share in (1.0, 0.4, 0.02):
        mask = np.random.default_rng(3).random(COUNT) < share
        allowed = Allowed(mask)
        batch_rows, batch_scores = index.search_batch(queries, 10, allowed, NONE)
        found = found_together = 0
        for query, own_rows, own_scores in zip(queries, batch_rows, batch_scores, strict=True):
            truth = _scores(metric, vectors, query)
            rows, scores = index.search(query, 10, allowed, NONE)
            tenth = np.sort(truth[mask])[-10] - 1e-4
            assert mask[rows].all()
            assert mask[own_rows].all()
            np.testing.assert_allclose(scores, truth[rows], rtol=1e-4, atol=1e-4)
            np.testing.assert_allclose(own_scores, truth[own_rows], rtol=1e-4, atol=1e-4)
            assert (np.diff(scores) <= 0).all()
            found += (truth[rows] >= tenth).sum()
            found_together += (truth[own_rows] >= tenth).sum()
        assert found >= 0.98 * 300
        assert found_together >= 0.98 * 300


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_comes_back_from_its_snapshot_and_takes_up_writing(kind, tmp_path):
    schema = CollectionSchema("items", (VectorField("v", DIM, "given"),), {}, {"price": "int"})
    options = {"v": IndexSection(kind=kind)}
    vectors = _vectors("cosine")
    rows = [Row(str(i), {"v": v}, {"price": i}, {}, f"d{i}") for i, v in enumerate(vectors)]
    tier = ServingTier(schema, options, tmp_path)
    tier.upsert(COUNT - 1, rows[:-1])
    tier.snapshot(tmp_path)
    again = ServingTier.load(tmp_path, schema, options)
    where = Filter.parse("price < 300", schema.metadata)
    for query in vectors[:20]:
        for condition in (None, where):
            one, other = (t.search_vector("v", query, 5, condition, ["3"]) for t in (tier, again))
            assert one.ids == other.ids
            np.testing.assert_allclose(one.scores, other.scores, rtol=1e-5)
    assert again.describe() == tier.describe()
    assert not again.improved
    again.upsert(COUNT, rows[-1:])
    assert again.search_vector("v", vectors[-1], 1, None, ()).ids == [str(COUNT - 1)]
    found = again.search_vectors("v", vectors[:3], 2, None, ["1"])
    assert [one.ids[0] for one in found][::2] == ["0", "2"]
    assert "1" not in found[1].ids
    again.close()
    tier.close()


def test_another_kind_is_built_from_the_snapshot_without_the_store(tmp_path):
    schema = CollectionSchema("items", (VectorField("v", DIM, "given"),))
    tier = ServingTier(schema, {"v": IndexSection(kind="hnsw")}, tmp_path)
    rows = [Row(str(i), {"v": v}, {}, {}, "d") for i, v in enumerate(_vectors("cosine"))]
    tier.upsert(COUNT, rows)
    tier.snapshot(tmp_path)
    tier.close()
    again = ServingTier.load(tmp_path, schema, {"v": IndexSection(kind="binary")})
    with again.deferred():
        pass
    assert again.describe()["vectors"]["v"]["search"] == "binary"
    assert again.improved
    assert again.search_vector("v", rows[7].vectors["v"], 1, None, ()).ids == ["7"]
    again.close()


def test_an_interrupted_build_goes_on_where_it_was_saved(tmp_path, monkeypatch):
    monkeypatch.setattr("tiepoint.index.tier._CHECKPOINT_S", 0.0)
    monkeypatch.setattr("tiepoint.index.kinds.building._STEP", 500)
    schema = CollectionSchema("items", (VectorField("v", DIM, "given"),))
    rows = [Row(str(i), {"v": v}, {}, {}, "d") for i, v in enumerate(_vectors("cosine"))]
    tier = ServingTier(schema, {"v": IndexSection(kind="hnsw")}, tmp_path)

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("tiepoint.index.kinds.building.tune", killed)
    with pytest.raises(KeyboardInterrupt):
        tier.upsert(COUNT, rows)
    tier.close()
    monkeypatch.undo()
    again = ServingTier.load(tmp_path, schema, {"v": IndexSection(kind="hnsw")})
    begun = again._state.vectors["v"].stored_proposer
    assert 2000 < len(begun) < COUNT
    with again.deferred():
        pass
    assert again._state.vectors["v"].proposer is begun
    assert len(begun) == COUNT
    assert again.search_vector("v", rows[7].vectors["v"], 1, None, ()).ids == ["7"]
    again.close()


@pytest.mark.parametrize(
    ("options", "count", "kind", "why"),
    [
        ({}, 100, "exact", "few enough"),
        ({}, 50_000, "hnsw", "of"),
        ({"recall": 1.0}, 50_000, "exact", "recall of 1"),
        ({"memory_mib": 30}, 50_000, "int8", "8-bit copies take"),
        ({"memory_mib": 4}, 50_000, "binary", "1-bit copies take"),
        ({"kind": "lsh"}, 50_000, "lsh", "configured"),
    ],
)
def test_auto_chooses_by_size_memory_and_recall_and_says_why(options, count, kind, why):
    choice = choose(IndexSection(**options), count, 256)
    assert choice.kind == kind
    assert why in choice.why


def test_memory_falls_from_the_graph_to_the_bits():
    sizes = [memory_of(kind, 1000, 256) for kind in ("hnsw", "ivf", "exact", "int8", "binary")]
    assert sizes == sorted(sizes, reverse=True)


def test_equal_vectors_do_not_count_against_the_recall():
    vectors = np.repeat(_vectors("cosine", 100), 30, axis=0)
    index = _index("cosine", "hnsw", vectors)
    assert index.proposer.recall >= 0.9


def test_vectors_on_disk_are_read_back_and_leave_no_file(tmp_path):
    vectors = _vectors("cosine")
    disk = DiskVectors(DIM, tmp_path)
    for start in range(0, COUNT, 700):
        disk.append(vectors[start : start + 700])
    early = disk.view
    disk.touched(5000)
    np.testing.assert_array_equal(early, vectors)
    assert not list(tmp_path.iterdir())
    np.save(tmp_path / "v.npy", vectors)
    stored = DiskVectors.of(tmp_path / "v.npy", tmp_path)
    stored.append(vectors[:5])
    np.testing.assert_array_equal(stored.view, np.concatenate([vectors, vectors[:5]]))
    assert len(np.load(tmp_path / "v.npy")) == COUNT


def test_a_full_disk_is_one_clear_line_and_changes_nothing(tmp_path, monkeypatch):
    index = VectorIndex(VectorField("v", DIM, "given"), IndexSection(kind="int8"), tmp_path)
    vectors = _vectors("cosine")
    index.append(range(10), vectors[:10])

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.pwrite", full)
        with pytest.raises(StoreError, match="No space left"):
            index.append(range(10, 20), vectors[10:20])
    assert len(index) == 10
    index.append(range(10, 20), vectors[10:20])
    np.testing.assert_array_equal(index.stored(np.arange(20)), vectors[:20])


@pytest.mark.parametrize("metric", METRICS)
def test_a_filter_that_is_used_again_finds_the_same(metric):
    vectors, queries = _vectors(metric, 12_000), _vectors(metric, 20, seed=2)
    index = _index(metric, "hnsw", vectors)
    mask = np.random.default_rng(3).random(12_000) < 0.15
    allowed, excluded = Allowed(mask), np.flatnonzero(mask)[:3]
    for query in queries:
        first, _ = index._exact(query, 10, Allowed(mask), excluded)
        for rows in (
            index.search(query, 10, allowed, excluded)[0],
            index.search_batch(query[None], 10, allowed, excluded)[0][0],
        ):
            assert len(set(first.tolist()) & set(rows.tolist())) >= 9
            assert not np.isin(rows, excluded).any()
    assert allowed.asked == 40


def test_a_snapshot_lays_near_vectors_side_by_side_and_finds_the_same(tmp_path):
    vectors = _vectors("cosine")
    schema = CollectionSchema("c", (VectorField("v", DIM, "given", "cosine"),))
    tier = ServingTier(schema, {"v": IndexSection(kind="hnsw", recall=0.95)}, tmp_path)
    tier.upsert(1, [Row(f"{n}", {"v": vector}, {}, {}, "") for n, vector in enumerate(vectors)])
    queries = _vectors("cosine", 50, seed=2)
    before = [tier.search_vector("v", query, 10, None, ()) for query in queries]
    proposer = tier.vector_index("v").proposer

    def likeness():
        entries = vectors[proposer.order]
        return float((entries[1:] * entries[:-1]).sum(1).mean())

    scattered = likeness()
    tier.snapshot(tmp_path)
    assert likeness() > scattered + 0.3
    assert sorted(proposer.order.tolist()) == list(range(COUNT))
    again = ServingTier.load(tmp_path, schema, {"v": IndexSection(kind="hnsw", recall=0.95)})
    for query, old in zip(queries, before, strict=True):
        for found in (tier, again):
            new = found.search_vector("v", query, 10, None, ())
            assert new.ids == old.ids
            np.testing.assert_allclose(new.scores, old.scores, atol=1e-6)
    again.close()
    tier.close()
