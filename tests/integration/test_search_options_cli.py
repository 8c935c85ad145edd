"""What `tiepoint search` offers beyond a text: options, sessions and answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.command_line import tiepoint
from tests.http_server import QuietHandler, served_by

DEPLOYMENT = """\
version: 1
store: {uri: ./store}
collections:
  items:
    fields:
      text: {words: {languages: [english, chinese], stop_words: [shop]}}
    metadata: {price: float, color: string}
sources:
  shop:
    type: table
    path: ./shop.csv
    columns: {id: id, text: title, metadata: {price: price, color: color}}
answer: {type: openai, url: "${ENDPOINT:-http://127.0.0.1:9/v1}", model: small, timeout_s: 5}
"""
SHOP = """\
id,title,price,color
a,red shoe of leather,20,red
b,blue shoe,30,blue
c,red lamp,40,red
d,green chair with red legs,50,
e,红色的鞋子,60,red
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "deploy.yaml").write_text(DEPLOYMENT)
    (folder / "shop.csv").write_text(SHOP)
    done = tiepoint("index", folder / "deploy.yaml")
    assert done.returncode == 0, done.stderr
    return folder / "deploy.yaml"


@pytest.fixture
def ask(shop, tiepoint_here):
    def search(*options: str):
        done = tiepoint_here("search", shop, *options, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return search


def ids(answer) -> list[str]:
    return [hit["id"] for hit in answer["hits"]]


def test_options_do_what_those_of_python_do(ask):
    assert ids(ask("--text", "red", "--not", "leather"))[-1] == "a"
    assert set(ids(ask("--like", "a"))) == {"b", "c", "d"}
    assert (
        ids(ask("--text", "red shoe", "--boost", "cheap={where: 'price > 45', value: 9}"))[0] == "d"
    )
    assert ids(ask("--text", "green chair shoe", "--minimum", "1.5")) == ["d"]
    assert ids(ask("--text", "red", "--group-by", "color")) == ["c", "d"]
    assert ids(ask("--text", "red", "-k", "1", "--offset", "1")) == ["a"]
    assert ids(ask("--text", "red", "-k", "1", "--after", "c")) == ["a"]
    assert ids(ask("--text", "shop")) == []


def test_a_session_goes_on_from_command_to_command(shop, ask, tiepoint_here):
    assert "a" in ids(ask("--session", "mine", "--text", "shoe"))
    narrowed = ask("--session", "mine", "--text", "the red one")
    assert narrowed["session"]["query"] == "red shoe"
    last = ask("--session", "mine", "--text", "without leather")
    assert last["session"]["turns"] == 3
    assert last["session"]["without"] == ["leather"]
    assert ids(last).index("a") > 0
    shown = tiepoint_here("search", shop, "--session", "mine", "--text", "不要 lamp")
    assert shown.stdout.startswith("mine, turn 4: red shoe; without: leather, lamp\n")
    assert [s["name"] for s in ask("--sessions")["sessions"]] == ["mine"]
    assert "red shoe; without" in tiepoint_here("search", shop, "--sessions").stdout
    reset = tiepoint_here("search", shop, "--session", "mine", "--reset")
    assert (reset.returncode, reset.stdout) == (0, "forgot mine\n")
    assert ask("--sessions") == {"sessions": []}


def test_a_session_in_chinese(ask):
    ask("--session", "zh", "--reset", "--text", "鞋子")
    answer = ask("--session", "zh", "--text", "红色的那个")
    assert answer["session"]["query"] == "红色的鞋子"
    assert ids(answer) == ["e"]


@pytest.fixture
def endpoint(monkeypatch):
    class Handler(QuietHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            content = "The shoe is red [a]. It is cheap [zz]."
            body = json.dumps({"choices": [{"message": {"content": content}}]}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

    with served_by(Handler) as address:
        monkeypatch.setenv("ENDPOINT", f"{address}/v1")
        yield


def test_an_answer_cites_hits(ask, endpoint):
    answer = ask("--text", "red shoe", "--answer", "What colour is the shoe?")["answer"]
    assert answer["text"] == "The shoe is red. [a]"
    assert answer["unsupported"] == ["It is cheap."]


def test_without_a_model_the_hits_are_shown_all_the_same(shop, tiepoint_here):
    done = tiepoint_here("search", shop, "--text", "shoe", "--answer", "Why?", "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert (ids(found), found["answer"]) == (["b", "a"], None)
    [line] = done.stderr.splitlines()
    assert "cannot be reached" in line


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--not", "red"), "nothing to search for"),
        (("--text", "x", "--weight", "text"), "--weight: 'text' names no value"),
        (("--text", "x", "--weight", "text=big"), "--weight: 'big' is no number"),
        (("--text", "x", "--weight", "txt=1"), "Did you mean 'text'"),
        (("--text", "x", "--boost", "a=[1"), "--boost"),
        (("--text", "x", "--boost", "a={valeu: 1}"), "boosts.a"),
        (("--text", "x", "--boost", "a={value: 1, where: 'prise < 3'}"), "prise"),
        (("--text", "x", "--minimum", "low"), "--minimum"),
        (("--text", "x", "--group-by", "shelf"), "group_by"),
        (("--text", "x", "--offset", "-1"), "offset"),
        (("--text", "x", "--diversity", "2"), "diversity"),
        (("--text", "x", "--like", "nobody"), "there is no item 'nobody'"),
        (("--text", "x", "--session", "a b"), "no name of a session"),
        (("--reset",), "no session is named"),
        (("--text", "x", "--not", "\udcff"), "--not: this is not UTF-8 text"),
        (("--text", "x", "--like", "\udcff"), "--like: this is not UTF-8 text"),
    ],
)
def test_what_cannot_be_is_one_line_and_code_2(shop, tiepoint_here, options, told):
    done = tiepoint_here("search", shop, *options)
    assert done.returncode == 2, done.stderr
    [line] = done.stderr.splitlines()
    assert told in line
