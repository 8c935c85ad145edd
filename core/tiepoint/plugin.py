"""The contract of plugins: a domain application on a host."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from tiepoint.host import Host

API_VERSION = 1
"""The plugin contract that this release offers; a plugin states the one that it was made for."""


class PluginConfig(BaseModel):
    """Base of a plugin's options in the deployment file; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Plugin(ABC):
    """A domain application (entry points: `tiepoint.plugins`).

    Constructed cheaply with its options; `start` is called when the host opens and `stop`,
    always, when it closes. Commands come in through the entry points `tiepoint.commands`.

    Attributes:
        name: The name of its entry point.
        version: Its own version.
        api_version: The contract it was made for; the host refuses a newer one.
        Config: The model of its options under `plugins.<name>` in the deployment file.
    """

    name: ClassVar[str]
    version: ClassVar[str]
    api_version: ClassVar[int]
    Config: ClassVar[type[PluginConfig]] = PluginConfig

    def __init__(self, config: PluginConfig) -> None:
        self.config = config

    def start(self, host: Host) -> None:
        """Begin work on an open host."""

    def stop(self) -> None:
        """End work; called also after a failed `start`."""

    def health(self) -> dict[str, Any]:
        """Return what `health` shows of this plugin."""
        return {"status": "ok"}
