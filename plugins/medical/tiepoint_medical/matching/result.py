"""What a match says, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

NOTICE = (
    "Decision support for a qualified reader; not for stand-alone clinical decision-making."
    " Similar cases are no diagnosis. The default encoders were not trained on radiology."
)

Evidence = Mapping[str, Any]


@dataclass(frozen=True)
class Neighbour:
    """A case of another patient that resembles what was asked.

    Attributes:
        case: Pseudonym of the image.
        patient: Pseudonym of the patient.
        study: Pseudonym of the study.
        score: What it was ranked by.
        contributions: What each route added.
        report: Its report, without identifiers.
        present: The findings that its report states.
        supports: Findings that it states as the query does.
        contradicts: Findings that one states and the other cannot have.
        sentences: The sentences of its report that speak of these findings, or are nearest.
    """

    case: str
    patient: str
    study: str
    score: float
    contributions: Sequence[Mapping[str, Any]]
    report: str
    present: tuple[str, ...]
    supports: tuple[str, ...]
    contradicts: tuple[str, ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Match:
    """What was found for a query.

    Attributes:
        query: What the query's own report or words state, by finding; for an image alone, what
            its neighbours let expect.
        expected: Whether `query` is an expectation from neighbours.
        probability: That the first neighbour has a finding of the query's and contradicts none;
            None before the archive was calibrated.
        abstained: Whether the probability is too low, or nothing was found.
        reason: Why it abstained, or why there is no probability.
        hits: Cases of other patients, one a patient, best first.
        priors: Cases of the query's own patient, which are never among the hits.
        provenance: What the answer was made by.
        notice: What must be shown with it.
    """

    query: Mapping[str, str]
    expected: bool
    probability: float | None
    abstained: bool
    reason: str | None
    hits: tuple[Neighbour, ...]
    priors: tuple[Neighbour, ...]
    provenance: Evidence
    notice: str = NOTICE

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)
