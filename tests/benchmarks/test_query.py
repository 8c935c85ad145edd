"""`bench query` asks every engine for the same texts and writes the documented JSON."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from tiepoint_adapters.benchmarks.query import bench_query


def test_report_compares_with_the_packages_at_each_number_of_threads(tmp_path: Path) -> None:
    file = tmp_path / "query.json"
    done = CliRunner().invoke(
        bench_query, ["--texts", "3", "--json", str(file)], catch_exceptions=False
    )
    assert done.exit_code == 0
    rows = json.loads(file.read_text())["rows"]
    assert rows[0]["engine"] == "tiepoint"
    assert {row["engine"] for row in rows} == {"tiepoint", "packages"}
    assert all(row["p50_ms"] > 0 and row["p95_ms"] >= row["p50_ms"] for row in rows)
    best = min(row["p50_ms"] for row in rows if row["engine"] == "packages")
    assert abs(rows[0]["times_faster"] - best / rows[0]["p50_ms"]) < 0.1
