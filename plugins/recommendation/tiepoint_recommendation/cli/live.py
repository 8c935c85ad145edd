"""What the commands that ask share: options, and an open service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tiepoint.cli.output import echo, print_table, say
from tiepoint_recommendation.cli.stores import opened_database, settings_of

if TYPE_CHECKING:
    from tiepoint.config.sections import Section
    from tiepoint_recommendation.live.asks import Answered
    from tiepoint_recommendation.live.filters import Filters
    from tiepoint_recommendation.service import RecommendationService

Command = TypeVar("Command", bound=Callable[..., Any])
Model = TypeVar("Model", bound="Section")

_FILTERS = (
    click.option("--least-price", type=click.FloatRange(0), help="Only what costs so much."),
    click.option("--most-price", type=click.FloatRange(0), help="Only what costs no more."),
    click.option(
        "--fresh-days",
        type=click.FloatRange(0, min_open=True),
        help="Only what came within so many days.",
    ),
    click.option("--brand", "brands", multiple=True, metavar="NAME", help="Only this brand."),
    click.option(
        "--category", "categories", multiple=True, metavar="NAME", help="Only this category."
    ),
    click.option("--exclude", multiple=True, metavar="ITEM", help="Not this item."),
    click.option("--sold-out", is_flag=True, help="Also what is sold out."),
)


def filter_options(command: Command) -> Command:
    """Add the options of filters; the command takes them as `filters`, a dictionary."""
    for option in reversed(_FILTERS):
        command = option(command)
    return command


def filters_of(options: dict[str, Any]) -> Filters:
    """Return the filters that options name.

    Raises:
        UsageError: They contradict each other.
    """
    from tiepoint_recommendation.live.filters import Filters

    in_stock = False if options.pop("sold_out") else None
    return given(Filters, {"in_stock": in_stock, **options})


def given(model: type[Model], options: dict[str, Any]) -> Model:
    """Return a model of what options say.

    Raises:
        UsageError: They cannot be used.
    """
    from pydantic import ValidationError

    try:
        return model.model_validate(options)
    except ValidationError as error:
        first = error.errors()[0]
        name = "".join(f"--{part}: " for part in first["loc"][:1])
        raise click.UsageError(name + first["msg"].removeprefix("Value error, ")) from error


@contextmanager
def opened_service(
    store: Path, database: str | None, config: Path | None
) -> Iterator[RecommendationService]:
    """Open the service of a store.

    Raises:
        InputError: There is no store.
        ConfigError: The deployment file is wrong.
    """
    from tiepoint_recommendation.item_space import deployment_of
    from tiepoint_recommendation.service import RecommendationService

    with opened_database(store, database):
        pass  # which says where there is none
    settings = settings_of(config)
    deployment = deployment_of(config, store)
    with RecommendationService(store, deployment, settings.live, settings.fit, database) as service:
        yield service


def print_answer(answered: Answered) -> None:
    """Write an answer as a table."""
    if answered.empty_because is not None:
        say(f"nothing to recommend: {answered.empty_because}")
        return
    rows: list[tuple[str, ...]] = []
    for one in answered.items:
        why = "" if one.reasons is None else one.reasons.words
        rows.append((str(one.rank), one.id, f"{one.score:.3f}", one.title, why))
    print_table(("rank", "item", "score", "title", "why"), rows)
    for item in answered.unknown_items:
        say(f"the model knows no item {item!r}; it was passed over")
    if answered.rules:
        echo(f"rules: {', '.join(answered.rules)}")
