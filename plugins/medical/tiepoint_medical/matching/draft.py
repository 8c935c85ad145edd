"""A draft of a report from similar cases, every sentence with its source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tiepoint_medical.knowledge.logic import closure
from tiepoint_medical.matching.result import NOTICE, Match
from tiepoint_medical.reports.report import ReportReader, Statement

_FEWEST = 2
"""How many neighbours have to state a finding before a sentence on it is drafted."""


@dataclass(frozen=True)
class DraftSentence:
    """One sentence, taken over as it stands.

    Attributes:
        text: The sentence.
        case: Pseudonym of the case that it was taken from.
        findings: What it says of each finding.
        support: How many of the neighbours state the same of them.
    """

    text: str
    case: str
    findings: Mapping[str, str]
    support: int


@dataclass(frozen=True)
class Draft:
    """An unverified draft.

    Attributes:
        sentences: Its sentences; empty where the match abstained.
        abstained: Whether nothing is drafted.
        neighbours: The cases that it was drafted from.
        notice: What must be shown with it.
        status: Always `unverified`.
    """

    sentences: tuple[DraftSentence, ...]
    abstained: bool
    neighbours: tuple[str, ...]
    notice: str = NOTICE
    status: str = "unverified"

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def drafted(match: Match, reader: ReportReader) -> Draft:
    """Draft from the hits of a match.

    A sentence is taken over whole, from the best neighbour that has one on a finding which at
    least two neighbours judge alike. Sentences that compare with a former study, speak of the
    past, or contradict a sentence that was taken already are left out.
    """
    cases = tuple(hit.case for hit in match.hits)
    if match.abstained:
        return Draft((), True, cases)
    votes: dict[tuple[str, str], set[str]] = {}
    read = [(hit.case, reader.read(hit.report)) for hit in match.hits]
    for case, report in read:
        for finding, status in report.profile.items():
            votes.setdefault((finding, status), set()).add(case)
    taken: list[DraftSentence] = []
    said: dict[str, str] = {}
    for case, report in read:
        for number in range(len(report.sentences)):
            about = [s for s in report.image_statements if s.sentence == number]
            if not _usable(about, said):
                continue
            findings = {s.finding: s.status for s in about}
            support = min(len(votes.get(item, ())) for item in findings.items())
            if support < _FEWEST or not _consistent(findings, said, reader):
                continue
            taken.append(DraftSentence(report.sentence_text(number), case, findings, support))
            said |= findings
    return Draft(tuple(taken), not taken, cases)


def _usable(about: Sequence[Statement], said: Mapping[str, str]) -> bool:
    return (
        bool(about)
        and not any(s.attributes.compares or s.attributes.historical for s in about)
        and not all(s.finding in said for s in about)
    )


def _consistent(findings: Mapping[str, str], said: Mapping[str, str], reader: ReportReader) -> bool:
    known = closure(dict(said), reader.vocabulary)  # type: ignore[arg-type]  # statuses
    follows = closure(dict(findings), reader.vocabulary)  # type: ignore[arg-type]  # statuses
    return not any(
        {known.get(key), status} == {"present", "absent"} for key, status in follows.items()
    )
