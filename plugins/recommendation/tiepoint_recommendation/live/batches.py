"""Answers for all users, as a table on disk."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tiepoint.saving import replaced_together
from tiepoint_recommendation.live.filters import Filters

if TYPE_CHECKING:
    from tiepoint_recommendation.service import RecommendationService

_ROW_GROUP = 1000


def write_batch(
    service: RecommendationService,
    k: int,
    out: Path,
    filters: Filters,
    progress: Callable[[int, int | None], None] | None = None,
) -> tuple[int, int]:
    """Write the answers for all users with events: user, item, rank and score, as Parquet.

    Filters and rules hold; nothing is explored or logged. The file is there whole or not at all.

    Args:
        service: What answers.
        k: How many items for each user.
        out: The file.
        filters: What the items have to be like.
        progress: Called with the users done, and their number.

    Returns:
        The number of users, and of rows.
    """
    import pyarrow as pa
    from pyarrow import parquet

    users = service.events.users()
    schema = pa.schema(
        {"user": pa.string(), "item": pa.string(), "rank": pa.int32(), "score": pa.float32()}
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    done = rows = 0
    answers = service.batch(users, k, filters)
    with replaced_together(out) as [partial], parquet.ParquetWriter(partial, schema) as writer:
        while some := list(islice(zip(users[done:], answers, strict=False), _ROW_GROUP)):
            cells = [
                (user, one.id, one.rank, one.score)
                for user, answered in some
                for one in answered.items
            ]
            columns = [[cell[place] for cell in cells] for place in range(len(schema))]
            writer.write_table(pa.table(columns, schema=schema))
            done, rows = done + len(some), rows + len(cells)
            if progress is not None:
                progress(done, len(users))
    return done, rows
