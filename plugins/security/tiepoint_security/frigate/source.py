"""The connection to the broker of a Frigate installation, which is kept up for ever."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import unquote, urlsplit

from tiepoint.errors import ConfigError
from tiepoint_adapters.background import Background
from tiepoint_adapters.clock import Clock
from tiepoint_security.alerts.desk import AlertDesk
from tiepoint_security.alerts.observation import Observation
from tiepoint_security.frigate.events import FrigateEvents
from tiepoint_security.frigate.settings import RULE, FrigateSettings

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_OBSERVE_EVERY_S = 0.5


class FrigateSource:
    """Hears a Frigate installation, and tells the desk of alerts.

    That the broker or Frigate is gone (its last will says `offline`) is an alert of the rule
    and camera `frigate`.

    Args:
        settings: Where it is, and what raises alerts.
        desk: The desk of alerts.
        clock: The clocks.

    Raises:
        ConfigError: The URL cannot be used.
    """

    def __init__(self, settings: FrigateSettings, desk: AlertDesk, clock: Clock) -> None:
        self._parts = urlsplit(settings.url.get_secret_value())
        if self._parts.scheme not in _PORTS or not self._parts.hostname:
            raise ConfigError(
                "the url of Frigate's broker cannot be used",
                where="plugins.security.frigate.url",
                hint="Write it like mqtt://user:password@host:1883.",
            )
        self._topic = settings.topic.rstrip("/")
        self._desk = desk
        self._clock = clock
        self._events = FrigateEvents(settings.rules)
        self._lock = threading.Lock()
        self._available = True
        self._background = Background("frigate", self._run)
        self._client = self._new_client()

    def start(self) -> None:
        """Begin to hear; a broker that is not there is tried again for ever."""
        parts = self._parts
        self._client.reconnect_delay_set(1, 30)
        self._client.connect_async(parts.hostname or "", parts.port or _PORTS[parts.scheme], 30)
        self._client.loop_start()
        self._background.start()

    def stop(self) -> None:
        """End."""
        self._background.stop()
        self._client.disconnect()
        self._client.loop_stop()

    def health(self) -> dict[str, Any]:
        """Return plain data: whether it is there, and what was heard."""
        connected = self._client.is_connected()
        return {
            "status": "ok" if connected and self._available else "lost",
            "connected": connected,
            "events": self._events.heard,
            "going_on": self._events.going_on,
            "unreadable": self._events.unreadable,
        }

    def _run(self) -> None:
        while not self._background.ended.wait(_OBSERVE_EVERY_S):
            with self._lock:
                found = self._events.observations(self._clock.monotonic())
            gone = float(self.health()["status"] != "ok")
            lost = Observation(RULE, RULE, gone, severity="critical", contributions={"lost": gone})
            for observation in (*found, lost):
                self._desk.observe(observation)

    def _new_client(self) -> Any:
        import paho.mqtt.client as paho
        from paho.mqtt.enums import CallbackAPIVersion

        client = paho.Client(CallbackAPIVersion.VERSION2)
        if self._parts.username is not None:
            password = unquote(self._parts.password) if self._parts.password else None
            client.username_pw_set(unquote(self._parts.username), password)
        if self._parts.scheme == "mqtts":
            client.tls_set()
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        return client

    def _on_connect(self, client: Any, *_: Any) -> None:
        client.subscribe([(f"{self._topic}/events", 1), (f"{self._topic}/available", 1)])

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        if message.topic.endswith("/available"):
            self._available = message.payload != b"offline"
            return
        with self._lock:
            self._events.hear(message.payload, self._clock.monotonic())
