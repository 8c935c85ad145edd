"""The commands that ask: their answers, their JSON, and what they say to bad input."""

from __future__ import annotations

import json

import pytest
from pyarrow import parquet

from tests.plugins.recommendation.running import run


@pytest.fixture
def ask(filled):
    """Run a command on the shop, which it must not change."""

    def run_(name, *words):
        return run("recommend", name, *words, "--store", filled)

    return run_


def test_recommend_prints_reasons(ask):
    done = ask("recommend", "--user", "u0003", "-k", "5")
    assert done.code == 0, done.err
    assert "because you" in done.out
    assert len(done.out.splitlines()) == 6


def test_recommend_as_json_is_complete(ask):
    told = json.loads(ask("recommend", "--user", "u0003", "-k", "3", "--json").out)
    assert [one["rank"] for one in told["items"]] == [1, 2, 3]
    assert set(told["items"][0]) == {
        *("id", "title", "rank", "score", "parts", "policy", "propensity", "pinned", "reasons")
    }
    assert told["known"]
    assert told["left"]["offered"] == 144


def test_somebody_new_is_told_so(ask):
    done = ask("recommend", "--user", "nobody")
    assert done.code == 0
    assert "nothing is known" in done.err


def test_an_empty_answer_says_which_filter_and_ends_well(ask):
    done = ask("recommend", "--user", "u0003", "--most-price", "0.5")
    assert done.code == 0
    assert done.out == ""
    assert "`most_price` left out the last" in done.err


def test_filters_reach_the_answer(ask):
    words = ("--category", "lamp", "--category", "mug", "--brand", "Alder", "--sold-out")
    told = json.loads(ask("recommend", "--user", "u0003", "-k", "50", *words, "--json").out)
    assert told["items"]
    assert all(" by Alder" in one["title"] for one in told["items"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("similar", "nowhere"), "no item 'nowhere'"),
        (("explain", "nowhere", "--user", "u0003"), "no item 'nowhere'"),
        (("recommend", "--least-price", "5", "--most-price", "4"), "least price is above"),
        (("recommend", "--all-users"), "--out go together"),
        (("recommend", "--user", "u0003", "-k", "0"), "-k"),
        (("recommend", "--user", "u0003", "--diversity", "1"), "--diversity"),
        (("recommend", "--image", "no-such-file.jpg"), "no-such-file.jpg"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_two(ask, words, said):
    done = ask(*words)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_store_that_is_not_there_is_told(tmp_path):
    done = run("recommend", "recommend", "--user", "a", "--store", tmp_path / "none")
    assert done.code == 2
    assert "ingest" in done.err


def test_similar_and_complementary(ask, shop):
    item = next(one for one in shop.items if one.kind == "mug" and one.stock)
    similar = json.loads(ask("similar", item.id, "--json").out)["items"]
    along = json.loads(ask("similar", item.id, "--complementary", "--json").out)["items"]
    assert "mug" in similar[0]["title"]
    assert not any("mug" in one["title"] for one in along)


def test_explain_says_where_an_item_stands(ask, shop):
    done = ask("explain", shop.items[5].id, "--user", "u0003")
    assert done.code == 0
    assert "rank" in done.out or "left out by" in done.out


def test_all_users_go_into_one_table(ask, tmp_path, shop):
    out = tmp_path / "all.parquet"
    told = json.loads(ask("recommend", "--all-users", "--out", out, "-k", "4", "--json").out)
    table = parquet.read_table(out)
    assert table.column_names == ["user", "item", "rank", "score"]
    assert len(table) == told["rows"] == 4 * told["users"]
    assert told["users"] == len({event.user for event in shop.events})
    seen = {(event.user, event.item) for event in shop.events}
    pairs = zip(table["user"].to_pylist(), table["item"].to_pylist(), strict=True)
    assert not seen & set(pairs)
