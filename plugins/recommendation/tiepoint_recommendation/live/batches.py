"""Answers for all users, as a table on disk, by as many processes as the engine brings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tiepoint.engine import Engine
from tiepoint.saving import replaced_together
from tiepoint_recommendation.live.filters import Filters
from tiepoint_recommendation.live.settings import LiveSettings
from tiepoint_recommendation.settings import FitSettings

if TYPE_CHECKING:
    from tiepoint.config.models import Deployment
    from tiepoint_recommendation.service import RecommendationService

_PART = 500
Cell = tuple[str, str, int, float]


@dataclass(frozen=True, slots=True)
class Replica:
    """From which another process opens the same service.

    Attributes:
        store: The folder of models, which every node must reach.
        deployment: Whose encoders make vectors.
        live: How answers are made.
        fit: What events count.
        url: The database's, where it is not SQLite in the store.
        generation: Of the model, so that all processes use the same one.
    """

    store: Path
    deployment: Deployment
    live: LiveSettings
    fit: FitSettings
    url: str | None
    generation: str

    @property
    def key(self) -> tuple[Path, str]:
        """What tells services of one process apart."""
        return self.store.resolve(), self.generation


_opened: dict[tuple[Path, str], RecommendationService] = {}


def write_batch(
    service: RecommendationService,
    engine: Engine,
    k: int,
    out: Path,
    filters: Filters,
    progress: Callable[[int, int | None], None] | None = None,
) -> tuple[int, int]:
    """Write the answers for all users with events: user, item, rank and score, as Parquet.

    Filters and rules hold; nothing is explored or logged. Users come sorted. The file is there
    whole or not at all.

    Args:
        service: What answers.
        engine: Where that is done; other processes open the service's store.
        k: How many items for each user.
        out: The file.
        filters: What the items have to be like.
        progress: Called with the users done, and their number.

    Returns:
        The number of users, and of rows.

    Raises:
        TiepointError: The work could not be done.
    """
    import pyarrow as pa
    from pyarrow import parquet

    users = service.events.users()
    schema = pa.schema(
        {"user": pa.string(), "item": pa.string(), "rank": pa.int32(), "score": pa.float32()}
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    done = rows = 0
    with replaced_together(out) as [partly], parquet.ParquetWriter(partly, schema) as writer:
        for cells in _in_order(_answers(service, engine, users, k, filters)):
            columns = [[cell[place] for cell in cells] for place in range(len(schema))]
            writer.write_table(pa.table(columns, schema=schema))
            done, rows = min(done + _PART, len(users)), rows + len(cells)
            if progress is not None:
                progress(done, len(users))
    return done, rows


def _answers(
    service: RecommendationService, engine: Engine, users: list[str], k: int, filters: Filters
) -> Iterator[tuple[int, list[Cell]]]:
    """Yield the number of each part of the users and its rows, in any order."""
    replica = Replica(
        service.models.store,
        service.deployment,
        service.live,
        service.fit_settings,
        service.url,
        service.models.shelf.model.generation,
    )
    parts = (
        (number, users[start : start + _PART])
        for number, start in enumerate(range(0, len(users), _PART))
    )
    _opened[replica.key] = service
    try:
        yield from engine.mapped(partial(_answered, replica=replica, k=k, filters=filters), parts)
    finally:
        _opened.clear()


def _answered(
    part: tuple[int, list[str]], replica: Replica, k: int, filters: Filters
) -> tuple[int, list[Cell]]:
    """Answer a part of the users, in this process or in another one."""
    from tiepoint_recommendation.service import RecommendationService

    if replica.key not in _opened:
        service = RecommendationService(
            replica.store, replica.deployment, replica.live, replica.fit, replica.url
        )
        service.open()
        service.models.take(replica.generation)
        _opened[replica.key] = service
    number, users = part
    answers = _opened[replica.key].batch(users, k, filters)
    return number, [
        (user, one.id, one.rank, one.score)
        for user, answered in zip(users, answers, strict=True)
        for one in answered.items
    ]


def _in_order(parts: Iterator[tuple[int, list[Cell]]]) -> Iterator[list[Cell]]:
    waiting: dict[int, list[Cell]] = {}
    following = 0
    for number, cells in parts:
        waiting[number] = cells
        while following in waiting:
            yield waiting.pop(following)
            following += 1
