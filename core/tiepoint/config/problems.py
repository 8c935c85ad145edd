"""What is wrong with a configuration: where, what, and the nearest thing that is right."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeAlias, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from tiepoint.errors import ConfigError

YamlPath: TypeAlias = tuple[str | int, ...]
"""Keys and list positions from the top of a file to a value."""

Model = TypeVar("Model", bound=BaseModel)

_NOT_A_MAPPING = ("dict_type", "mapping_type", "model_type", "model_attributes_type")
_NAME_RULE = "a name starts with a letter and has only letters, digits and _ (at most 63)"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, at one place."""

    path: YamlPath
    what: str
    hint: str | None = None


def path_text(path: YamlPath) -> str:
    """Write a path as it is read aloud.

    >>> path_text(("sources", "photos", "columns", 0))
    'sources.photos.columns[0]'
    """
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")


def nearest(word: str, known: Iterable[str], noun: str = "Known") -> str:
    """Return the hint for an unknown word.

    >>> nearest("encodrs", ["encoders", "store"])
    "Did you mean 'encoders'?"
    >>> nearest("x", ["encoders", "store"])
    'Known: encoders, store.'
    """
    options = sorted(known)
    close = get_close_matches(word, options, 1)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"{noun}: {', '.join(options) if options else 'none'}."


def problems_of(
    error: ValidationError, base: YamlPath, keys: type[BaseModel] | Iterable[str]
) -> list[Problem]:
    """Translate what pydantic found into problems, without repeating (secret) values.

    Args:
        error: What pydantic raised.
        base: The path of the value that was validated.
        keys: The model, or the valid keys where there is no model.
    """
    found = error.errors(include_url=False)
    meant = {
        (
            *one["loc"][:-1],
            *get_close_matches(str(one["loc"][-1]), _keys_at(keys, one["loc"][:-1]), 1),
        )
        for one in found
        if one["type"] == "extra_forbidden"
    }
    return [
        _problem(dict(one), base, keys)
        for one in found
        # The misspelt key is reported already.
        if one["type"] != "missing" or one["loc"] not in meant
    ]


def _problem(
    found: Mapping[str, Any], base: YamlPath, keys: type[BaseModel] | Iterable[str]
) -> Problem:
    steps: YamlPath = tuple(found["loc"])
    if steps and steps[-1] == "[key]":
        return Problem(
            base + steps[:-1], f"{steps[-2]!r} cannot be a name", f"Rename it: {_NAME_RULE}."
        )
    path = base + steps
    kind = found["type"]
    if kind == "extra_forbidden":
        hint = nearest(str(steps[-1]), _keys_at(keys, steps[:-1]), "Valid keys")
        return Problem(path, f"unknown key {steps[-1]!r}", hint)
    if kind == "missing":
        return Problem(path[:-1], f"the key {path[-1]!r} is missing", "Add it.")
    if kind == "string_pattern_mismatch":
        return Problem(path, "this cannot be a name", f"Rename it: {_NAME_RULE}.")
    if kind in _NOT_A_MAPPING:
        return Problem(path, "this is not a mapping of keys", "Give it keys, or write {}.")
    what = str(found["msg"])
    what = what[0].lower() + what[1:]
    if kind == "string_type" and isinstance(found["input"], int | float):
        return Problem(path, what, "Put it in quotes.")
    return Problem(path, what.removeprefix("value error, "))


def _keys_at(keys: type[BaseModel] | Iterable[str], steps: YamlPath) -> list[str]:
    annotation: Any = keys
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return [] if steps else list(annotation)
    for step in steps:
        annotation = _inner(annotation, step)
    return list(getattr(annotation, "model_fields", {}))


def _inner(annotation: Any, step: str | int) -> Any:
    """Return the type of what stands at one key of a value of this type, or None."""
    if get_origin(annotation) in (Union, types.UnionType):
        members = (_inner(member, step) for member in get_args(annotation))
        return next((member for member in members if member is not None), None)
    if get_origin(annotation) is dict:
        return get_args(annotation)[1]
    if get_origin(annotation) in (list, tuple):
        return get_args(annotation)[0]
    fields = getattr(annotation, "model_fields", {})
    return fields[step].annotation if step in fields else None


def validate(model: type[Model], data: Any, base: YamlPath) -> Model:
    """Validate data that come from code rather than from a file.

    Raises:
        ConfigError: At the first problem, saying how many more there are.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = problems_of(error, base, model)
    first = problems[0]
    more = f" (+ {len(problems) - 1} more)" if len(problems) > 1 else ""
    raise ConfigError(first.what + more, where=path_text(first.path), hint=first.hint)
