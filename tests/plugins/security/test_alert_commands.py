"""`tiepoint run` delivers alerts, and `tiepoint security` looks into them, side by side."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.command_line import TIEPOINT, tiepoint
from tests.http_receiver import http_receiver
from tiepoint.cli.main import main
from tiepoint_adapters.sinks.log import LogSink
from tiepoint_security.alarm import Alarm
from tiepoint_security.alerts.observation import Observation
from tiepoint_security.settings import AlarmSettings

DEPLOYMENT = """
version: 1
store: {{uri: ./data}}
collections: {{items: {{fields: {{look: {{dimensions: 8}}}}}}}}
sinks:
  web: {{type: webhook, url: "{url}", secret: "${{WEBHOOK_SECRET:-a secret of enough bytes}}"}}
plugins:
  security:
    delivery: {{timeout_s: 1, first_wait_s: 0.1, longest_wait_s: 0.2}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "deploy.yaml"
    file.write_text(DEPLOYMENT.format(url="http://127.0.0.1:1/"))
    return file


def happen(config: Path, *tracks: str) -> list[str]:
    """Record alerts as a process that was killed before it sent anything."""
    records = {"audit_key": None}
    settings = AlarmSettings.model_validate({"records": records})
    one = Alarm(settings, {"web": LogSink()}, str(config.parent / "data"), "dead")
    ids = []
    for track in tracks:
        for _ in range(4):
            alert = one.desk.observe(Observation("gate", "intrusion", 0.9, track=track))
        assert alert is not None
        ids.append(alert.id)
    one.records.close()
    return ids


class Answers(Protocol):
    def __call__(self, *words: str | Path) -> Any: ...


@pytest.fixture
def answer(capsys: pytest.CaptureFixture[str]) -> Answers:
    """Run a command in this process; gives its JSON."""

    def run(*words: str | Path) -> Any:
        code = main(["security", *map(str, words), "--json"])
        said = capsys.readouterr()
        assert code == 0, said.err
        return json.loads(said.out)

    return run


@contextmanager
def running(config: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([TIEPOINT, "run", str(config)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ready")
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def test_next_process_delivers_what_a_killed_one_left_and_an_ack_reaches_the_sinks(
    config: Path, answer: Answers
) -> None:
    (alert,) = happen(config, "1")
    with http_receiver() as receiver:
        config.write_text(DEPLOYMENT.format(url=receiver.url))
        with running(config) as process:
            (new,) = receiver.await_taken(1)
            done = answer("ack", config, alert, "--false-alarm", "--note", "a cat", "--user", "ada")
            _, update, *_ = receiver.await_taken(2)
            assert process.poll() is None
    assert (new.body["type"], new.key) == ("new", f"{alert}:1")
    assert update.body["after"]["acknowledged_by"] == "ada"
    assert done["acknowledged"] == [
        {"alert": alert, "user": "ada", "verdict": "false_alarm", "first": True}
    ]


def test_commands_list_show_export_and_verify(
    config: Path, tmp_path: Path, answer: Answers
) -> None:
    one, other = happen(config, "1", "2")
    assert {alert["id"] for alert in answer("alerts", config)["alerts"]} == {one, other}
    answer("ack", config, one, "--user", "ada")
    assert [a["id"] for a in answer("alerts", config, "--open")["alerts"]] == [other]
    assert answer("alerts", config, other, "--user", "bob")["alert"]["camera"] == "gate"
    made = answer("export", config, one, "--out", tmp_path / "out", "--user", "bob")
    assert made["files"] == 1
    lines = answer("audit", config)["lines"]
    assert [(line["user"], line["action"], line["subject"]) for line in lines] == [
        ("ada", "acknowledged", one),
        ("bob", "viewed", other),
        ("bob", "exported", one),
    ]
    found = answer("audit", config, "--verify", "--head", lines[0]["hash"])
    assert (found["intact"], found["lines"]) == (True, 3)
    assert answer("deliveries", config)["sinks"]["web"] == {
        "waiting": 2,
        "delivered": 0,
        "dead": 0,
    }


def test_log_that_was_changed_makes_the_command_fail(
    config: Path, answer: Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    import sqlite3

    (alert,) = happen(config, "1")
    answer("ack", config, alert)
    with sqlite3.connect(config.parent / "data-security" / "alerts.sqlite3") as connection:
        connection.execute("UPDATE audit SET user = 'nobody'")
    connection.close()
    assert main(["security", "audit", str(config), "--verify"]) == 1
    assert "broken at line 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("alerts", "{config}", "nosuch"), "no such alert"),
        (("ack", "{config}", "nosuch"), "no such alert"),
        (("audit", "{config}", "--head", "abc"), "--head goes with --verify"),
        (("alerts", "{config}", "--severity", "awful"), "awful"),
        (("alerts", "{missing}"), "missing.yaml"),
    ],
)
def test_wrong_input_is_one_clear_line(
    config: Path, words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    happen(config, "1")
    places = {"config": config, "missing": config.with_name("missing.yaml")}
    assert main(["security", *(word.format(**places) for word in words)]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_deployment_without_alerts_says_what_to_do(config: Path) -> None:
    done = tiepoint("security", "alerts", config)
    assert done.returncode == 2
    assert "tiepoint run" in done.stderr
    assert not os.path.lexists(config.parent / "data-security")


def test_deployment_without_the_plugin_is_refused(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(config.read_text().partition("plugins:")[0])
    assert main(["security", "alerts", str(config)]) == 2
    assert "does not name the plugin" in capsys.readouterr().err
