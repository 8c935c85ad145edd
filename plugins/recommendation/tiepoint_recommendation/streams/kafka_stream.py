"""Kafka topics, behind the contract of streams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tiepoint.errors import MissingDependencyError, StoreError
from tiepoint_recommendation.streams.base import EventStream, Message
from tiepoint_recommendation.streams.redis_stream import parsed

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Producer

_FLUSH_S = 10.0
_SESSION_MS = 6_000
"""After so long without a sign, what a member had goes to another; the least that brokers allow."""


class KafkaStream(EventStream):
    """A Kafka topic of JSON objects, read from its beginning by a new group.

    Offsets are committed when messages are done with. What cannot be used goes to the topic
    `NAME.refused`.

    Args:
        servers: Bootstrap servers, such as `host:9092,other:9092`.
        name: The topic.
        group: The consumer group.

    Raises:
        MissingDependencyError: The package `confluent-kafka` is absent.
    """

    def __init__(self, servers: str, name: str, group: str) -> None:
        try:
            from confluent_kafka import Consumer, Producer
        except ImportError as error:
            raise MissingDependencyError(
                "the client of Kafka is not installed",
                hint="pip install 'tiepoint-recommendation[kafka]'",
            ) from error
        self.name = name
        self.where = f"kafka://{servers}/{name}"
        self._consumer: Consumer = Consumer(
            {
                "bootstrap.servers": servers,
                "group.id": group,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "session.timeout.ms": _SESSION_MS,
            }
        )
        self._consumer.subscribe([name])
        self._producer: Producer = Producer({"bootstrap.servers": servers})

    def read(self, most: int, wait_s: float) -> list[Message]:
        with self._errors():
            found = []
            for one in self._consumer.consume(most, wait_s):
                problem = one.error()
                if problem is not None:
                    raise StoreError(
                        f"the topic cannot be read ({problem.str()})",
                        where=self.where,
                        hint="See that Kafka runs and has the topic.",
                    )
                found.append(Message(one, parsed(one.value() or b"")))
            return found

    def done(self, messages: Sequence[Message]) -> None:
        from confluent_kafka import TopicPartition

        ends: dict[tuple[str, int], int] = {}
        for one in messages:
            place = one.key.topic(), one.key.partition()
            ends[place] = max(ends.get(place, 0), one.key.offset() + 1)
        if ends:
            with self._errors():
                offsets = [TopicPartition(*place, offset) for place, offset in ends.items()]
                self._consumer.commit(offsets=offsets, asynchronous=False)

    def refuse(self, message: Message, reason: str) -> None:
        with self._errors():
            self._producer.produce(
                f"{self.name}.refused",
                value=message.key.value(),
                headers={"reason": reason.encode()},
            )
            if self._producer.flush(_FLUSH_S):
                raise StoreError(
                    "a refused message cannot be put aside",
                    where=self.where,
                    hint=f"Make the topic {self.name}.refused.",
                )

    def close(self) -> None:
        self._consumer.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        from confluent_kafka import KafkaException

        try:
            yield
        except KafkaException as error:
            raise StoreError(
                f"the stream cannot be used ({error})",
                where=self.where,
                hint="See that Kafka runs and is reachable.",
            ) from error
