"""Rules and experiments from the command line."""

from __future__ import annotations

import json

import pytest

from tests.plugins.recommendation.running import run

PIN = "name: window\naction: pin\nselect: {items: [i0042]}\nplace: 2\n"


@pytest.fixture
def rules(store, tmp_path):
    (tmp_path / "rule.yaml").write_text(PIN)
    return lambda *words: run("recommend", "rules", *words, "--store", store)


@pytest.fixture
def rule(tmp_path):
    return tmp_path / "rule.yaml"


def shown(store):
    done = run("recommend", "recommend", "--user", "u0003", "--store", store, "--json")
    return [one["id"] for one in json.loads(done.out)["items"]]


def test_a_rule_is_tried_applied_listed_and_taken_back(rules, rule, store):
    before = shown(store)
    tried = json.loads(rules("preview", rule, "--user", "u0003", "--json").out)
    assert tried["before"] == before
    assert tried["after"][1] == "i0042"
    assert "i0042" in tried["entered"]
    assert shown(store) == before
    number = json.loads(rules("apply", rule, "--by", "mia", "--json").out)["number"]
    assert shown(store)[1] == "i0042"
    [entry] = json.loads(rules("list", "--json").out)
    assert (entry["number"], entry["made_by"], entry["rule"]["name"]) == (number, "mia", "window")
    assert "window" in rules("list").out
    assert json.loads(rules("undo", number, "--by", "jo", "--json").out)["number"] == number
    assert shown(store) == before
    assert json.loads(rules("list", "--json").out) == []
    assert "jo" in rules("list", "--undone").out


def test_a_rule_has_a_beginning_and_an_end(rules, rule, store):
    before = shown(store)
    done = rules("apply", rule, "--start", "2020-01-01", "--end", "2021-01-01T12:00Z", "--json")
    assert done.code == 0, done.err
    [entry] = json.loads(rules("list", "--json").out)
    assert entry["rule"]["start_s"] == 1577836800
    assert shown(store) == before


@pytest.mark.parametrize(
    ("content", "words", "said"),
    [
        ("name: x\naction: jump\n", (), "action"),
        ("name: x\naction: pin\n", (), "which products"),
        ("- a list\n", (), "no rule"),
        (PIN, ("--start", "soon"), "is no time"),
        (PIN, ("--start", "2021-01-01", "--end", "2020-01-01"), "ends before"),
    ],
)
def test_what_is_no_rule_is_told_in_one_line(rules, rule, content, words, said):
    rule.write_text(content)
    done = rules("apply", rule, *words)
    assert done.code == 2
    assert said in done.err
    assert json.loads(rules("list", "--json").out) == []


def test_nothing_to_undo_and_no_experiment_are_told(rules, store):
    done = rules("undo")
    assert done.code == 2
    assert "rule" in done.err
    done = run("recommend", "experiment", "--store", store)
    assert done.code == 2
    assert "no experiment runs" in done.err


def test_the_arms_of_an_experiment_are_compared(store, tmp_path):
    config = tmp_path / "shop.yaml"
    config.write_text(
        "version: 1\n"
        "collections: {items: {fields: {look: {dimensions: 4}}}}\n"
        "plugins: {recommendation: {live: {experiment: {name: spread, arms: {"
        "plain: {share: 1}, varied: {share: 1, diversity: 0.6}}}}}}\n"
    )
    words = ("--store", store, "--config", config)
    for user in range(20):
        run("recommend", "recommend", "--user", f"u{user:04d}", *words)
    arms = json.loads(run("recommend", "experiment", *words, "--json").out)
    assert [one["arm"] for one in arms] == ["plain", "varied"]
    assert sum(one["users"] for one in arms) == 20
    assert "click-through" in run("recommend", "experiment", *words).out
