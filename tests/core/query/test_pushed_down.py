"""The same searches on an embedded store and on a Milvus server give the same hits."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.core.query.conftest import assert_explained, ids, number_items, numbers_deployment
from tiepoint import Host, Item

SERVER = """
import sys
from milvus_lite.adapter.grpc.server import start_server_in_thread
server, database, port = start_server_in_thread(sys.argv[1])
print(port, flush=True)
server.wait_for_termination()
"""
QUERY = {"signal": [1.0, -0.5, *[0.1] * 14]}
TEXTS = {
    "cat": "一只猫坐在雪地里的红色自行车旁边",
    "bicycles": "The red bicycles leaned against a café",
    "sea": "the sea, the sea",
}


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pushed-down")
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(folder / "server")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    uri = f"http://127.0.0.1:{int(process.stdout.readline())}"
    items = [
        *number_items(150),
        *(Item(id=id_, text=text, metadata={"number": -1}) for id_, text in TEXTS.items()),
    ]
    with (
        Host(numbers_deployment(folder / "store")) as embedded,
        Host(numbers_deployment(uri)) as server,
    ):
        for host in (embedded, server):
            host.add(items)
        yield embedded, server
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    "query",
    [
        {"vector": QUERY, "minimum": 0.2},
        {"vector": QUERY, "text": "cherry", "negative": "elder"},
        {"vector": QUERY, "like": ["n0003", "n0004"], "unlike": ["n0005"]},
        {"vector": QUERY, "group_by": "shelf", "group_size": 3},
        {"vector": QUERY, "offset": 20},
        {"vector": QUERY, "diversity": 0.4},
        {
            "vector": QUERY,
            "where": "number < 100",
            "boosts": {
                "near": {"value": 3, "decay": {"field": "number", "origin": 50, "scale": 9}}
            },
        },
    ],
)
def test_hits_and_their_explanations_agree(pair, query):
    embedded, server = (host.search(**query, k=20) for host in pair)
    assert_explained(server)
    assert_explained(embedded)
    overlap = len(set(ids(embedded)) & set(ids(server)))
    assert overlap >= 0.9 * len(embedded)
    theirs = {hit.id: hit for hit in server}
    for hit in embedded:
        if hit.id not in theirs:
            continue
        for ours, other in zip(hit.contributions, theirs[hit.id].contributions, strict=True):
            assert ours.route == other.route
            if "words" not in ours.route:  # BM25's statistics are kept in other precision
                assert ours.similarity == pytest.approx(other.similarity, abs=1e-4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("红色的自行车", {"cat"}),
        ("bicycle", {"bicycles"}),
        ("CAFE", {"bicycles"}),
        ("the", set()),
        ("的", set()),
        ("sea 猫", {"sea", "cat"}),
        ('sea" or 1 == 1 --', {"sea"}),
    ],
)
def test_words_are_the_same_terms_on_both(pair, text, expected):
    for host in pair:
        hits = host.search(text=text, exclude=[f"n{number:04d}" for number in range(150)])
        assert set(ids(hits)) == expected
