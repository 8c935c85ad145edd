"""Streams: a real Redis server, and Kafka's protocol as librdkafka's own mock cluster speaks it."""

from __future__ import annotations

import json
import shutil
import subprocess
import time

import pytest

from tests.ports import await_listening, free_port
from tests.waiting import until
from tiepoint.errors import ConfigError, StoreError
from tiepoint_recommendation.live.asks import Ask
from tiepoint_recommendation.live.settings import StreamSettings
from tiepoint_recommendation.streams.following import Follower
from tiepoint_recommendation.streams.opening import stream_of
from tiepoint_recommendation.streams.redis_stream import RedisStream

NOW = time.time()


def fields(number, user="u1", **more):
    told = {"user": user, "item": f"i{number:04d}", "event": "view", "timestamp": NOW + number}
    return {**told, **more}


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory):
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("needs redis-server")
    pytest.importorskip("redis")
    port = free_port()
    folder = tmp_path_factory.mktemp("redis")
    options = ("--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "")
    server = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
    try:
        await_listening(port, server)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture
def redis_client(redis_url):
    import redis

    client = redis.Redis.from_url(redis_url)
    client.flushall()
    yield client
    client.close()


def test_events_of_a_stream_reach_the_next_answer(redis_url, redis_client, service):
    for number in range(3):
        redis_client.xadd("events", fields(number, "streamer"))
    redis_client.xadd("events", {"event": json.dumps(fields(3, "streamer"))})
    settings = StreamSettings(url=redis_url)
    follower = Follower(stream_of(settings), service.record_events)
    assert not service.recommend(Ask(user="streamer")).known
    assert follower.step() == 4
    assert len(service.events.recent("streamer")) == 4
    assert service.recommend(Ask(user="streamer")).known
    assert redis_client.xpending("events", "tiepoint")["pending"] == 0
    follower.stop()


def test_what_cannot_be_used_is_put_aside_and_the_rest_goes_on(redis_url, redis_client, service):
    for broken in ({"event": "{"}, {"event": "[]"}, {"user": "u1"}, fields(1, timestamp="soon")):
        redis_client.xadd("events", broken)
    redis_client.xadd("events", fields(5, "whole"))
    follower = Follower(RedisStream(redis_url, "events", "g"), service.record_events)
    assert follower.step() == 5
    assert follower.refused == 4
    assert len(service.events.recent("whole")) == 1
    put_aside = redis_client.xrange("events:refused")
    assert len(put_aside) == 4
    assert b"no time" in put_aside[-1][1][b"reason"]
    assert follower.step(0.01) == 0
    follower.stop()


def test_members_of_a_group_share_the_events_and_groups_get_all(redis_url, redis_client):
    for number in range(10):
        redis_client.xadd("events", fields(number))
    one, other = (RedisStream(redis_url, "events", "shared") for _ in range(2))
    alone = RedisStream(redis_url, "events", "alone")
    first, second = one.read(4, 0.01), other.read(10, 0.01)
    assert (len(first), len(second)) == (4, 6)
    assert not {message.key for message in first} & {message.key for message in second}
    assert len(alone.read(100, 0.01)) == 10
    for stream in (one, other, alone):
        stream.close()


def test_what_a_killed_member_left_goes_to_another_and_is_kept_once(
    redis_url, redis_client, service
):
    for number in range(6):
        redis_client.xadd("events", fields(number, "survivor"))
    killed = RedisStream(redis_url, "events", "g")
    messages = killed.read(6, 0.01)
    half = Follower(killed, service.record_events)
    # Its events were durable when it was killed, and it did not come to say so.
    from tiepoint_recommendation.reading.records import event_of

    service.record_events([event_of(message.fields) for message in messages[:3]])
    half.stream.close()
    time.sleep(0.06)
    heir = Follower(RedisStream(redis_url, "events", "g", idle_ms=50), service.record_events)
    assert heir.step() == 6
    assert len(service.events.recent("survivor")) == 6
    assert redis_client.xpending("events", "g")["pending"] == 0
    heir.stop()


def test_events_come_again_while_the_database_refuses(redis_url, redis_client):
    redis_client.xadd("events", fields(1))

    def refuse(events):
        raise StoreError("the disk is full")

    stream = RedisStream(redis_url, "events", "g", idle_ms=1)
    with pytest.raises(StoreError, match="disk is full"):
        Follower(stream, refuse).step()
    time.sleep(0.01)
    kept = []
    follower = Follower(stream, kept.extend)
    assert follower.step() == 1
    assert [event.item for event in kept] == ["i0001"]
    follower.stop()


def test_a_server_that_comes_late_is_awaited_and_shown(service):
    port = free_port()
    follower = Follower(RedisStream(f"redis://:secret@127.0.0.1:{port}/0", "e", "g"), list)
    follower.start()
    until(lambda: follower.health()["status"] != "ok")
    told = follower.health()
    follower.stop()
    assert told["status"] == "failing"
    assert "secret" not in told["reason"]


def test_only_redis_and_kafka_are_streams():
    with pytest.raises(ConfigError, match="neither Redis nor Kafka"):
        stream_of(StreamSettings(url="http://host/"))


@pytest.fixture
def kafka_cluster():
    kafka = pytest.importorskip("confluent_kafka")
    # librdkafka's mock cluster: brokers on loopback that speak Kafka's own protocol.
    producer = kafka.Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "ignored"})
    brokers = producer.list_topics(timeout=10).brokers
    return producer, ",".join(f"{one.host}:{one.port}" for one in brokers.values())


def test_kafka_behind_the_same_contract(kafka_cluster, service):
    producer, servers = kafka_cluster
    for number in range(3):
        producer.produce("events", json.dumps(fields(number, "kafkaesque")).encode())
    producer.produce("events", b"not json")
    producer.flush(10)
    settings = StreamSettings(url=f"kafka://{servers}", group="g")
    follower = Follower(stream_of(settings), service.record_events)
    deadline = time.monotonic() + 30
    while follower.read < 4 and time.monotonic() < deadline:
        follower.step(0.5)
    assert (follower.read, follower.refused) == (4, 1)
    follower.stop()
    assert len(service.events.recent("kafkaesque")) == 3
    successor = Follower(stream_of(settings), service.record_events)
    producer.produce("events", json.dumps(fields(9, "kafkaesque")).encode())
    producer.flush(10)
    while successor.read < 1 and time.monotonic() < deadline:
        successor.step(0.5)
    assert successor.read == 1  # what was done with does not come again
    successor.stop()
