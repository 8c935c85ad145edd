"""Rankers by name: found among the installed entry points, imported when they are used."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from tiepoint.config.problems import validate
from tiepoint.errors import PluginError
from tiepoint_recommendation.rankers.base import GROUP, Ranker

ON_REQUEST = frozenset({"recurrent"})
"""Rankers that take minutes to train, and are blended only where they are named."""


@cache
def _installed() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def ranker_names() -> list[str]:
    """Return the names of the installed rankers, sorted."""
    return sorted(_installed())


def blended_names() -> list[str]:
    """Return the names of the rankers that are blended where none is named, sorted."""
    return [name for name in ranker_names() if name not in ON_REQUEST]


def ranker_class(name: str) -> type[Ranker]:
    """Import a ranker's class.

    Raises:
        PluginError: There is none of this name, or it cannot be imported, or is no ranker.
    """
    entry = _installed().get(name)
    if entry is None:
        raise PluginError(
            f"there is no ranker {name!r}", hint=f"Installed: {', '.join(ranker_names())}."
        )
    try:
        found = entry.load()
    except Exception as error:  # the module is foreign code, and may fail in any way
        raise PluginError(
            f"the ranker {name!r} cannot be imported ({type(error).__name__}: {error})",
            where=entry.value,
            hint="Upgrade or uninstall the distribution that brings it.",
        ) from error
    if not (isinstance(found, type) and issubclass(found, Ranker)):
        raise PluginError(
            f"the ranker {name!r} is no subclass of Ranker",
            where=entry.value,
            hint="Upgrade or uninstall the distribution that brings it.",
        )
    return found


def build_ranker(name: str, options: Mapping[str, Any]) -> Ranker:
    """Construct a ranker.

    Raises:
        ConfigError: Options that it does not take.
        PluginError: It cannot be used.
    """
    made = ranker_class(name)
    return made(validate(made.Options, dict(options), ("blend", "rankers", name)))
