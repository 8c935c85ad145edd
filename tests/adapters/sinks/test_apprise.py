"""E-mail through Apprise reaches a real SMTP server."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message as Mail
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from tests.ports import free_port
from tiepoint.errors import ConfigError
from tiepoint_adapters.sinks.apprise import KEY_HEADER, AppriseSink
from tiepoint_adapters.sinks.base import Message, SinkError

MESSAGE = Message(
    "a:1", "[warning] Einbruch at Tür 3", "text\nreference: a:1", "warning", 0.0, {"key": "a:1"}
)


class Mailbox:
    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.answer = "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if self.answer.startswith("250"):
            self.mails.append(message_from_bytes(envelope.content))
        return self.answer


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, str]]:
    box = Mailbox()
    port = free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, f"mailto://127.0.0.1:{port}?from=cameras@site.test&to=guard@site.test"
    controller.stop()


def test_alert_arrives_as_a_mail_with_its_key(mailbox: tuple[Mailbox, str]) -> None:
    box, url = mailbox
    AppriseSink(url).send(MESSAGE, 10)
    (mail,) = box.mails
    assert str(make_header(decode_header(mail["Subject"]))) == MESSAGE.subject
    assert mail[KEY_HEADER] == "a:1"
    assert "guard@site.test" in mail["To"]
    assert "reference: a:1" in str(mail)


def test_server_that_takes_nothing_is_an_error_that_says_why(mailbox: tuple[Mailbox, str]) -> None:
    box, url = mailbox
    box.answer = "451 try later"
    with pytest.raises(SinkError, match=r"451|[Ee]mail|SMTP"):
        AppriseSink(url).send(MESSAGE, 10)
    assert box.mails == []


def test_server_that_is_not_there_is_an_error() -> None:
    sink = AppriseSink("mailto://127.0.0.1:1?from=a@site.test&to=b@site.test")
    with pytest.raises(SinkError):
        sink.send(MESSAGE, 5)


def test_service_that_apprise_does_not_know_is_refused_without_its_password() -> None:
    with pytest.raises(SinkError) as caught:
        AppriseSink("nosuch://user:hunter2@host").send(MESSAGE, 5)
    assert "hunter2" not in str(caught.value)
    with pytest.raises(ConfigError):
        AppriseSink("nonsense")
