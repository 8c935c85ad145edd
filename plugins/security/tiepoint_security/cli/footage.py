"""What commands about footage share: the deployment, its settings, and where things are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tiepoint.errors import ConfigError

if TYPE_CHECKING:
    from tiepoint.config.models import Deployment
    from tiepoint_security.footage.settings import FootageSettings
    from tiepoint_security.footage.store import FootageStore
    from tiepoint_security.plugin import SecurityConfig

MOMENTS = (
    "%Y-%m-%d",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%S.%fZ",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S",
)
"""How dates are given, in UTC; also as answers have them."""


@dataclass(frozen=True)
class Footage:
    """The footage of a deployment."""

    deployment: Deployment
    config: SecurityConfig
    settings: FootageSettings
    store: FootageStore


def footage_of(file: Path) -> Footage:
    """Return where a deployment keeps footage.

    Raises:
        ConfigError: The file is wrong, does not name this plugin, or keeps no footage.
    """
    from tiepoint.config.loader import load
    from tiepoint.config.problems import validate
    from tiepoint_security.footage.index import require_collection
    from tiepoint_security.footage.store import FootageStore
    from tiepoint_security.plugin import SecurityConfig

    deployment = load(file)
    if "security" not in deployment.plugins:
        raise ConfigError(
            "the deployment does not name the plugin",
            where=f"{file} (plugins)",
            hint="Add `security: {footage: {}}` under `plugins`.",
        )
    options = dict(deployment.plugins["security"])
    config = validate(SecurityConfig, options, ("plugins", "security"))
    if config.footage is None:
        raise ConfigError(
            "the deployment keeps no footage",
            where=f"{file} (plugins.security.footage)",
            hint="Add `footage: {}` there, and the collection that takes it.",
        )
    require_collection(deployment, config.footage.collection)
    folder = config.records.folder_beside(deployment.store.uri) / "footage"
    return Footage(deployment, config, config.footage, FootageStore(folder))


def moment(given: datetime | None) -> float | None:
    """Return a date of the command line (UTC) in seconds since 1970."""
    return None if given is None else given.replace(tzinfo=UTC).timestamp()
