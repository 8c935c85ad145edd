"""Options of components, checked against the signatures of what they configure.

Importing a component's module is cheap by contract, and nothing is constructed here: no
model is loaded.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, NotRequired, Union, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from tiepoint import registry
from tiepoint.config.problems import Problem, YamlPath, problems_of
from tiepoint.config.sections import ComponentSection
from tiepoint.errors import TiepointError

_GIVEN_BY_HOST = {
    registry.ALIGNERS: ("encoders",),
    registry.SOURCES: ("fields",),
    registry.SERVERS: ("host",),
}
_RELATIVE = ("./", "../", "~/")


def check_component(
    group: str, section: ComponentSection, path: YamlPath, folder: Path
) -> tuple[dict[str, Any], list[Problem]]:
    """Check one component's type and options.

    Args:
        group: The group of entry points that it is looked up in.
        section: Its section in the file.
        path: The path of that section.
        folder: What relative paths are relative to. An option that the component declares as
            a `Path`, and any text that starts with `./`, `../` or `~/`, is a path.

    Returns:
        The options, typed as the component declares them and with absolute paths, and what
        is wrong with them.
    """
    type_name = section.type
    if type_name not in registry.names(group):
        noun = registry.NOUNS[group]
        problem = Problem(
            (*path, "type"), f"there is no {noun} {type_name!r}", registry.suggest(group, type_name)
        )
        return {}, [problem]
    try:
        target = registry.load(group, type_name)
    except TiepointError as error:
        return {}, [Problem((*path, "type"), _sentence(error), error.hint)]
    declared, open_ended = _parameters(target, _GIVEN_BY_HOST.get(group, ()))
    located = {
        key: _located(value, declared.get(key), folder) for key, value in section.options.items()
    }
    try:
        checked = _adapter(declared, open_ended).validate_python(located)
    except ValidationError as error:
        return {}, problems_of(error, path, [*type(section).model_fields, *declared])
    return dict(checked), []


def check_plugin(
    name: str, options: Mapping[str, Any], folder: Path
) -> tuple[dict[str, Any], list[Problem]]:
    """Check one plugin's name, API version and options; returns as `check_component` does."""
    path: YamlPath = ("plugins", name)
    if name not in registry.names(registry.PLUGINS):
        hint = registry.suggest(registry.PLUGINS, name)
        return {}, [Problem(path, f"there is no plugin {name!r}", hint)]
    try:
        config = registry.plugin_class(name).Config
    except TiepointError as error:
        return {}, [Problem(path, _sentence(error), error.hint)]
    hints = {key: field.annotation for key, field in config.model_fields.items()}
    located = {key: _located(value, hints.get(key), folder) for key, value in options.items()}
    try:
        config.model_validate(located)
    except ValidationError as error:
        return {}, problems_of(error, path, config)
    return located, []


def _sentence(error: TiepointError) -> str:
    return f"{error.where}: {error.what}" if error.where else error.what


def _parameters(
    target: Callable[..., Any], given_by_host: tuple[str, ...]
) -> tuple[dict[str, Any], bool]:
    """Return the options' types by name, and whether any other option is taken too."""
    hints = _hints(target)
    declared: dict[str, Any] = {}
    open_ended = False
    for name, parameter in inspect.signature(target).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            open_ended = True
        elif parameter.kind is not parameter.VAR_POSITIONAL and name not in given_by_host:
            hint = hints.get(name, Any)
            declared[name] = hint if parameter.default is parameter.empty else NotRequired[hint]
    return declared, open_ended


def _hints(target: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(
            target.__init__ if inspect.isclass(target) else target, include_extras=True
        )
    except (NameError, TypeError, AttributeError):
        # Names that exist for the type checker only: options are then checked by name alone.
        return {}


def _adapter(declared: Mapping[str, Any], open_ended: bool) -> TypeAdapter[dict[str, Any]]:
    rules = ConfigDict(arbitrary_types_allowed=True, extra="allow" if open_ended else "forbid")
    # A typed dictionary, as keys such as `model` and `schema` may not be fields of a model.
    options = with_config(rules)(TypedDict("options", dict(declared)))  # type: ignore[operator]
    return TypeAdapter(options)


def _located(value: Any, hint: Any, folder: Path) -> Any:
    if isinstance(value, list):
        return [_located(item, hint, folder) for item in value]
    if isinstance(value, dict):
        return {key: _located(item, None, folder) for key, item in value.items()}
    if isinstance(value, str) and (value.startswith(_RELATIVE) or _only_a_path(hint)):
        return str(folder / Path(value).expanduser())
    return value


def _only_a_path(hint: Any) -> bool:
    if get_origin(hint) is NotRequired:
        hint = get_args(hint)[0]
    members = get_args(hint) if get_origin(hint) in (Union, UnionType, list, tuple) else (hint,)
    return Path in members and str not in members
