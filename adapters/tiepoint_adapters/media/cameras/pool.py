"""Many cameras in one process: their latest frames together, as a batch."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from tiepoint.errors import ConfigError
from tiepoint_adapters.clock import Clock, ClockWatch
from tiepoint_adapters.media.cameras.frames import CameraFrame
from tiepoint_adapters.media.cameras.options import CameraOptions
from tiepoint_adapters.media.cameras.reader import CameraReader
from tiepoint_adapters.media.cameras.tampering import TamperSettings


class CameraPool:
    """Reads cameras side by side; a camera that is slow or gone keeps no other waiting.

    Memory is bounded: each camera holds at most one frame that was not taken.

    Args:
        cameras: The cameras, by name.
        clock: The clocks.
        tampering: When a picture shows no scene.

    Raises:
        ConfigError: Two names differ in the case of letters only.
    """

    def __init__(
        self,
        cameras: Mapping[str, CameraOptions],
        clock: Clock,
        tampering: TamperSettings | None = None,
    ) -> None:
        seen: dict[str, str] = {}
        for name in cameras:
            other = seen.setdefault(name.casefold(), name)
            if other != name:
                raise ConfigError(
                    f"the names of the cameras {other!r} and {name!r} cannot be told apart",
                    where="cameras",
                    hint="Name one of them otherwise.",
                )
        self._arrived = threading.Condition()
        self.readers = {
            name: CameraReader(name, options, clock, self._arrived, tampering)
            for name, options in cameras.items()
        }
        self.clock = clock
        self._clock_watch = ClockWatch(clock)

    def start(self) -> None:
        """Begin to read all cameras."""
        for reader in self.readers.values():
            reader.start()

    def stop(self) -> None:
        """End all readers, side by side."""
        threads = [
            threading.Thread(target=reader.stop, name=f"stopping {name}", daemon=True)
            for name, reader in self.readers.items()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def next_frames(self, timeout_s: float) -> list[CameraFrame]:
        """Return the latest frame of each camera that has a new one; waits for the first.

        Args:
            timeout_s: How long to wait; then the list is empty.
        """
        with self._arrived:
            self._arrived.wait_for(self._ready, timeout_s)
        taken = (reader.take() for reader in self.readers.values())
        return [frame for frame in taken if frame is not None]

    def watch(self) -> float:
        """Replace readers that hang; to be called about once a second.

        Returns:
            By how many seconds the machine's clock was set since the last call.
        """
        for reader in self.readers.values():
            reader.watch()
        return self._clock_watch.step()

    @property
    def over(self) -> bool:
        """Whether no camera will give a further frame."""
        return all(reader.over for reader in self.readers.values())

    def health(self) -> dict[str, dict[str, Any]]:
        """Return each camera's health."""
        return {name: reader.health() for name, reader in self.readers.items()}

    @property
    def clock_steps(self) -> int:
        """How often the machine's clock was set."""
        return self._clock_watch.steps

    def _ready(self) -> bool:
        return any(reader.waiting for reader in self.readers.values()) or self.over
