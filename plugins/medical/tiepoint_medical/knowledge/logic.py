"""What follows from a profile of findings, and where two profiles contradict each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tiepoint_medical.knowledge.vocabulary import Vocabulary

Status = Literal["present", "absent", "uncertain"]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A finding that is present on one side and cannot be by the other.

    Attributes:
        finding: The finding that is present.
        against: What the other side says: the same finding or a wider one that is absent, or
            one that is present and excludes it.
    """

    finding: str
    against: str


def closure(profile: Mapping[str, Status], vocabulary: Vocabulary) -> dict[str, Status]:
    """Return a profile with all that follows from it.

    A present finding makes present what it is a kind of; an absent one makes absent its own
    kinds, and what a present one excludes is absent; an uncertain one makes uncertain what it is
    a kind of. What was stated itself is never changed, and present wins over absent.
    """
    implied: dict[str, Status] = {}
    for status in ("absent", "uncertain", "present"):
        for finding, stated in profile.items():
            if stated != status or finding not in vocabulary.findings:
                continue
            if stated == "absent":
                implied |= dict.fromkeys(vocabulary.special(finding), "absent")
            else:
                implied |= dict.fromkeys(vocabulary.kinds_of(finding), stated)
            if stated == "present":
                for key in vocabulary.excluded_by(finding):
                    implied.setdefault(key, "absent")
    return implied | dict(profile)


def contradictions(
    first: Mapping[str, Status], second: Mapping[str, Status], vocabulary: Vocabulary
) -> list[Contradiction]:
    """Return where two profiles cannot both hold, each way, without repeats."""
    found: dict[tuple[str, str], Contradiction] = {}
    for one, other in ((first, second), (second, first)):
        present = {key for key, status in one.items() if status == "present"}
        for key in sorted(present & vocabulary.findings.keys()):
            for wider in (key, *sorted(vocabulary.kinds_of(key))):
                if other.get(wider) == "absent":
                    found.setdefault((key, wider), Contradiction(key, wider))
                    break
            for excluded in sorted(vocabulary.excluded_by(key)):
                if other.get(excluded) == "present":
                    a, b = sorted((key, excluded))
                    found.setdefault((a, b), Contradiction(a, b))
    return list(found.values())


def widened(finding: str, vocabulary: Vocabulary) -> frozenset[str]:
    """Return the findings whose presence answers a question for one: itself and its kinds."""
    return vocabulary.special(finding) | {finding}
