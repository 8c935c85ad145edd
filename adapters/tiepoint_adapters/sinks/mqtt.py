"""Messages to an MQTT broker, which also tells others when this process is gone."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field

from tiepoint.errors import ConfigError, MissingDependencyError
from tiepoint_adapters.sinks.base import Message, Sink, SinkError, SinkRefusedError

if TYPE_CHECKING:
    from paho.mqtt.client import Client

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_KEEPALIVE_S = 30


class MqttSink(Sink):
    """Publishes to `<topic>/alerts` at QoS 1; returns when the broker has confirmed.

    The payload is the message's body as JSON, with its key in it (with MQTT 5 also as the
    user property `key`). `<topic>/status` is retained and says `online` or `offline`; the
    latter is the last will, which the broker publishes when this process dies. The connection
    is made by the first message.

    A message that was not confirmed in time is taken back by giving up the connection, as the
    client would otherwise deliver it at a time that nobody waits for.

    Args:
        url: `mqtt://[user:password@]host[:port]`, or `mqtts://` for TLS.
        topic: The first part of the topics.
        version: The protocol's.
        client_id: How the broker knows this process; made up if not given.
        ca_certificate: PEM file of the authority that signed the broker's certificate.

    Raises:
        ConfigError: The URL or the topic cannot be used.
    """

    def __init__(
        self,
        url: str,
        topic: Annotated[str, Field(min_length=1, max_length=200)] = "tiepoint",
        version: Literal["5", "3.1.1"] = "5",
        client_id: str | None = None,
        ca_certificate: str | None = None,
    ) -> None:
        self._parts = urlsplit(url)
        if self._parts.scheme not in _PORTS or not self._parts.hostname:
            raise ConfigError(
                "the broker's url cannot be used",
                where="url",
                hint="Write it like mqtt://user:password@host:1883.",
            )
        if any(letter in topic for letter in "+#\0") or topic.startswith(("/", "$")):
            raise ConfigError(
                f"the topic {topic!r} cannot be published to",
                where="topic",
                hint="Write it like site/tiepoint, without + and #.",
            )
        self.topic = topic.rstrip("/")
        self.version = version
        self.client_id = client_id
        self.where = f"{self._parts.scheme}://{self._parts.hostname}"
        self._ca_certificate = ca_certificate
        self._client: Client | None = None

    def send(self, message: Message, timeout_s: float) -> None:
        client = self._connected(timeout_s)
        content = json.dumps(message.body, ensure_ascii=False)
        try:
            sent = client.publish(
                f"{self.topic}/alerts",
                content,
                qos=1,
                properties=self._properties(message),
            )
            sent.wait_for_publish(timeout_s)
            confirmed = sent.is_published()
        except ValueError as error:  # too large for the protocol
            raise SinkRefusedError(f"the message cannot be sent ({error})", where=self.where) from (
                error
            )
        except RuntimeError as error:
            self._give_up()
            raise SinkError(f"the broker is gone ({error})", where=self.where) from error
        if not confirmed:
            self._give_up()
            raise SinkError("the broker did not confirm the message", where=self.where)

    def close(self) -> None:
        """Say `offline` and disconnect."""
        if self._client is not None:
            self._client.publish(f"{self.topic}/status", "offline", qos=1, retain=True)
            self._give_up()

    def _connected(self, timeout_s: float) -> Client:
        if self._client is not None and self._client.is_connected():
            return self._client
        self._give_up()
        self._client = self._connect(timeout_s)
        return self._client

    def _connect(self, timeout_s: float) -> Client:
        client, answered, refusal = self._new_client()
        client.connect_timeout = timeout_s
        parts = self._parts
        try:
            client.connect(
                parts.hostname or "",
                parts.port or _PORTS[parts.scheme],
                keepalive=_KEEPALIVE_S,
            )
        except (OSError, ValueError) as error:
            raise SinkError(f"the broker cannot be reached ({error})", where=self.where) from error
        client.loop_start()
        came = answered.wait(timeout_s)
        if not came or refusal:
            client.disconnect()
            client.loop_stop()
            what = refusal[0] if refusal else "it did not answer"
            raise SinkError(f"the broker let nobody in ({what})", where=self.where)
        return client

    def _new_client(self) -> tuple[Client, threading.Event, list[str]]:
        try:
            import paho.mqtt.client as paho
            from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
        except ImportError as error:
            raise MissingDependencyError(
                "the MQTT client is not installed",
                where=self.where,
                hint="pip install 'tiepoint[mqtt]'",
            ) from error
        five = self.version == "5"
        protocol = MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311
        client = paho.Client(CallbackAPIVersion.VERSION2, self.client_id or "", protocol=protocol)
        if self._parts.username is not None:
            password = unquote(self._parts.password) if self._parts.password else None
            client.username_pw_set(unquote(self._parts.username), password)
        if self._parts.scheme == "mqtts":
            client.tls_set(ca_certs=self._ca_certificate)
        client.will_set(f"{self.topic}/status", "offline", qos=1, retain=True)
        answered = threading.Event()
        refusal: list[str] = []

        def on_connect(_client: Client, _data: Any, _flags: Any, reason: Any, _more: Any) -> None:
            if reason.is_failure:
                refusal.append(str(reason))
            else:
                client.publish(f"{self.topic}/status", "online", qos=1, retain=True)
            answered.set()

        client.on_connect = on_connect
        return client, answered, refusal

    def _properties(self, message: Message) -> Any:
        """Return what MQTT 5 can say beside the payload; None for older protocols."""
        if self.version != "5":
            return None
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        properties: Any = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.UserProperty = ("key", message.key)
        properties.ContentType = "application/json"
        return properties

    def _give_up(self) -> None:
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()
            self._client = None
