"""The stream that a deployment file names."""

from __future__ import annotations

from tiepoint.errors import ConfigError
from tiepoint_recommendation.live.settings import StreamSettings
from tiepoint_recommendation.streams.base import EventStream


def stream_of(settings: StreamSettings) -> EventStream:
    """Return the stream; it is connected to when it is read.

    Raises:
        ConfigError: The URL names neither Redis nor Kafka.
        MissingDependencyError: The client is not installed.
    """
    url = settings.url.get_secret_value()
    scheme, _, rest = url.partition("://")
    if scheme in ("redis", "rediss", "unix") and rest:
        from tiepoint_recommendation.streams.redis_stream import RedisStream

        return RedisStream(url, settings.name, settings.group)
    if scheme == "kafka" and rest:
        from tiepoint_recommendation.streams.kafka_stream import KafkaStream

        return KafkaStream(rest.rstrip("/"), settings.name, settings.group)
    raise ConfigError(
        "the stream is neither Redis nor Kafka",
        where="plugins.recommendation.live.stream.url",
        hint="Write it like redis://host:6379/0 or kafka://host:9092.",
    )
