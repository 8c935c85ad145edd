"""Options of `tiepoint search` that carry a name and a value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from tiepoint.errors import QueryError


def numbers(option: str, given: Sequence[str]) -> dict[str, float]:
    """Return the values of `NAME=NUMBER` options.

    Raises:
        QueryError: One is not written so.

    >>> numbers("--weight", ["image=2", "words->text=0.5"])
    {'image': 2.0, 'words->text': 0.5}
    """
    return {name: _number(option, value) for name, value in _named(option, given)}


def least(given: Sequence[str]) -> float | dict[str, float] | None:
    """Return the values of `--minimum`: one number, or numbers by field or route.

    Raises:
        QueryError: One is not written so.
    """
    if len(given) == 1 and "=" not in given[0]:
        return _number("--minimum", given[0])
    return numbers("--minimum", given) or None


def boosts(given: Sequence[str]) -> dict[str, Any]:
    """Return the values of `NAME=YAML` options.

    Raises:
        QueryError: One is not written so.

    >>> boosts(["sale={where: 'price < 5', value: 2}"])
    {'sale': {'where': 'price < 5', 'value': 2}}
    """
    found = {}
    for name, text in _named("--boost", given):
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError:
            value = None
        if not isinstance(value, dict):
            raise QueryError(
                f"{text!r:.80} is no boost",
                where="--boost",
                hint="Write it like: sale={where: 'price < 5', value: 2}.",
            )
        found[name] = value
    return found


def _named(option: str, given: Sequence[str]) -> list[tuple[str, str]]:
    pairs = []
    for text in given:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise QueryError(
                f"{text!r:.80} names no value", where=option, hint="Write it like: NAME=VALUE."
            )
        pairs.append((name.strip(), value.strip()))
    return pairs


def _number(option: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise QueryError(
            f"{text!r:.80} is no number", where=option, hint="Give a number such as 0.5."
        ) from None
