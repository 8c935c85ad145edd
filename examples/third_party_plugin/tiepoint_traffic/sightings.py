"""Sightings: stretches of footage, and which kind of vehicle they show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from tiepoint.types import Hit


@dataclass(frozen=True, slots=True)
class Sighting:
    """A stretch of footage that shows a vehicle.

    Attributes:
        id: The id of its item.
        file: The footage, by its path below the folder.
        start_s: When it begins, in seconds of the footage.
        end_s: When it ends.
        kind: The kind of vehicle, where it was asked for.
        similarity: The cosine to the description, or to that of the kind; -1 to 1.
    """

    id: str
    file: str
    start_s: float
    end_s: float
    kind: str | None
    similarity: float

    @classmethod
    def of(cls, hit: Hit, field: str, kind: str | None = None) -> Sighting:
        """Return the sighting that a hit is, found by a field of its collection."""
        return cls(
            hit.id,
            str(hit.metadata["file"]),
            float(str(hit.metadata["start_s"])),
            float(str(hit.metadata["end_s"])),
            kind,
            similarity(hit, field),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def similarity(hit: Hit, field: str) -> float:
    """Return the cosine of a hit to what was asked for, by the route that ends at a field."""
    return next(one.similarity for one in hit.contributions if one.route.endswith(f"->{field}"))


def by_kind(answers: Mapping[str, Sequence[Hit]], field: str) -> list[Sighting]:
    """Say of each stretch which kind of vehicle it shows, in the order of footage and time.

    Some descriptions are nearer to everything than others. So a stretch is of the kind whose
    description it exceeds the average stretch by most, and of none where it exceeds no average.

    Args:
        answers: All stretches as hits, for the description of each kind.
        field: The field that was searched.
    """
    best: dict[str, tuple[float, Sighting]] = {}
    for kind, hits in answers.items():
        average = fmean(similarity(hit, field) for hit in hits) if hits else 0.0
        for hit in hits:
            above = similarity(hit, field) - average
            if above > best.get(hit.id, (0.0,))[0]:
                best[hit.id] = (above, Sighting.of(hit, field, kind))
    found = (sighting for _, sighting in best.values())
    return sorted(found, key=lambda one: (one.file, one.start_s))
