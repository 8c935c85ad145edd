"""Hits of a single route make what they hold when it is asked for."""

import pickle

from tiepoint import Host, Item
from tiepoint.config.models import Deployment
from tiepoint.types import Contribution, Hit


def _host(tmp_path):
    fields = {"vector": {"dimensions": 2}}
    return Host(
        Deployment.model_validate(
            {
                "version": 1,
                "store": {"uri": str(tmp_path / "store")},
                "collections": {"items": {"fields": fields, "metadata": {"price": "int"}}},
            }
        )
    )


def test_a_hit_tells_what_was_found_and_not_what_came_later(tmp_path):
    with _host(tmp_path) as host:
        host.add([Item("a", parts={"vector": [1.0, 0.0]}, metadata={"price": 1})])
        hits = host.search(vector=[1.0, 0.0])
        host.add([Item("a", parts={"vector": [0.0, 1.0]}, metadata={"price": 2})])
        assert hits[0].metadata == {"price": 1}
        host.delete(["a"])
    assert hits[0].parts == {}
    assert hits[0].contributions == (Contribution("vector->vector", 1.0, 1.0, 1.0, 1.0),)


def test_a_found_hit_equals_a_plain_one_and_travels_as_one(tmp_path):
    with _host(tmp_path) as host:
        host.add([Item("a", parts={"vector": [1.0, 0.0]}, metadata={"price": 1})])
        [hit] = host.search(vector=[1.0, 0.0], explain=True)
    shares = (Contribution("vector->vector", 1.0, 1.0, 1.0, 1.0),)
    assert hit == Hit("a", 1.0, None, shares, {"price": 1}, {}, hit.explanation)
    assert hit != Hit("b", 1.0, None, shares, {"price": 1}, {}, hit.explanation)
    sent = pickle.loads(pickle.dumps(hit))  # noqa: S301 - made here
    assert type(sent) is Hit
    assert sent == hit
