"""`tiepoint bench search` measures every engine on both kinds of vectors."""

import json

import numpy as np
from click.testing import CliRunner

from tiepoint_adapters.benchmarks.search import bench_search, clustered

ENGINES = ["tiepoint", "faiss-hnsw", "exact NumPy", "milvus-lite"]


def test_every_engine_is_measured_on_made_and_given_vectors(tmp_path):
    given = np.random.default_rng(1).standard_normal((1500, 32)).astype(np.float32)
    np.savez(tmp_path / "given.npz", names=np.arange(1500), vectors=given)
    arguments = ["--n", "2100", "--dim", "48", "--data", str(tmp_path / "given.npz")]
    arguments += ["--json", str(tmp_path / "out.json")]
    result = CliRunner(env={"COLUMNS": "80"}).invoke(
        bench_search, arguments, catch_exceptions=False
    )
    assert result.exit_code == 0
    assert result.stderr.count("given.npz (1,000 x 32): ") == 5
    for title in ("The 10 nearest: clustered, rank 24", "The 10 nearest: given.npz (1,000 x 32)"):
        assert result.stdout.count(title) == 2  # searching, and opening
    assert "…" not in result.stdout
    rows = json.loads((tmp_path / "out.json").read_text())["rows"]
    assert len(rows) == 10
    for data in ("clustered, rank 24 (2,100 x 48)", "given.npz (1,000 x 32)"):
        of_data = {row["engine"]: row for row in rows if row["data"] == data}
        assert list(of_data) == [*ENGINES, "tiepoint, opening"]
        assert of_data["exact NumPy"]["recall@10"] == 1.0
        assert of_data["tiepoint"]["recall@10"] >= 0.98
        for engine in ENGINES:
            assert 0 < of_data[engine]["p50_ms"] <= of_data[engine]["p99_ms"]
            assert of_data[engine]["qps"] > 0
        assert of_data["tiepoint, opening"].keys() >= {"open_s", "rebuild_s"}


def test_made_vectors_have_the_rank_that_they_are_said_to_have():
    spread = np.linalg.svd(clustered(2000, 64), compute_uv=False)
    assert (spread[:24] > 5 * spread[24]).all()
