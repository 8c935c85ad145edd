"""The contract of plugins: a domain application on a host."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from fastapi import APIRouter

    from tiepoint.host import Host

API_VERSION = 1
"""The plugin contract that this release offers; a plugin states the one that it was made for."""


class PluginConfig(BaseModel):
    """Base of a plugin's options in the deployment file; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Page:
    """A web page that a plugin adds to those of the service: an ES module and its files.

    The module's default export is a component of the toolkit in `/assets/tiepoint.js`; it is
    given the page's `api`, which calls the service as the visitor. Scripts and styles come from
    files alone: the pages' content security policy allows none in a page, and no `eval`.

    Attributes:
        title: What the menu calls it, by language (`en`, `zh`).
        folder: The folder of its files, which who may see the page can fetch.
        module: The file of the ES module in that folder.
        icon: The file of its icon there, an SVG that draws in `currentColor`; none if not given.
        scope: What a visitor must be allowed to do to see it; `<plugin>:read` if not given.
    """

    title: Mapping[str, str]
    folder: Path
    module: str = "page.js"
    icon: str | None = None
    scope: str | None = None


class Task(Protocol):
    """What a job under way tells."""

    def progress(self, done: int, total: int | None) -> None:
        """Tell how much is done, of how much if that is known.

        Raises an exception, which is to be let through, where the job is to end.
        """


@dataclass(frozen=True, slots=True)
class JobKind:
    """Long work that a plugin's callers can start.

    Attributes:
        about: What it does, in a sentence.
        work: Does it with the parameters, and returns plain data. It is done again where the
            process ended meanwhile.
        check: Raises an `InputError` where the parameters are wrong; called at once.
    """

    about: str
    work: Callable[[Mapping[str, Any], Task], Mapping[str, Any]]
    check: Callable[[Mapping[str, Any]], None] | None = None


class Plugin(ABC):
    """A domain application (entry points: `tiepoint.plugins`).

    Constructed cheaply with its options; `start` is called when the host opens and `stop`,
    always, when it closes. Commands come in through the entry points `tiepoint.commands`.

    Attributes:
        name: The name of its entry point.
        version: Its own version.
        api_version: The contract it was made for; the host refuses a newer one.
        Config: The model of its options under `plugins.<name>` in the deployment file.
        scopes: What callers of its router may be allowed to do beside `<name>:read` and
            `<name>:write`, with a description by name: `{"export": "Export evidence."}`
            becomes the scope `<name>:export`.
    """

    name: ClassVar[str]
    version: ClassVar[str]
    api_version: ClassVar[int]
    Config: ClassVar[type[PluginConfig]] = PluginConfig
    scopes: ClassVar[Mapping[str, str]] = {}

    def __init__(self, config: PluginConfig) -> None:
        self.config = config

    def check(self, host: Host) -> None:
        """Refuse a deployment that lacks what the options need.

        Called by `tiepoint config check` and `tiepoint run` on a host that is not open yet, so
        that nothing is loaded or written.

        Raises:
            ConfigError: Says what is missing.
        """

    def start(self, host: Host) -> None:
        """Begin work on an open host."""

    def stop(self) -> None:
        """End work; called also after a failed `start`."""

    def health(self) -> dict[str, Any]:
        """Return what `health` shows of this plugin."""
        return {"status": "ok"}

    def upgrade(self, host: Host) -> Sequence[str]:
        """Bring what it keeps up to this release, and say in words what was done.

        Called by `tiepoint upgrade` on an open host, instead of `start`.
        """
        return ()

    def files(self, store: str) -> Sequence[Path]:
        """Return the files and folders that it keeps, for `tiepoint backup`; they may be absent.

        SQLite databases are copied as they are at one moment, while they are used.

        Args:
            store: The URI of the deployment's store, beside which it may keep them.
        """
        return ()

    def databases(self) -> Sequence[str]:
        """Return the URLs of the PostgreSQL databases that it keeps, for `tiepoint backup`."""
        return ()

    def router(self) -> APIRouter | None:
        """Return the routes that a service shows under `/v1/<name>`; None for none.

        Asked once, after `start`, on the same object. Who calls a route needs the scope
        `<name>:read` for GET and HEAD, and `<name>:write` for the other methods; a route that
        needs another one says so by `dependencies=[requires("<name>:export")]`, of
        `tiepoint_adapters.http.access`, in addition. A `TiepointError` that a route raises
        becomes its answer. A route that is a plain function, not `async`, runs in a thread.
        """
        return None

    def page(self) -> Page | None:
        """Return the page that a service shows for this plugin; None for none."""
        return None

    def jobs(self) -> Mapping[str, JobKind]:
        """Return the long work that callers of a service can start, as `<plugin>:<name>`."""
        return {}
