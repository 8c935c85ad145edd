"""Components by name: found in the metadata of what is installed, imported at first use.

A component is an entry point in one of the groups below. Looking them up reads metadata only;
importing happens in `load`, for the one component that is asked for. Built-in components are
found in the same way as those of any other distribution.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.metadata import Distribution, EntryPoint, distributions
from typing import TYPE_CHECKING, Any

from tiepoint.errors import PluginError, TiepointError

if TYPE_CHECKING:
    from tiepoint.plugin import Plugin

ENCODERS = "tiepoint.encoders"
ALIGNERS = "tiepoint.aligners"
STORES = "tiepoint.stores"
FUSIONS = "tiepoint.fusions"
ANSWERERS = "tiepoint.answerers"
READERS = "tiepoint.readers"
SOURCES = "tiepoint.sources"
SINKS = "tiepoint.sinks"
ENGINES = "tiepoint.engines"
SERVERS = "tiepoint.servers"
COMMANDS = "tiepoint.commands"
BENCHMARKS = "tiepoint.benchmarks"
PLUGINS = "tiepoint.plugins"
EXHIBITS = "tiepoint.exhibits"

NOUNS: Mapping[str, str] = {
    ENCODERS: "encoder",
    ALIGNERS: "aligner",
    STORES: "store",
    FUSIONS: "fusion",
    ANSWERERS: "answerer",
    READERS: "reader",
    SOURCES: "source",
    SINKS: "sink",
    ENGINES: "engine",
    SERVERS: "server",
    COMMANDS: "command",
    BENCHMARKS: "benchmark",
    PLUGINS: "plugin",
    EXHIBITS: "exhibit",
}
"""The groups of entry points, and what one of each is called."""

_OURS = "tiepoint"
_COMPANIONS = {
    "security": "tiepoint-security",
    "medical": "tiepoint-medical",
    "recommendation": "tiepoint-recommendation",
}


@dataclass(frozen=True, slots=True)
class Component:
    """An entry point, as its distribution's metadata describes it; nothing is imported.

    Attributes:
        group: One of the groups of `NOUNS`.
        name: Its name in deployment files and on the command line.
        target: What it refers to, as `module:attribute`.
        distribution: The distribution that brings it.
        version: That distribution's version.
        summary: That distribution's one-line summary; may be empty.
        shadowed_by: The distribution whose component of the same name is used instead.
    """

    group: str
    name: str
    target: str
    distribution: str
    version: str
    summary: str
    shadowed_by: str | None = None

    def __str__(self) -> str:
        return f"{NOUNS[self.group]} {self.name!r} of {self.distribution} {self.version}"

    def load(self) -> Any:
        """Import and return the object.

        Raises:
            PluginError: The import failed, for whatever reason.
            TiepointError: One that the module raised on purpose, as it is.
        """
        try:
            return EntryPoint(self.name, self.target, self.group).load()
        except TiepointError:
            raise
        except Exception as error:  # the module is foreign code, and may fail in any way
            raise _not_importable(self, self.target, error) from error


def failed_import(error: Exception) -> PluginError | None:
    """Return what to tell of an error if it ended the import of a foreign component's module.

    A component may import its own modules late, such as a command when it is called.

    Args:
        error: As it was caught.
    """
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_name == "<module>":
            module = str(step.tb_frame.f_globals.get("__name__"))
            component = _component_with(module)
            if component is not None:
                return _not_importable(component, module, error)
        step = step.tb_next
    return None


def _component_with(module: str) -> Component | None:
    """Return the foreign component of a module; failing that, one of the same package."""
    package = module.partition(".")[0]
    known = [one for group in NOUNS for one in components(group) if one.distribution != _OURS]
    own = [one for one in known if one.target.partition(":")[0] == module]
    beside = [one for one in known if one.target.partition(":")[0].partition(".")[0] == package]
    return next(iter(own + beside), None)


def _not_importable(component: Component, source: str, error: Exception) -> PluginError:
    return PluginError(
        f"{component} cannot be imported from {source} ({type(error).__name__}: {error})",
        hint=_repair(component, error),
    )


def _repair(component: Component, error: Exception) -> str:
    missing = error.name if isinstance(error, ModuleNotFoundError) and error.name else None
    own = component.target.partition(":")[0].partition(".")[0]
    if missing and missing.partition(".")[0] != own:
        return f"Install what provides the module {missing!r}, or uninstall the distribution."
    return (
        f"Reinstall or upgrade it: pip install --upgrade --force-reinstall {component.distribution}"
    )


_by_code: dict[tuple[str, str], Any] = {}
_lock = threading.Lock()


@cache
def _installed() -> dict[str, tuple[Component, ...]]:
    """Return the installed components by group; of equal names, ours is first."""
    seen: set[str] = set()
    found: dict[str, list[Component]] = {group: [] for group in NOUNS}
    for distribution in distributions():
        # Reading the metadata file costs far more than this text: most distributions
        # have nothing for us.
        if "[tiepoint." not in (distribution.read_text("entry_points.txt") or ""):
            continue
        name = distribution.metadata["Name"]
        if name.lower().replace("_", "-") in seen:
            continue  # the first one on the path is the one that is imported
        seen.add(name.lower().replace("_", "-"))
        for component in _components_of(distribution, name):
            found[component.group].append(component)
    return {group: _rank(components) for group, components in found.items()}


def _components_of(distribution: Distribution, name: str) -> list[Component]:
    summary = distribution.metadata["Summary"] or ""
    return [
        Component(entry.group, entry.name, entry.value, name, distribution.version, summary)
        for entry in distribution.entry_points
        if entry.group in NOUNS
    ]


def _rank(components: list[Component]) -> tuple[Component, ...]:
    ordered = sorted(
        components, key=lambda c: (c.name, c.distribution != _OURS, c.distribution.lower())
    )
    winners: dict[str, Component] = {}
    ranked = []
    for component in ordered:
        winner = winners.setdefault(component.name, component)
        ranked.append(
            component
            if winner is component
            else Component(
                component.group,
                component.name,
                component.target,
                component.distribution,
                component.version,
                component.summary,
                shadowed_by=winner.distribution,
            )
        )
    return tuple(ranked)


def refresh() -> None:
    """Forget what was found, so that distributions installed since then are seen."""
    _installed.cache_clear()


def components(group: str) -> tuple[Component, ...]:
    """Return the installed components of a group by name, shadowed ones after their winner."""
    return _installed()[group]


def names(group: str) -> list[str]:
    """Return the names that `load` knows in a group, sorted."""
    by_code = {name for its_group, name in _by_code if its_group == group}
    return sorted(by_code | {component.name for component in components(group)})


def find(group: str, name: str) -> Component | None:
    """Return the installed component of this name that is used, without importing it."""
    matching = (component for component in components(group) if component.name == name)
    return next(matching, None)


def register(group: str, name: str, target: Any) -> Callable[[], None]:
    """Add a component by code, for programs that have no distribution of their own.

    Returns:
        A function that takes the component away again.

    Raises:
        PluginError: The name is taken.

    >>> undo = register(FUSIONS, "mine", dict)
    >>> load(FUSIONS, "mine")
    <class 'dict'>
    >>> undo()
    """
    key = (group, name)
    with _lock:
        if name in names(group):
            raise PluginError(
                f"there is a {NOUNS[group]} of this name already", where=name, hint="Rename yours."
            )
        _by_code[key] = target

    def undo() -> None:
        _by_code.pop(key, None)

    return undo


def load(group: str, name: str) -> Any:
    """Import and return the component of this name.

    Args:
        group: One of the groups of `NOUNS`, such as `ENCODERS`.
        name: The name of the entry point.

    Raises:
        PluginError: The name is unknown, or its import failed.
    """
    if (group, name) in _by_code:
        return _by_code[group, name]
    component = find(group, name)
    if component is None:
        raise PluginError(f"there is no {NOUNS[group]} {name!r}", hint=suggest(group, name))
    return component.load()


def suggest(group: str, name: str) -> str:
    """Return what to do about a name that is unknown: install it, or spell it like another."""
    if group in (PLUGINS, COMMANDS) and name in _COMPANIONS:
        return f"Install it: pip install {_COMPANIONS[name]}"
    known = names(group)
    nearest = get_close_matches(name, known, 1)
    if nearest:
        return f"Did you mean {nearest[0]!r}?"
    listed = ", ".join(known) if known else "none"
    return f"Installed: {listed}. Install the distribution that provides it."


def plugin_class(name: str) -> type[Plugin]:
    """Import a plugin's class and check that this release can host it.

    Raises:
        PluginError: It is unknown, cannot be imported, is no plugin, or was made for a newer
            contract than this release's.
    """
    from tiepoint.plugin import API_VERSION, Plugin

    made = load(PLUGINS, name)
    component = find(PLUGINS, name)
    described = str(component) if component else f"plugin {name!r}"
    distribution = component.distribution if component else "the plugin"
    if not (isinstance(made, type) and issubclass(made, Plugin)):
        raise PluginError(
            f"{described} is not a subclass of tiepoint.plugin.Plugin",
            where=component.target if component else None,
            hint=f"Upgrade {distribution}, or tell its author.",
        )
    for attribute, kind in (("name", str), ("version", str), ("api_version", int)):
        if not isinstance(getattr(made, attribute, None), kind):
            raise PluginError(
                f"{described} does not state its {attribute} ({kind.__name__})",
                hint=f"Upgrade {distribution}, or tell its author.",
            )
    if made.api_version > API_VERSION:
        from tiepoint import __version__

        raise PluginError(
            f"{described} needs plugin API {made.api_version}, and tiepoint {__version__} offers"
            f" {API_VERSION}",
            hint=f"Upgrade tiepoint, or install an older {distribution}.",
        )
    return made


def build_plugin(name: str, options: Mapping[str, Any]) -> Plugin:
    """Construct a plugin with its options.

    Args:
        name: The name of its entry point in `tiepoint.plugins`.
        options: What stands under `plugins.<name>` in the deployment file.

    Raises:
        PluginError: The plugin cannot be used.
        ConfigError: The options do not fit its `Config`.
    """
    from tiepoint.config.problems import validate

    made = plugin_class(name)
    return made(validate(made.Config, dict(options), ("plugins", name)))
