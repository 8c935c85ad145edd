"""Where commands find the events, the catalogue and the model of a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tiepoint.errors import InputError

if TYPE_CHECKING:
    from tiepoint.config.models import Deployment
    from tiepoint.engine import Engine
    from tiepoint_recommendation.plugin import RecommendationConfig
    from tiepoint_recommendation.settings import FitSettings
    from tiepoint_recommendation.storage.database import Database

Command = TypeVar("Command", bound=Callable[..., Any])

FILE = click.Path(path_type=Path, dir_okay=False)
EXISTING_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)


def store_options(command: Command) -> Command:
    """Add `--store` and `--database`."""
    store = click.option(
        "--store", type=FOLDER, required=True, help="The folder of events, catalogue and models."
    )
    database = click.option(
        "--database",
        envvar="TIEPOINT_RECOMMENDATION_DATABASE",
        metavar="URL",
        help="postgresql://user@host/name, in place of SQLite in the store.",
    )
    return store(database(command))


def config_option(command: Command) -> Command:
    """Add `--config`: a deployment file."""
    option = click.option(
        "--config",
        type=EXISTING_FILE,
        help="A deployment file: its encoders, and what stands under plugins.recommendation.",
    )
    return option(command)


@contextmanager
def opened_database(store: Path, url: str | None, *, new: bool = False) -> Iterator[Database]:
    """Open the database of a store.

    Args:
        store: The store's folder.
        url: Of the database, where it is not SQLite in the store.
        new: Whether it may be absent, and is made.

    Raises:
        InputError: There is none.
    """
    from tiepoint_recommendation.storage.database import Database

    database = Database.of_store(store, url)
    if not new and not database.exists:
        raise InputError(
            "there are no events yet",
            where=str(store),
            hint=f"Bring them in: tiepoint recommend ingest --events F --items F --store {store}",
        )
    try:
        yield database
    finally:
        database.close()


@contextmanager
def engine_of(deployment: Deployment) -> Iterator[Engine]:
    """Build a deployment's engine, and end its workers afterwards.

    Raises:
        ConfigError: Its options are wrong.
        MissingDependencyError: What it needs is not installed.
    """
    from tiepoint import registry
    from tiepoint.assembly import build

    engine = build(registry.ENGINES, deployment.engine, "engine")
    try:
        yield engine
    finally:
        engine.close()


def fit_settings(config: Path | None) -> FitSettings:
    """Return what a deployment file says of fitting; the defaults without one.

    Raises:
        ConfigError: The file is wrong.
    """
    return settings_of(config).fit


def settings_of(config: Path | None) -> RecommendationConfig:
    """Return what a deployment file says of this plugin; the defaults without one.

    Raises:
        ConfigError: The file is wrong.
    """
    from tiepoint_recommendation.plugin import RecommendationConfig

    if config is None:
        return RecommendationConfig()
    from tiepoint.config.loader import load
    from tiepoint.config.problems import validate

    given = load(config).plugins.get("recommendation", {})
    return validate(RecommendationConfig, dict(given), ("plugins", "recommendation"))
