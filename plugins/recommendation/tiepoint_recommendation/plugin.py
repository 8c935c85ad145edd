"""The plugin class by which a host finds this distribution."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, SecretStr

from tiepoint.errors import ConfigError
from tiepoint.plugin import Page, Plugin, PluginConfig
from tiepoint_recommendation.live.settings import LiveSettings
from tiepoint_recommendation.settings import FitSettings

if TYPE_CHECKING:
    from fastapi import APIRouter

    from tiepoint.host import Host
    from tiepoint_recommendation.service import RecommendationService
    from tiepoint_recommendation.streams.following import Follower


class RecommendationConfig(PluginConfig):
    """The options of this plugin."""

    store: Path | None = Field(
        default=None,
        title="Store",
        description="The folder of models, and of events and catalogue where they are in SQLite;"
        " beside an embedded store, with `-recommendation` added to its name, if not given.",
    )
    database: SecretStr | None = Field(
        default=None,
        title="Database",
        description="`postgresql://user:password@host/name`; SQLite in the store if not given.",
    )
    fit: FitSettings = Field(
        default_factory=FitSettings, title="Fit", description="How models are made."
    )
    live: LiveSettings = Field(
        default_factory=LiveSettings, title="Live", description="How answers are made."
    )

    @property
    def url(self) -> str | None:
        """The database's URL; None for SQLite in the store."""
        return None if self.database is None else self.database.get_secret_value()

    def store_beside(self, uri: str) -> Path:
        """Return the store's folder, by the URI of the deployment's own store.

        Raises:
            ConfigError: None is given, and that one is a server.
        """
        if self.store is not None:
            return self.store
        if "://" in uri:
            raise ConfigError(
                "nothing says where models are kept",
                where="plugins.recommendation.store",
                hint="Name a folder; beside a server there is none.",
            )
        path = Path(uri)
        return path.with_name(f"{path.name}-recommendation")


class RecommendationPlugin(Plugin):
    """tiepoint for recommendation: while it runs, it answers, follows a stream, and refits.

    Attributes:
        service: What answers; None while it does not run.
    """

    name: ClassVar[str] = "recommendation"
    version: ClassVar[str] = "0.1.0"
    api_version: ClassVar[int] = 1
    Config: ClassVar[type[PluginConfig]] = RecommendationConfig

    def __init__(self, config: PluginConfig) -> None:
        super().__init__(config)
        self.service: RecommendationService | None = None
        self._follower: Follower | None = None

    def files(self, store: str) -> Sequence[Path]:
        config = self.config
        return [config.store_beside(store)] if isinstance(config, RecommendationConfig) else ()

    def databases(self) -> Sequence[str]:
        url = self.config.url if isinstance(self.config, RecommendationConfig) else None
        return () if url is None else [url]

    def start(self, host: Host) -> None:
        from tiepoint_recommendation.service import RecommendationService

        config = self.config
        if not isinstance(config, RecommendationConfig):
            raise TypeError(f"{type(config).__name__} is not this plugin's configuration")
        deployment = host.deployment
        store = config.store_beside(deployment.store.uri)
        self.service = RecommendationService(store, deployment, config.live, config.fit, config.url)
        self.service.start()
        if config.live.stream is not None:
            from tiepoint_recommendation.streams.following import Follower
            from tiepoint_recommendation.streams.opening import stream_of

            self._follower = Follower(stream_of(config.live.stream), self.service.record_events)
            self._follower.start()

    def stop(self) -> None:
        if self._follower is not None:
            self._follower.stop()
            self._follower = None
        if self.service is not None:
            self.service.stop()
            self.service = None

    def health(self) -> dict[str, Any]:
        if self.service is None:
            return {"status": "stopped"}
        found = self.service.health()
        return found if self._follower is None else {**found, "stream": self._follower.health()}

    def router(self) -> APIRouter:
        from tiepoint_recommendation.routes import recommendation_router

        return recommendation_router(self)

    def page(self) -> Page:
        title = {"en": "Shop", "zh": "商店"}
        return Page(title, Path(__file__).parent / "page", icon="icon.svg")
