"""Options of a method, from the words that a user sets them by."""

from __future__ import annotations

from typing import Any

from tiepoint.errors import InputError


def parsed_options(settings: tuple[str, ...]) -> dict[str, Any]:
    """Return options from `name=value` words; a dot leads into a nested option.

    Raises:
        InputError: A word that is no setting.

    >>> parsed_options(("epochs=30", "hubness.kind=nnn"))
    {'epochs': 30, 'hubness': {'kind': 'nnn'}}
    """
    import yaml

    options: dict[str, Any] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not name or not equals:
            raise InputError(f"{setting!r} is no setting", where="--set", hint="Write NAME=VALUE.")
        *path, last = name.split(".")
        place = options
        for step in path:
            place = place.setdefault(step, {})
        try:
            place[last] = yaml.safe_load(value)
        except (yaml.YAMLError, TypeError) as error:
            raise InputError(f"{setting!r} cannot be read", where="--set") from error
    return options
