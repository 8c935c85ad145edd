"""Lists for many users by the workers of an engine."""

from __future__ import annotations

import json

import pytest

from tests.plugins.recommendation.running import run

pytest.importorskip("ray", reason="Ray is not installed")

FILE = """\
version: 1
store: {{uri: {uri}}}
collections: {{items: {{fields: {{look: {{dimensions: 4}}}}}}}}
engine: {engine}
"""


@pytest.mark.slow
def test_workers_give_the_same_lists_as_one_process(store, tmp_path):
    users = tmp_path / "users.csv"
    users.write_text("\n".join(f"u{number:04d}" for number in range(1200)))
    told = []
    for name, engine in (("one", "{type: local}"), ("many", "{type: ray, workers: 2}")):
        config = tmp_path / f"{name}.yaml"
        config.write_text(FILE.format(uri=tmp_path / "items", engine=engine))
        out = tmp_path / f"{name}.csv"
        words = ("--store", store, "--config", config, "--users", users, "-k", 5, "--out", out)
        done = run("recommend", "predict", *words, "--json")
        assert done.code == 0, done.err
        told.append((json.loads(done.out)["rows"], out.read_text()))
    assert told[0] == told[1]
    assert told[0][0] == 6000


@pytest.mark.slow
def test_workers_answer_for_all_users_as_one_process_does(store, tmp_path):
    from pyarrow import parquet

    rule = tmp_path / "rule.yaml"
    rule.write_text("name: window\naction: pin\nselect: {items: [i0042]}\nplace: 2\n")
    assert run("recommend", "rules", "apply", rule, "--store", store).code == 0
    told = []
    for name, engine in (("one", "{type: local}"), ("many", "{type: ray, workers: 2}")):
        config = tmp_path / f"{name}.yaml"
        config.write_text(FILE.format(uri=tmp_path / "items", engine=engine))
        out = tmp_path / f"{name}.parquet"
        words = ("--store", store, "--config", config, "--all-users", "-k", 5, "--out", out)
        done = run("recommend", "recommend", *words, "--most-price", 60, "--json")
        assert done.code == 0, done.err
        told.append((json.loads(done.out)["users"], parquet.read_table(out).to_pylist()))
    assert told[0] == told[1]
    assert told[0][0] > 100
    assert [row["item"] for row in told[0][1] if row["rank"] == 2].count("i0042") > 80
