"""One of several workers that share the cameras: what runs in a process of its own."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tiepoint import registry
from tiepoint.assembly import Assembly, build
from tiepoint.config.models import Deployment
from tiepoint_adapters.clock import SystemClock
from tiepoint_adapters.sinks.base import Sink
from tiepoint_security.alarm import Alarm
from tiepoint_security.scene.vision import Vision
from tiepoint_security.watching.live import LiveWatch

if TYPE_CHECKING:
    from tiepoint_security.plugin import SecurityConfig


def worker_name() -> str:
    """Return the name of this process among the workers of one database."""
    return f"{socket.gethostname()}:{os.getpid()}"


def sinks_of(deployment: Deployment) -> dict[str, Sink]:
    """Return a deployment's sinks, by name.

    Raises:
        ConfigError: One of them cannot be built.
    """
    return {
        name: build(registry.SINKS, section, f"sinks.{name}")
        for name, section in deployment.sinks.items()
    }


class Worker:
    """Watches its share of the cameras from when it is made until it is stopped.

    It holds no store: encoders and alignment, sinks and the database of alerts are all that
    it needs.

    Args:
        deployment: Its encoders, alignment, sinks, and where its records are.
        config: The options of the plugin.

    Raises:
        ConfigError: A rule needs what the deployment does not have.
        StoreError: The database cannot be opened.
    """

    def __init__(self, deployment: Deployment, config: SecurityConfig) -> None:
        made = Assembly(deployment)
        vision = Vision.chosen(config.encoder, made.aligner, made.encoders.__getitem__)
        sinks = sinks_of(deployment)
        self._alarm = Alarm(config, sinks, deployment.store.uri, worker_name())
        self._alarm.start(restores=False)
        self._watch = LiveWatch(config, vision, self._alarm, SystemClock())
        self._watch.start()

    def health(self) -> Mapping[str, Any]:
        """Return plain data: what it watches, and its process."""
        return {**self._watch.health(), "process": os.getpid()}

    def picture(self, camera: str) -> bytes | None:
        """Return the latest frame of a camera as JPEG; None where it has none."""
        return self._watch.picture(camera)

    def stop(self) -> None:
        """Give the cameras back, and end."""
        self._watch.stop()
        self._alarm.stop()
