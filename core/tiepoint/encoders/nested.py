"""Encoders that are built from the sections of others, each model once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from tiepoint import registry
from tiepoint.encoders.base import Encoder
from tiepoint.errors import ConfigError

_known: ContextVar[dict[str, Encoder] | None] = ContextVar("tiepoint_encoders", default=None)


@contextmanager
def one_of_each() -> Iterator[None]:
    """Within, equal sections give one and the same encoder, so that its model loads once."""
    token = _known.set({})
    try:
        yield
    finally:
        _known.reset(token)


def encoder_of(section: Mapping[str, Any], where: str) -> Encoder:
    """Construct an encoder.

    Args:
        section: As in a deployment file: `type`, and its options.
        where: The path of the section, for errors.

    Raises:
        ConfigError: It has no type, or options that its type does not take.
        PluginError: Its type is not installed.
    """
    if not isinstance(section, Mapping) or "type" not in section:
        raise ConfigError("an encoder needs a type", where=where, hint="Add `type: use`.")
    known = _known.get()
    key = json.dumps(section, sort_keys=True, default=str)
    if known is not None and key in known:
        return known[key]
    options = {name: value for name, value in section.items() if name != "type"}
    component = registry.load(registry.ENCODERS, section["type"])
    try:
        made: Encoder = component(**options)
    except TypeError as error:
        raise ConfigError(
            f"{section['type']!r} does not take these options: {error}",
            where=where,
            hint="See `tiepoint config check`.",
        ) from error
    return made if known is None else known.setdefault(key, made)
