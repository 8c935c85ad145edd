"""The plugin: what it offers to commands, routes and its page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from tiepoint.errors import ConfigError, InputError
from tiepoint.plugin import Page, Plugin, PluginConfig
from tiepoint_traffic.sightings import Sighting, by_kind

if TYPE_CHECKING:  # neither is needed to describe the plugin
    from fastapi import APIRouter

    from tiepoint import Host

_MOST = 16_384
_NEEDED = ("file", "start_s", "end_s")
_KINDS = {
    "car": "a car",
    "bus": "a bus",
    "bicycle": "a bicycle",
    "motorcycle": "a motorcycle",
}


class TrafficConfig(PluginConfig):
    """What stands under `plugins.traffic` in the deployment file."""

    collection: str | None = Field(
        default=None,
        title="Collection",
        description="Where the footage is; may be left out where there is one collection.",
    )
    field: str = Field(
        default="video", title="Field", description="The field of the collection with the video."
    )
    kinds: dict[str, str] = Field(
        default=_KINDS,
        title="Kinds",
        description="The kinds of vehicles that the log tells apart, each with a description.",
        min_length=2,
        max_length=30,
    )


class TrafficPlugin(Plugin):
    """Traffic: finds vehicles by a description, and keeps a log of which kind was where."""

    name: ClassVar[str] = "traffic"
    version: ClassVar[str] = "1.0.0"
    api_version: ClassVar[int] = 1
    Config: ClassVar[type[PluginConfig]] = TrafficConfig

    config: TrafficConfig

    def __init__(self, config: TrafficConfig) -> None:
        super().__init__(config)
        self._host: Host | None = None

    def start(self, host: Host) -> None:
        """Begin work.

        Raises:
            ConfigError: The collection has no such field, or does not say when things were.
        """
        section = host.deployment.collections[host.schema(self.config.collection).name]
        lacking = [name for name in _NEEDED if name not in section.metadata]
        if self.config.field not in section.fields or lacking:
            raise ConfigError(
                f"the collection holds no footage in a field {self.config.field!r}"
                if not lacking
                else f"the collection does not declare {', '.join(lacking)}",
                where="plugins.traffic.collection",
                hint="Name a collection that a source of type `video` fills, as the README does.",
            )
        self._host = host

    def stop(self) -> None:
        self._host = None

    def find(self, description: str, k: int = 10) -> list[Sighting]:
        """Return the stretches of footage that fit a description best, best first.

        Args:
            description: In English or Chinese, such as "a red delivery van".
            k: How many.

        Raises:
            InputError: The plugin does not run.
        """
        hits = self._running.search(text=description, k=k, collection=self.config.collection)
        return [Sighting.of(hit, self.config.field) for hit in hits]

    def log(self, where: str | None = None) -> list[Sighting]:
        """Return every stretch that shows one of the kinds, in the order of footage and time.

        Args:
            where: A filter on metadata, such as `start_s < 60`.

        Raises:
            InputError: The plugin does not run, or there is more footage than it can look at.
            FilterError: The filter cannot be understood.
        """
        host, name = self._running, self.config.collection
        if len(host.collection(name)) > _MOST and where is None:
            raise InputError(
                f"the collection has more than {_MOST:,} stretches",
                hint='Name some of them with a filter, such as `file == "a.mp4"`.',
            )
        answers = {
            kind: host.search(text=description, where=where, k=_MOST, collection=name)
            for kind, description in self.config.kinds.items()
        }
        return by_kind(answers, self.config.field)

    @property
    def collection(self) -> str:
        """The name of the collection with the footage."""
        return self._running.schema(self.config.collection).name

    @property
    def _running(self) -> Host:
        if self._host is None:
            raise InputError("the plugin does not run", hint="Start the host: host.start().")
        return self._host

    def health(self) -> dict[str, Any]:
        return {"status": "ok" if self._host is not None else "stopped"}

    def router(self) -> APIRouter:
        from tiepoint_traffic.routes import router

        return router(self)

    def page(self) -> Page:
        folder = Path(__file__).parent / "page"
        return Page({"en": "Traffic", "zh": "交通"}, folder, icon="icon.svg")
