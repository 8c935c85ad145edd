"""`tiepoint bench search` and `ingest` measure every engine, on made vectors and on files."""

import json

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from tiepoint.errors import InputError
from tiepoint_adapters.benchmarks.ingest import bench_ingest
from tiepoint_adapters.benchmarks.search import bench_search
from tiepoint_adapters.benchmarks.vectors import clustered, embeddings

GIVEN = np.random.default_rng(1).standard_normal((1500, 40)).astype(np.float32)


def _run(command, *arguments):
    run = CliRunner(env={"COLUMNS": "90"})
    done = run.invoke(command, [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return done


def test_every_engine_is_measured_and_drawn(tmp_path):
    out, picture = tmp_path / "out.json", tmp_path / "curve.svg"
    peers = [word for name in ("faiss-hnsw", "usearch", "milvus-lite") for word in ("--peer", name)]
    arguments = ["--n", 2100, "--dim", 32, *peers, "--memory", "--curve", picture, "--json", out]
    done = _run(bench_search, *arguments)
    assert "hnsw (2,100 vectors: the graph and the vectors take" in done.stderr
    assert picture.read_text().count("recall@10") == 1
    rows = json.loads(out.read_text())["rows"]
    parts = {}
    for row in rows:
        parts.setdefault(row["part"], []).append(row)
        assert row["data"] == "clustered, rank 24 (2,100 x 32)"
    engines = ["tiepoint", "faiss-hnsw", "usearch", "milvus-lite"]
    for part in ("one query", "batches of 100"):
        assert [row["engine"] for row in parts[part]] == engines
        for row in parts[part]:
            assert row["recall@10"] >= 0.98
            assert 0 < row["p50_ms"] <= row["p99_ms"]
            assert row["qps"] > 0
    assert [row["share that passes"] for row in parts["filters"]] == [1, 0.001, 0.01, 0.1, 0.5]
    assert all(row["recall@10"] >= 0.98 for row in parts["filters"])
    assert parts["opening"][0].keys() >= {"open_s", "rebuild_s"}
    assert [row["engine"] for row in parts["memory"]] == ["tiepoint's tier", "faiss-hnsw"]


def test_ingestion_is_compared_with_its_parts(tmp_path):
    _run(bench_ingest, "--n", 1000, "--dim", 24, "--json", tmp_path / "out.json")
    rows = json.loads((tmp_path / "out.json").read_text())["rows"]
    names = ["tiepoint", "milvus-lite", "faiss-hnsw", "milvus-lite + faiss-hnsw"]
    assert [row["engine"] for row in rows] == names
    assert all(row["items/s"] > 0 for row in rows)
    assert rows[-1]["times its parts"] == 1.0


def test_vectors_of_every_form_of_file_are_the_same(tmp_path):
    np.savez(tmp_path / "a.npz", names=np.arange(1500), vectors=GIVEN)
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file["train"], file["test"] = GIVEN[:1400], GIVEN[1400:]
    lengths = np.full((1500, 1), 40, np.int32)
    np.concatenate([lengths, GIVEN.view(np.int32)], axis=1).tofile(tmp_path / "a.fvecs")
    forms = [embeddings(tmp_path / f"a.{form}", 1500, 40) for form in ("npz", "hdf5", "fvecs")]
    np.testing.assert_array_equal(forms[0], forms[1])
    np.testing.assert_array_equal(forms[0], forms[2])
    np.testing.assert_allclose(np.linalg.norm(forms[0], axis=1), 1, atol=1e-5)


def test_vectors_are_shortened_and_repeated_with_noise(tmp_path):
    np.savez(tmp_path / "a.npz", vectors=GIVEN)
    many = embeddings(tmp_path / "a.npz", 4000, 24)
    assert many.shape == (4000, 24)
    cosines = many @ many[:50].T
    np.fill_diagonal(cosines, -1)
    assert (np.sort(cosines, axis=0)[-1] > 0.8).all()
    assert cosines.max() < 0.999


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", b"", "no known form"),
        ("a.npz", b"nothing", "cannot be read"),
        ("a.fvecs", b"\x03\x00\x00\x00", "cannot be read"),
        ("a.hdf5", b"nothing", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_clear_line(name, content, said, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said):
        embeddings(tmp_path / name, 1500, 40)


def test_made_vectors_have_the_rank_that_they_are_said_to_have():
    spread = np.linalg.svd(clustered(2000, 64), compute_uv=False)
    assert (spread[:24] > 5 * spread[24]).all()
