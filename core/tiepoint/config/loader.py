"""Read a deployment file: YAML in, a checked `Deployment` out, errors with path and line.

Relative paths in the file are relative to the file's folder; in the `Deployment` they are
absolute. No model is loaded and no store is opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from tiepoint import registry
from tiepoint.config.components import check_component, check_plugin
from tiepoint.config.document import MAX_BYTES, Document, parse
from tiepoint.config.models import (
    AlignmentSection,
    AnswerSection,
    Deployment,
    EncoderSection,
    EngineSection,
    SourceSection,
)
from tiepoint.config.problems import Problem, YamlPath, nearest, path_text, problems_of
from tiepoint.config.ranking import FusionSection
from tiepoint.config.sections import ComponentSection
from tiepoint.config.service import ServeSection
from tiepoint.errors import ConfigError

_NAMED: Mapping[str, tuple[str, type[ComponentSection]]] = {
    "encoders": (registry.ENCODERS, EncoderSection),
    "sources": (registry.SOURCES, SourceSection),
}
_SINGLE: Mapping[str, tuple[str, type[ComponentSection]]] = {
    "alignment": (registry.ALIGNERS, AlignmentSection),
    "fusion": (registry.FUSIONS, FusionSection),
    "answer": (registry.ANSWERERS, AnswerSection),
    "engine": (registry.ENGINES, EngineSection),
    "server": (registry.SERVERS, ServeSection),
}


def load(path: str | Path) -> Deployment:
    """Read and check a deployment file.

    Raises:
        ConfigError: The file cannot be read or is wrong; says the first problem, with the
            YAML path and line, and how many more there are.
    """
    path = Path(path)
    return loads(_read(path), where=str(path), folder=path.parent.absolute())


def loads(
    text: str,
    where: str = "deployment",
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Deployment:
    """Read and check the text of a deployment file.

    Args:
        text: YAML; see `tiepoint.config.document.parse` for what of it.
        where: What to call the text in messages.
        folder: What relative paths are relative to; the working folder if not given.
        environment: The variables for `${NAME}`; the process's own if not given.

    Raises:
        ConfigError: As for `load`.
    """
    deployment, errors = examine(text, where, folder, environment)
    if deployment is None:
        first = errors[0]
        if len(errors) > 1:
            first.what += f" (+ {len(errors) - 1} more: tiepoint config check {where})"
        raise first
    return deployment


def check(path: str | Path) -> list[ConfigError]:
    """Return everything that is wrong with a deployment file; an empty list if nothing is."""
    path = Path(path)
    try:
        return examine(_read(path), str(path), path.parent.absolute())[1]
    except ConfigError as error:
        return [error]


def examine(
    text: str,
    where: str,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> tuple[Deployment | None, list[ConfigError]]:
    """Read and check a text; returns the deployment, or None and everything that is wrong.

    Raises:
        ConfigError: The text is not YAML.
    """
    folder = folder or Path.cwd()
    document = parse(text, where, environment)
    problems = document.problems
    deployment = None
    if not problems:
        deployment, problems = _check(document, folder)
    errors = [
        ConfigError(problem.what, where=_place(where, document, problem.path), hint=problem.hint)
        for problem in _in_order(problems, document)
    ]
    if deployment is None or errors:
        return None, errors
    return deployment, []


def _in_order(problems: Sequence[Problem], document: Document) -> list[Problem]:
    """Return problems by line; of those about one value's alternative types, the first."""
    kept: dict[tuple[YamlPath, str], Problem] = {}
    for problem in problems:
        path = document.nearest(problem.path)
        kept.setdefault((path, problem.what if path == problem.path else ""), problem)
    return sorted(kept.values(), key=lambda problem: document.line(problem.path))


def _place(where: str, document: Document, path: YamlPath) -> str:
    written = path_text(document.nearest(path))
    return f"{where}:{document.line(path)}" + (f" ({written})" if written else "")


def _read(path: Path) -> str:
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise ConfigError("this is a folder", where=str(path), hint="Give a YAML file.")
        if size > MAX_BYTES:
            raise ConfigError(
                f"the file has {size:,} bytes, more than {MAX_BYTES:,}",
                where=str(path),
                hint="Give a deployment file.",
            )
        return path.read_bytes()[: MAX_BYTES + 1].decode("utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigError(
            "there is no such file", where=str(path), hint="Check the path."
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            "the file is not UTF-8 text", where=str(path), hint="Save it as UTF-8."
        ) from error
    except OSError as error:
        raise ConfigError(
            f"the file cannot be read ({error.strerror})",
            where=str(path),
            hint="Check its permissions.",
        ) from error


def _check(document: Document, folder: Path) -> tuple[Deployment | None, list[Problem]]:
    if not isinstance(document.data, dict):
        return None, [
            Problem((), "the file is not a mapping of keys", "Start it with `version: 1`.")
        ]
    try:
        deployment = Deployment.model_validate(document.data)
    except ValidationError as error:
        wrong = problems_of(error, (), Deployment)
        return None, wrong + _wrong_components(document.data, folder)
    problems = _unknown_references(deployment)
    resolved, wrong = _with_components(deployment, folder)
    return resolved, problems + wrong


def _wrong_components(data: Mapping[str, Any], folder: Path) -> list[Problem]:
    """Return what is wrong with the components of a file that is no deployment as a whole.

    Sections that are themselves not what they must be are passed over.
    """
    sections: list[tuple[YamlPath, tuple[str, type[ComponentSection]], Any]] = [
        ((key, name), kind, given)
        for key, kind in _NAMED.items()
        for name, given in _mapping(data, key).items()
    ]
    sections += [((key,), kind, data[key]) for key, kind in _SINGLE.items() if key in data]
    problems = []
    for path, (group, model), given in sections:
        try:
            section = model.model_validate(given)
        except ValidationError:
            continue
        problems += check_component(group, section, path, folder)[1]
    for name, options in _mapping(data, "plugins").items():
        if isinstance(options, dict):
            problems += check_plugin(name, options, folder)[1]
    return problems


def _mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _unknown_references(deployment: Deployment) -> list[Problem]:
    references: list[tuple[YamlPath, str, Mapping[str, Any], str]] = []
    for name, collection in deployment.collections.items():
        for field, section in collection.fields.items():
            if section.encoder is not None:
                path: YamlPath = ("collections", name, "fields", field, "encoder")
                references.append((path, section.encoder, deployment.encoders, "encoder"))
    if deployment.alignment is not None:
        for modality, encoder in deployment.alignment.encoders.items():
            path = ("alignment", "encoders", modality)
            references.append((path, encoder, deployment.encoders, "encoder"))
    for name, source in deployment.sources.items():
        path = ("sources", name, "collection")
        references.append((path, source.collection, deployment.collections, "collection"))
    return [
        Problem(
            path,
            f"the file defines no {noun} {word!r}",
            nearest(word, known, f"The file's {noun}s"),
        )
        for path, word, known, noun in references
        if word not in known
    ]


def _with_components(deployment: Deployment, folder: Path) -> tuple[Deployment, list[Problem]]:
    """Return the deployment with checked options and absolute paths, and what is wrong."""
    problems: list[Problem] = []

    def section(group: str, given: ComponentSection, path: YamlPath) -> ComponentSection:
        options, wrong = check_component(group, given, path, folder)
        problems.extend(wrong)
        declared = {name: getattr(given, name) for name in type(given).model_fields}
        return type(given).model_construct(**declared, **options)

    def sections(group: str, given: Mapping[str, Any], key: str) -> dict[str, Any]:
        return {name: section(group, one, (key, name)) for name, one in given.items()}

    plugins = {}
    for name, options in deployment.plugins.items():
        plugins[name], wrong = check_plugin(name, options, folder)
        problems.extend(wrong)
    alignment, answer = deployment.alignment, deployment.answer
    store = deployment.store
    if "://" not in store.uri:
        store = store.model_copy(update={"uri": str(folder / Path(store.uri).expanduser())})
    store = _located(store, folder)
    server = section(registry.SERVERS, deployment.server, ("server",))
    resolved = deployment.model_copy(
        update={
            "encoders": sections(registry.ENCODERS, deployment.encoders, "encoders"),
            "alignment": alignment and section(registry.ALIGNERS, alignment, ("alignment",)),
            "store": store,
            "sources": sections(registry.SOURCES, deployment.sources, "sources"),
            "sinks": sections(registry.SINKS, deployment.sinks, "sinks"),
            "engine": section(registry.ENGINES, deployment.engine, ("engine",)),
            "fusion": section(registry.FUSIONS, deployment.fusion, ("fusion",)),
            "answer": answer and section(registry.ANSWERERS, answer, ("answer",)),
            "plugins": plugins,
            "server": _located(server, folder),
            "auth": deployment.auth and _located(deployment.auth, folder),
        }
    )
    return resolved, problems


_AnySection = TypeVar("_AnySection", bound=BaseModel)


def _located(section: _AnySection, folder: Path) -> _AnySection:
    """Return a section with the paths in it, also in the sections below, absolute."""
    found = {name: _absolute(getattr(section, name), folder) for name in type(section).model_fields}
    return section.model_copy(update=found)


def _absolute(value: Any, folder: Path) -> Any:
    if isinstance(value, Path):
        return folder / value.expanduser()
    if isinstance(value, BaseModel):
        return _located(value, folder)
    if isinstance(value, tuple):
        return tuple(_absolute(one, folder) for one in value)
    return value
