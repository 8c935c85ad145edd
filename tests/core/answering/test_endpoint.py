"""Answers from an endpoint: a real HTTP server in this process."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tiepoint import Host, Item
from tiepoint.answering.base import Prompt
from tiepoint.answering.openai_endpoint import OpenAIAnswerer
from tiepoint.config.models import Deployment
from tiepoint.errors import AnswerError, ConfigError

KEY_ENV = "TIEPOINT_TEST_KEY"


class Endpoint(ThreadingHTTPServer):
    """Says what it is told to, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, dict[str, str], dict[str, object]]] = []
        self.body = b""
        self.status = 200
        self.pause_s = 0.0

    def say(self, content: object) -> None:
        message = {"choices": [{"message": {"role": "assistant", "content": content}}]}
        self.body = json.dumps(message).encode()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append((self.path, headers, json.loads(body)))
        self.send_response(self.server.status)
        self.end_headers()
        for start in range(0, len(self.server.body), 16):
            try:
                self.wfile.write(self.server.body[start : start + 16])
                self.wfile.flush()
            except OSError:
                return
            time.sleep(self.server.pause_s)

    def log_message(self, *_):
        pass


@pytest.fixture
def endpoint():
    server = Endpoint()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def deployment(uri, **answer) -> Deployment:
    return Deployment.model_validate(
        {
            "version": 1,
            "store": {"uri": str(uri)},
            "collections": {"items": {"fields": {"text": {"words": True}}}},
            **({"answer": answer} if answer else {}),
        }
    )


@pytest.fixture
def host(tmp_path, endpoint):
    answer = {"type": "openai", "url": endpoint.url, "model": "small", "key_env": KEY_ENV}
    with Host(deployment(tmp_path / "store", **answer, hits=2)) as host:
        texts = {"a": "a red shoe of leather", "b": "a red lamp", "c": "red red red"}
        host.add([Item(id=id_, text=text) for id_, text in texts.items()])
        yield host


def test_an_answer_cites_the_hits_that_it_rests_on(host, endpoint, monkeypatch):
    monkeypatch.setenv(KEY_ENV, "a secret")
    endpoint.say("The shoe is of leather [a]. So is the lamp [z]. It was made in 1950.")
    hits = host.search(text="red leather shoe")
    answer = host.answer("What is the shoe made of?", hits)
    assert answer.text == "The shoe is of leather. [a]"
    assert (answer.citations, answer.unknown) == (("a",), ("z",))
    assert len(answer.unsupported) == 2
    [(path, headers, asked)] = endpoint.asked
    assert path == "/v1/chat/completions"
    assert headers["authorization"] == "Bearer a secret"
    assert (asked["model"], asked["temperature"]) == ("small", 0)
    user = asked["messages"][1]["content"]
    assert user.count('"key"') == 2
    assert '"a red shoe of leather"' in user
    assert user.endswith("Question: What is the shoe made of?\n\nAnswer:")


def test_a_hit_that_the_model_did_not_see_is_no_citation(host, endpoint):
    hits = host.search(text="red")
    unseen = hits[2].id
    endpoint.say(f"It is so [{unseen}].")
    assert host.answer("Is it so?", hits).text == ""


def test_without_hits_nobody_is_asked(host, endpoint):
    assert host.answer("What is it?", []).text == ""
    assert endpoint.asked == []


def test_without_a_key_none_is_sent(endpoint, monkeypatch):
    monkeypatch.delenv(KEY_ENV, raising=False)
    endpoint.say("Yes.")
    OpenAIAnswerer(endpoint.url, "m", key_env=KEY_ENV).complete(Prompt("s", "u"))
    assert "authorization" not in endpoint.asked[0][1]


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (500, b"", "status 500"),
        (401, b"", f"the key comes from {KEY_ENV}"),
        (302, b"", "status 302"),
        (200, b"<html>", "no chat completion"),
        (200, b'{"choices": []}', "no chat completion"),
        (200, b'{"choices": [{"message": {"content": null}}]}', "no chat completion"),
    ],
)
def test_what_is_no_answer_is_one_line_without_the_key(endpoint, monkeypatch, status, body, told):
    monkeypatch.setenv(KEY_ENV, "a secret")
    endpoint.status, endpoint.body = status, body
    answerer = OpenAIAnswerer(endpoint.url, "m", key_env=KEY_ENV)
    with pytest.raises(AnswerError, match=told) as caught:
        answerer.complete(Prompt("s", "u"))
    assert caught.value.exit_code == 1
    assert "secret" not in str(caught.value)


def test_an_endpoint_that_dribbles_is_cut_off(endpoint):
    endpoint.say("slow " * 200)
    endpoint.pause_s = 0.05
    started = time.monotonic()
    with pytest.raises(AnswerError, match=r"more than 0\.3 s"):
        OpenAIAnswerer(endpoint.url, "m", timeout_s=0.3).complete(Prompt("s", "u"))
    assert time.monotonic() - started < 3


def test_an_endpoint_that_is_not_there_is_one_line():
    with pytest.raises(AnswerError, match="cannot be reached"):
        OpenAIAnswerer("http://127.0.0.1:9/v1", "m", timeout_s=5).complete(Prompt("s", "u"))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "localhost:8000", "http://u:p@host/v1", ""])
def test_a_url_that_is_none_is_refused(url):
    with pytest.raises(ConfigError, match="no http or https URL"):
        OpenAIAnswerer(url, "m")


def test_answers_are_off_by_default(tmp_path):
    with Host(deployment(tmp_path / "store")) as host, pytest.raises(ConfigError, match="answer"):
        host.answer("What is it?", [])
