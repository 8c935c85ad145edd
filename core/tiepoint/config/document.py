"""YAML text as plain data that still knows the line of every value.

YAML's 1.2 core rules decide what an unquoted word is, so that `no` and `on` stay words and
`1e-3` is a number. Tags are refused; aliases and merge keys (`<<`) work within limits.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from tiepoint.config.problems import Problem, YamlPath
from tiepoint.errors import ConfigError

MAX_BYTES = 256 * 1024
MAX_VALUES = 20_000
MAX_DEPTH = 32

_NULL = re.compile(r"~|null|Null|NULL|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL_FLOAT = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_VARIABLE = re.compile(r"\$\$\{|\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\})?")


@dataclass(slots=True)
class Document:
    """A YAML file as data.

    Attributes:
        data: Dictionaries, lists, strings, numbers, booleans and None.
        lines: The line (from 1) of each key and list position, by its path.
        problems: Duplicate keys, and variables that are not set.
    """

    data: Any = None
    lines: dict[YamlPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def nearest(self, path: YamlPath) -> YamlPath:
        """Return the path itself, or that of the nearest thing around it that is in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return path

    def line(self, path: YamlPath) -> int:
        """Return the line of a path, or of the nearest thing around it that is in the file."""
        return self.lines.get(self.nearest(path), 1)


def parse(text: str, where: str, environment: Mapping[str, str] | None = None) -> Document:
    """Read YAML text; `${NAME}` and `${NAME:-default}` in values are expanded.

    `$${` stands for a literal `${`. A default is used where the variable is unset or empty.
    An unquoted value is typed after the expansion: `${PORT:-8080}` is a number. An expanded
    value is never read as YAML structure.

    Args:
        text: The file's text.
        where: The file's name, for messages.
        environment: The variables; the process's own if not given.

    Raises:
        ConfigError: The text is not YAML, is empty, uses tags, or is beyond the limits.
    """
    try:
        node = _Loader(text).get_single_node()
    except yaml.YAMLError as error:
        raise not_yaml(error, where) from error
    if node is None:
        raise ConfigError("the file is empty", where=where, hint="Write a deployment into it.")
    return _Walk(where, os.environ if environment is None else environment).document(node)


def not_yaml(error: yaml.YAMLError, where: str) -> ConfigError:
    """Return what to tell of a text that is not YAML, with the line where that showed.

    Args:
        error: What the reader of YAML raised.
        where: The file's name.
    """
    if not isinstance(error, yaml.MarkedYAMLError):
        return ConfigError(
            f"this is not YAML: {str(error).splitlines()[0]}",
            where=where,
            hint="Save it as UTF-8 text.",
        )
    mark = error.problem_mark or error.context_mark
    line = f":{mark.line + 1}" if mark else ""
    what = error.problem or error.context or "unreadable"
    return ConfigError(f"this is not YAML: {what}", where=f"{where}{line}", hint="Mend the line.")


class _Loader(yaml.BaseLoader):
    """Composes nodes, without resolving types; depth is limited before Python's stack is."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "tag", None) is not None:
            raise yaml.composer.ComposerError(
                None, None, "tags (!) are not supported; put text in quotes", event.start_mark
            )
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise yaml.composer.ComposerError(
                None, None, f"more than {MAX_DEPTH} levels deep", event.start_mark
            )
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Walk:
    """Turns nodes into data, noting lines and problems on the way."""

    def __init__(self, where: str, environment: Mapping[str, str]) -> None:
        self.where = where
        self.environment = environment
        self.values = 0
        self.merges = 0  # how many merges deep
        self.result = Document()

    def document(self, node: yaml.Node) -> Document:
        self.result.data = self.value(node, ())
        return self.result

    def value(self, node: yaml.Node, path: YamlPath) -> Any:
        self.count(node, len(path))
        self.result.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, i)) for i, item in enumerate(node.value)]
        text = self.expand(node.value, path)
        unquoted = isinstance(node, yaml.ScalarNode) and node.style is None
        return typed(text) if unquoted else text

    def count(self, node: yaml.Node, depth: int) -> None:
        """Refuse too much: aliases share nodes, so a small file can stand for an endless one."""
        self.values += 1
        if self.values > MAX_VALUES or depth > MAX_DEPTH:
            raise ConfigError(
                f"with aliases the file has more than {MAX_VALUES} values or {MAX_DEPTH} levels",
                where=f"{self.where}:{node.start_mark.line + 1}",
                hint="Remove aliases (*name).",
            )

    def mapping(self, node: yaml.MappingNode, path: YamlPath) -> dict[str, Any]:
        data: dict[str, Any] = {}
        first_line: dict[str, int] = {}
        merged: list[yaml.Node] = []
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = key_node.value
            if not isinstance(key, str):
                self.result.problems.append(Problem(path, "a key must be a word", "Mend the key."))
            elif key == "<<":
                merged.append(value_node)
            elif key in first_line:
                self.result.lines[(*path, key)] = line
                self.problem(
                    (*path, key), f"the key is given twice (first in line {first_line[key]})"
                )
            else:
                first_line[key] = line
                self.result.lines[(*path, key)] = line
                data[key] = self.value(value_node, (*path, key))
        for source in merged:
            for mapping in source.value if isinstance(source, yaml.SequenceNode) else [source]:
                data = {**self.merged(mapping, path), **data}
        return data

    def merged(self, node: yaml.Node, path: YamlPath) -> dict[str, Any]:
        if isinstance(node, yaml.MappingNode):
            self.merges += 1
            self.count(node, self.merges)
            lines, self.result.lines = self.result.lines, {}
            data = self.mapping(node, path)
            for at, line in self.result.lines.items():
                lines.setdefault(at, line)  # what the mapping says itself stands where it does
            self.result.lines = lines
            self.merges -= 1
            return data
        self.problem(path, "`<<` takes a mapping", "Point it at one with *name.")
        return {}

    def problem(self, path: YamlPath, what: str, hint: str = "Remove one of them.") -> None:
        self.result.problems.append(Problem(path, what, hint))

    def expand(self, text: str, path: YamlPath) -> str:
        def replace(match: re.Match[str]) -> str:
            name, has_default, default = match.groups()
            if match.group() == "$${":
                return "${"
            if name is None:
                self.problem(
                    path,
                    "`${` is not followed by a variable's name and `}`",
                    "Write ${NAME} or ${NAME:-default}, or $${ for the characters themselves.",
                )
                return ""
            value = self.environment.get(name)
            if value or (value is not None and not has_default):
                return value
            if not has_default:
                self.problem(
                    path,
                    f"the environment variable {name} is not set",
                    f"Set it, or give a default: ${{{name}:-value}}.",
                )
            return default or ""

        return _VARIABLE.sub(replace, text)


def typed(word: str) -> str | int | float | bool | None:
    """Return what an unquoted word stands for, by the core schema of YAML 1.2.

    >>> [typed(word) for word in ("8080", "1e-3", "true", "no", "~", "2024-01-01")]
    [8080, 0.001, True, 'no', None, '2024-01-01']
    """
    if _NULL.fullmatch(word):
        return None
    if _TRUE.fullmatch(word):
        return True
    if _FALSE.fullmatch(word):
        return False
    if _INTEGER.fullmatch(word) and len(word) <= 64:
        return int(word, {"0o": 8, "0x": 16}.get(word[:2], 10))
    if _FLOAT.fullmatch(word):
        return float(word)
    if _SPECIAL_FLOAT.fullmatch(word):
        return float(word.lower().replace(".", ""))
    return word
