"""From an observation to a receiver on loopback: at least once, under a stable key, in order."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http_receiver import Receiver, http_receiver
from tests.simulated_clock import SimulatedClock
from tests.waiting import until
from tiepoint.errors import ConfigError
from tiepoint_adapters.clock import SystemClock
from tiepoint_adapters.sinks.base import Message
from tiepoint_adapters.sinks.webhook import WebhookSink, signature
from tiepoint_security.alerts.desk import AlertDesk
from tiepoint_security.alerts.observation import Observation
from tiepoint_security.delivery.dispatcher import Dispatcher
from tiepoint_security.delivery.outbox import Outbox, accept
from tiepoint_security.delivery.settings import DeliverySettings
from tiepoint_security.records.database import Database
from tiepoint_security.records.ledger import Ledger

SECRET = "a secret of enough bytes"  # noqa: S105
QUICK = DeliverySettings(timeout_s=1, first_wait_s=0.05, longest_wait_s=0.1, max_age_s=60)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database.in_file(tmp_path / "alerts.sqlite3")
    yield database
    database.close()


def message(number: int = 1, clock: SimulatedClock | None = None, alert: str = "a") -> Message:
    key = f"{alert}:{number}"
    created_s = (clock or SystemClock()).wall()
    return Message(key, f"message {number}", "text", "warning", created_s, {"key": key})


def put(database: Database, *messages: Message, sink: str = "web") -> None:
    with database.writing() as session:
        for one in messages:
            accept(session, one.key.partition(":")[0], one, [sink])


def test_observation_arrives_as_a_signed_request(receiver: Receiver, database: Database) -> None:
    clock = SystemClock()
    outbox = Outbox(database, "here", clock)
    dispatcher = Dispatcher(outbox, {"web": WebhookSink(receiver.url, SECRET)}, clock, QUICK)
    desk = AlertDesk(Ledger(database, clock, dispatcher.wake), ["web"], clock)
    dispatcher.start()
    for _ in range(4):
        alert = desk.observe(Observation("gate", "intrusion", 0.9))
    (request,) = receiver.await_taken(1)
    dispatcher.stop()
    assert alert is not None
    assert request.key == f"{alert.id}:1"
    assert request.body["type"] == "new"
    assert request.body["after"]["camera"] == "gate"
    sent = request.headers
    expected = signature(
        SECRET.encode(), sent["webhook-id"], sent["webhook-timestamp"], request.content
    )
    assert sent["webhook-signature"] == f"v1,{expected}"
    assert abs(int(sent["webhook-timestamp"]) - time.time()) < 60


def test_signature_is_that_of_the_specification() -> None:
    # The example of the Standard Webhooks specification.
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105
    content = b'{"test": 2432232314}'
    sink = WebhookSink("http://localhost/", secret)
    assert sink._key is not None
    signed = signature(sink._key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", content)
    assert signed == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_receiver_that_fails_for_a_while_gets_everything_later_and_in_order(
    receiver: Receiver, database: Database
) -> None:
    receiver.status = 500
    clock = SystemClock()
    dispatcher = Dispatcher(
        Outbox(database, "here", clock), {"web": WebhookSink(receiver.url)}, clock, QUICK
    )
    dispatcher.start()
    put(database, *(message(number) for number in range(5)))
    with receiver.arrived:
        assert receiver.arrived.wait_for(lambda: receiver.attempts >= 3, 10)
    assert dispatcher.health()["web"]["status"] == "failing"
    assert dispatcher.health()["web"]["waiting"] == 5
    receiver.status = 204
    receiver.await_taken(5)
    dispatcher.stop()
    assert receiver.keys == [f"a:{number}" for number in range(5)]
    assert dispatcher.health()["web"]["status"] == "ok"


def test_one_message_that_fails_does_not_stop_those_of_other_alerts(
    receiver: Receiver, database: Database
) -> None:
    clock = SimulatedClock()
    outbox = Outbox(database, "here", clock)
    dispatcher = Dispatcher(outbox, {"web": WebhookSink(receiver.url)}, clock, QUICK)
    put(database, message(1, clock, "a"), message(2, clock, "a"), message(1, clock, "b"))
    receiver.status = 500
    assert dispatcher.send_one("web")
    receiver.status = 204
    assert dispatcher.send_one("web")
    assert not dispatcher.send_one("web")
    assert receiver.keys == ["b:1"]
    clock.pass_by(1)
    assert dispatcher.send_one("web")
    assert dispatcher.send_one("web")
    assert receiver.keys == ["b:1", "a:1", "a:2"]


def test_message_that_is_refused_becomes_a_dead_letter_that_can_be_sent_again(
    receiver: Receiver, database: Database
) -> None:
    receiver.status = 422
    clock = SimulatedClock()
    outbox = Outbox(database, "here", clock)
    dispatcher = Dispatcher(outbox, {"web": WebhookSink(receiver.url)}, clock, QUICK)
    put(database, message(1, clock))
    assert dispatcher.send_one("web")
    assert not dispatcher.send_one("web")
    (dead,) = outbox.dead()
    assert dead["key"] == "a:1"
    assert "422" in dead["reason"]
    receiver.status = 200
    clock.pass_by(3600)  # older than messages may be, but made anew
    assert outbox.revive([dead["number"]]) == 1
    assert dispatcher.send_one("web")
    assert receiver.keys == ["a:1"]
    assert outbox.counts() == {"web": {"delivered": 1}}


def test_message_that_is_too_old_is_never_sent(receiver: Receiver, database: Database) -> None:
    clock = SimulatedClock()
    outbox = Outbox(database, "here", clock)
    dispatcher = Dispatcher(outbox, {"web": WebhookSink(receiver.url)}, clock, QUICK)
    put(database, message(1, clock))
    clock.pass_by(61)
    assert dispatcher.send_one("web")
    assert receiver.attempts == 0
    assert "older than 60 s" in outbox.dead()[0]["reason"]


def test_message_to_a_sink_that_is_no_longer_there_is_given_up(database: Database) -> None:
    clock = SimulatedClock()
    outbox = Outbox(database, "here", clock)
    put(database, message(1, clock), sink="removed")
    clock.pass_by(61)
    put(database, message(2, clock), sink="removed")
    assert outbox.expire(60) == 1
    assert outbox.counts() == {"removed": {"dead": 1, "waiting": 1}}


def test_receiver_says_how_long_to_wait(receiver: Receiver, database: Database) -> None:
    receiver.status, receiver.headers = 429, {"retry-after": "30"}
    clock = SimulatedClock()
    dispatcher = Dispatcher(
        Outbox(database, "here", clock), {"web": WebhookSink(receiver.url)}, clock, QUICK
    )
    put(database, message(1, clock))
    dispatcher.send_one("web")
    clock.pass_by(29)
    assert not dispatcher.send_one("web")
    clock.pass_by(2)
    assert dispatcher.send_one("web")


def test_clock_that_is_put_back_keeps_no_message_waiting(
    receiver: Receiver, database: Database
) -> None:
    clock = SimulatedClock()
    dispatcher = Dispatcher(
        Outbox(database, "here", clock), {"web": WebhookSink(receiver.url)}, clock, QUICK
    )
    put(database, message(1, clock))
    clock.wall_s -= 86_400
    assert dispatcher.send_one("web")
    assert receiver.keys == ["a:1"]


def test_two_workers_never_hold_the_same_message(database: Database) -> None:
    clock = SimulatedClock()
    one, other = Outbox(database, "one", clock), Outbox(database, "other", clock)
    put(database, message(1, clock))
    first = one.claim("web", 20)
    assert first is not None
    assert other.claim("web", 20) is None
    clock.pass_by(21)  # the first has died
    again = other.claim("web", 20)
    assert again is not None
    assert again.message.key == first.message.key


def test_message_is_accepted_once_however_often_it_is_handed_in(database: Database) -> None:
    clock = SimulatedClock()
    put(database, message(1, clock))
    put(database, message(1, clock))
    assert Outbox(database, "here", clock).counts() == {"web": {"waiting": 1}}


def test_killed_process_loses_nothing_that_was_accepted(tmp_path: Path) -> None:
    file = tmp_path / "alerts.sqlite3"
    script = Path(__file__).with_name("sending_process.py")
    printed: set[str] = set()
    with http_receiver() as receiver:
        receiver.status = 503
        for run in range(3):
            child = subprocess.Popen(
                [sys.executable, str(script), str(file), receiver.url, str(run)],
                stdout=subprocess.PIPE,
                text=True,
            )
            assert child.stdout is not None
            for _ in range(8):
                printed.add(child.stdout.readline().strip())
            if run == 1:
                receiver.status = 204  # some go out, and the killing may hit one in between
                receiver.await_taken(3)
            child.send_signal(signal.SIGKILL)
            printed |= {line.strip() for line in child.stdout if line.endswith("\n")}
            child.wait()
        receiver.status = 204
        clock = SystemClock()
        database = Database.in_file(file)
        dispatcher = Dispatcher(
            Outbox(database, "after", clock), {"web": WebhookSink(receiver.url)}, clock, QUICK
        )
        dispatcher.start()
        until(lambda: printed <= set(receiver.keys))
        dispatcher.stop()
        database.close()
    assert len(printed) >= 24
    assert printed <= set(receiver.keys)


@pytest.mark.parametrize(
    ("url", "secret"), [("ftp://host/", None), ("nonsense", None), ("http://host/", "short")]
)
def test_options_that_cannot_be_are_refused(url: str, secret: str | None) -> None:
    with pytest.raises(ConfigError):
        WebhookSink(url, secret)
