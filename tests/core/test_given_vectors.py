"""Collections of given vectors: metrics, index kinds and many queries through a host."""

import json
import re

import numpy as np
import pytest
import yaml

from tests.command_line import tiepoint
from tiepoint import Host, Item
from tiepoint.config.models import Deployment
from tiepoint.errors import ConfigError, FingerprintError, QueryError, SchemaError

DIM = 16
VECTORS = np.random.default_rng(0).standard_normal((2500, DIM)).astype(np.float32)


def _content(tmp_path, metric, **index):
    fields = {"vector": {"dimensions": DIM, "metric": metric}}
    return {
        "version": 1,
        "store": {"uri": str(tmp_path / "store")},
        "collections": {"items": {"fields": fields, "metadata": {"price": "int"}, "index": index}},
    }


def _host(tmp_path, metric="cosine", **index):
    return Host(Deployment.model_validate(_content(tmp_path, metric, **index)))


def _items(count):
    for number in range(count):
        yield Item(str(number), parts={"vector": VECTORS[number]}, metadata={"price": number})


def _score(metric, query):
    vectors = VECTORS[:300].astype(np.float64)
    if metric == "euclidean":
        return -np.linalg.norm(vectors - query, axis=1)
    if metric == "manhattan":
        return -np.abs(vectors - query).sum(1)
    if metric == "cosine":
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        query = query / np.linalg.norm(query)
    return vectors @ query


@pytest.mark.parametrize("metric", ["cosine", "inner_product", "euclidean", "manhattan"])
def test_hits_and_their_scores_are_those_of_the_metric(metric, tmp_path):
    with _host(tmp_path, metric) as host:
        host.add(_items(300))
        many = host.search_many(VECTORS[300:310], k=5)
        for query, together in zip(VECTORS[300:310], many, strict=True):
            truth = _score(metric, query.astype(np.float64))
            hits = host.search(vector=query, k=5)
            assert [hit.id for hit in hits] == [str(i) for i in np.argsort(-truth)[:5]]
            np.testing.assert_allclose(
                [hit.score for hit in hits], np.sort(truth)[::-1][:5], rtol=1e-4, atol=1e-5
            )
            assert together == hits


def test_vectors_of_another_metric_are_refused(tmp_path):
    with _host(tmp_path, "euclidean") as host:
        host.add(_items(5))
    with pytest.raises(FingerprintError), _host(tmp_path, "cosine"):
        pass


def test_an_encoders_vectors_have_no_other_metric(tmp_path):
    content = _content(tmp_path, "euclidean")
    content["encoders"] = {"words": {"type": "use"}}
    content["collections"]["items"]["fields"] = {
        "text": {"encoder": "words", "metric": "euclidean"}
    }
    with pytest.raises(ConfigError, match="only given vectors have a metric"):
        Host(Deployment.model_validate(content))


def test_a_vector_that_is_not_finite_is_refused_by_every_metric(tmp_path):
    with _host(tmp_path, "euclidean") as host:
        with pytest.raises(SchemaError, match="not finite"):
            host.add([Item("a", parts={"vector": np.full(DIM, np.nan)})])
        with pytest.raises(QueryError, match="16 values"):
            host.search(vector=np.ones(3))


@pytest.mark.parametrize(
    ("vectors", "said"),
    [
        (np.ones(DIM), "shape"),
        (np.ones((2, 3)), "shape"),
        (np.zeros((2, DIM)), "zero or not finite"),
        ([["a"]], "not made of numbers"),
        ({"other": np.ones((1, DIM))}, "no vector field 'other'"),
        ({}, "for one field"),
    ],
)
def test_many_vectors_that_cannot_be_asked_are_one_clear_line(vectors, said, tmp_path):
    with _host(tmp_path) as host, pytest.raises(QueryError, match=said):
        host.search_many(vectors)


def test_many_queries_respect_filters_exclusions_and_slices(tmp_path):
    with _host(tmp_path) as host:
        host.add(_items(50))
        found = host.search_many(VECTORS[:4], where="price < 10", exclude=["1"], k=20)
        assert [len(hits) for hits in found] == [9, 9, 9, 9]
        assert found[0][0].id == "0"
        assert found[-1][0].metadata == {"price": 3}
        assert [hit.id for hit in found[1:][0]] == found.found[1].ids
        assert len(host.search_many(np.empty((0, DIM)))) == 0


def test_doctor_and_health_say_which_index_was_chosen_and_why(tmp_path):
    content = _content(tmp_path, "cosine", kind="int8")
    file = tmp_path / "deploy.yaml"
    file.write_text(yaml.safe_dump(content))
    with Host.from_config(file) as host:
        host.add(_items(2500))
        said = host.health()["collections"]["items"]["tier"]["vectors"]["vector"]
        assert (said["search"], said["why"]) == ("int8", "configured")
        assert said["recall"] >= 0.98
    done = tiepoint("doctor", file, "--json", TIEPOINT_CACHE=tmp_path / "cache")
    [finding] = [
        finding
        for finding in json.loads(done.stdout)["findings"]
        if finding["name"] == "index items.vector"
    ]
    assert re.match(r"int8: configured; tuned to a recall of (0\.9|1\.0)", finding["value"])
