"""The vocabulary of findings, and the small knowledge graph that they form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from tiepoint.errors import ConfigError

Language = Literal["en", "zh"]

_MAX_BYTES = 2 * 2**20


class Finding(BaseModel):
    """One finding: its codes, its relations and its names.

    Attributes:
        radlex: The RadLex class (`RID34539`); None where none was verified.
        radlex_match: `broader` where RadLex has no class of its own for the finding.
        is_a: The findings that it is a kind of.
        located_in: Where it can be.
        excludes: Findings that cannot be present together with it.
        en: English names, in the notation of `tiepoint_medical.knowledge.terms`.
        zh: Chinese names.
        normal: Phrases that deny it without naming it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    radlex: str | None = Field(default=None, pattern=r"^RID\d+$")
    radlex_match: Literal["exact", "broader"] | None = None
    is_a: tuple[str, ...] = ()
    located_in: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    en: tuple[str, ...] = ()
    zh: tuple[str, ...] = ()
    normal: tuple[str, ...] = ()

    @field_validator("en", "zh", "normal")
    @classmethod
    def _not_blank(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if any(not name.strip(" .|") for name in names):
            raise ValueError("a name is blank")
        return names

    def names(self, language: Language) -> tuple[str, ...]:
        """Return its names in one language."""
        return self.en if language == "en" else self.zh


class Vocabulary:
    """Findings by their keys, and what follows from one for another.

    Args:
        findings: The findings by key, such as `pleural_effusion`.
        where: What to call their file in errors.

    Raises:
        ConfigError: A relation names an unknown finding, or `is_a` runs in a circle.
    """

    def __init__(self, findings: Mapping[str, Finding], where: str = "vocabulary") -> None:
        self.findings = dict(findings)
        for key, finding in self.findings.items():
            for relation in ("is_a", "excludes"):
                for other in getattr(finding, relation):
                    if other not in self.findings:
                        raise ConfigError(
                            f"{relation} names {other!r}, which is no finding",
                            where=f"{where}: findings.{key}",
                            hint="Define it, or correct the name.",
                        )
        self._kinds = {key: self._above(key, (), where) for key in self.findings}
        self._excluded: dict[str, frozenset[str]] = {key: frozenset() for key in self.findings}
        for key, finding in self.findings.items():
            for other in finding.excludes:
                self._excluded[key] |= {other}
                self._excluded[other] |= {key}

    def _above(self, key: str, path: tuple[str, ...], where: str) -> frozenset[str]:
        if key in path:
            raise ConfigError(
                f"is_a runs in a circle: {' -> '.join((*path, key))}",
                where=f"{where}: findings.{path[0]}",
                hint="Remove one of the relations.",
            )
        parents = self.findings[key].is_a
        above = [self._above(parent, (*path, key), where) for parent in parents]
        return frozenset(parents).union(*above)

    def kinds_of(self, key: str) -> frozenset[str]:
        """Return what a finding is a kind of, directly or not, without itself."""
        return self._kinds[key]

    def special(self, key: str) -> frozenset[str]:
        """Return the findings that are a kind of this one, without itself."""
        return frozenset(other for other, above in self._kinds.items() if key in above)

    def excluded_by(self, key: str) -> frozenset[str]:
        """Return the findings that cannot be present together with one."""
        return self._excluded[key]

    def name(self, key: str, language: Language = "en") -> str:
        """Return a finding's plain name."""
        if language == "zh" and self.findings[key].zh:
            return self.findings[key].zh[0]
        return key.replace("_", " ")


@cache
def chest_vocabulary() -> Vocabulary:
    """Return the findings that come with the plugin."""
    return _vocabulary(_content(_shipped("chest.yaml"), "chest.yaml"), "chest.yaml")


def extended_vocabulary(paths: Iterable[Path]) -> Vocabulary:
    """Return the shipped findings with those of a site's own files, in their order.

    A finding of a known key takes the names and relations of the file beside its own, and its
    codes where the file has some; any other is new.

    Args:
        paths: YAML files of the same shape as the shipped one.

    Raises:
        ConfigError: A file that cannot be read, or says what makes no sense.
    """
    findings = dict(chest_vocabulary().findings)
    where = "chest.yaml"
    for path in paths:
        where = str(path)
        for key, added in _findings(_content(_read(path), where), where).items():
            known = findings.get(key)
            findings[key] = added if known is None else _merged(known, added)
    return Vocabulary(findings, where)


def knowledge(name: str) -> dict[str, Any]:
    """Return the content of a shipped file of knowledge, such as `cues.yaml`."""
    return _content(_shipped(name), name)


def _shipped(name: str) -> str:
    return files("tiepoint_medical.knowledge").joinpath(name).read_text("utf-8")


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(
                f"the vocabulary is larger than {_MAX_BYTES} bytes",
                where=str(path),
                hint="Give a file of findings.",
            )
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the vocabulary cannot be read ({error})", where=str(path), hint="Check the path."
        ) from error


def _content(text: str, where: str) -> dict[str, Any]:
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(
            f"this is no YAML ({error})", where=where, hint="Correct the file."
        ) from error
    if not isinstance(content, dict):
        raise ConfigError("this is no mapping", where=where, hint="Begin it with `findings:`.")
    return content


def _findings(content: Mapping[str, Any], where: str) -> dict[str, Finding]:
    stated = content.get("findings")
    if not isinstance(stated, dict) or not stated:
        raise ConfigError("there are no `findings`", where=where, hint="Name at least one.")
    findings = {}
    for key, options in stated.items():
        try:
            findings[str(key)] = Finding.model_validate(options)
        except ValidationError as error:
            problem = error.errors()[0]
            place = ".".join(map(str, problem["loc"]))
            raise ConfigError(
                problem["msg"], where=f"{where}: findings.{key}.{place}", hint="Correct it."
            ) from error
    return findings


def _vocabulary(content: Mapping[str, Any], where: str) -> Vocabulary:
    return Vocabulary(_findings(content, where), where)


def _merged(known: Finding, added: Finding) -> Finding:
    lists = {
        name: tuple(dict.fromkeys((*getattr(known, name), *getattr(added, name))))
        for name in ("is_a", "located_in", "excludes", "en", "zh", "normal")
    }
    codes = {"radlex": added.radlex, "radlex_match": added.radlex_match} if added.radlex else {}
    return known.model_copy(update=lists | codes)
