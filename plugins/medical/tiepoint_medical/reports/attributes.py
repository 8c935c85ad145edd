"""What stands around a finding: side, severity, place, and whether a former study is spoken of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tiepoint_medical.knowledge.terms import any_of
from tiepoint_medical.knowledge.vocabulary import Language, knowledge
from tiepoint_medical.reports.mentions import Mention

_CLAUSE = re.compile(r"[,;:，；]\s*|\bbut\b|\bwith\b(?=\s+(?:no|blunt|associated))")
_AND = re.compile(r"\b(?:and|or|with|versus)\b|[及和伴]")


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a sentence says of one finding beside its name.

    Attributes:
        side: `left`, `right` or `bilateral`.
        severity: `mild`, `moderate` or `severe`.
        regions: Keys of `anatomy.yaml`, the most special first.
        compares: Whether a former study is spoken of ("unchanged"): this says nothing of the
            image alone, and must not be taken over into another patient's report.
        historical: Whether it is told of the past ("history of").
    """

    side: str | None = None
    severity: str | None = None
    regions: tuple[str, ...] = ()
    compares: bool = False
    historical: bool = False


class AttributeReader:
    """Reads attributes by the words of `anatomy.yaml`."""

    def __init__(self) -> None:
        content = knowledge("anatomy.yaml")
        self.radlex: dict[str, str | None] = {
            key: region["radlex"] for key, region in content["regions"].items()
        }
        self._side_of: dict[str, str | None] = {
            key: region.get("side") for key, region in content["regions"].items()
        }
        self._words = {
            language: _Words(
                _patterns(content["regions"], language),
                _patterns(content["sides"], language),
                _patterns(content["severities"], language),
                _one_pattern(content["priors"][language]),
                _one_pattern(content["histories"][language]),
            )
            for language in ("en", "zh")
        }

    def compares(self, sentence: str, language: Language) -> bool:
        """Whether a sentence speaks of a former study."""
        return self._words[language].priors.search(sentence) is not None

    def of(
        self, sentence: str, mention: Mention, mentions: Sequence[Mention], language: Language
    ) -> Attributes:
        """Return what is said of one of a sentence's mentions."""
        words = self._words[language]
        start, end = _reach(sentence, mention, mentions)
        around = sentence[start:end]
        regions = tuple(key for key, names in words.regions.items() if names.search(around))
        sides = [side for side, names in words.sides.items() if names.search(around)]
        sides += [side for key in regions if (side := self._side_of[key]) is not None]
        return Attributes(
            side=_one_side(sides),
            severity=next(
                (s for s, names in words.severities.items() if names.search(around)), None
            ),
            regions=_most_special(regions),
            compares=words.priors.search(sentence) is not None,
            historical=words.histories.search(sentence[: mention.start]) is not None,
        )


@dataclass(frozen=True, slots=True)
class _Words:
    regions: Mapping[str, re.Pattern[str]]
    sides: Mapping[str, re.Pattern[str]]
    severities: Mapping[str, re.Pattern[str]]
    priors: re.Pattern[str]
    histories: re.Pattern[str]


def _reach(sentence: str, mention: Mention, mentions: Sequence[Mention]) -> tuple[int, int]:
    """Return the part of a sentence that belongs to a mention: its clause, up to its neighbours."""
    start, end = 0, len(sentence)
    for found in _CLAUSE.finditer(sentence):
        if found.end() <= mention.start:
            start = found.end()
        elif found.start() >= mention.end:
            end = min(end, found.start())
    for other in mentions:
        if other.end <= mention.start:
            start = max(start, _border(sentence, other.end, mention.start))
        elif other.start >= mention.end:
            end = min(end, _border(sentence, mention.end, other.start))
    return start, end


def _border(sentence: str, end: int, start: int) -> int:
    """Return where the words between two names part: at "and", else they are the second's."""
    joined = _AND.search(sentence, end, start)
    return end if joined is None else joined.start()


def _patterns(stated: Mapping[str, Any], language: Language) -> dict[str, re.Pattern[str]]:
    return {key: _one_pattern(words[language]) for key, words in stated.items()}


def _one_pattern(words: Sequence[str]) -> re.Pattern[str]:
    return any_of(tuple(words)) or re.compile(r"(?!)")


def _one_side(sides: Sequence[str]) -> str | None:
    different = set(sides)
    if "bilateral" in different or {"left", "right"} <= different:
        return "bilateral"
    return next(iter(different), None)


def _most_special(regions: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out a zone or an organ where a lobe of it is named; the order is from special."""
    if len(regions) > 1 and "lung" in regions:
        regions = tuple(region for region in regions if region != "lung")
    lobes = [region for region in regions if region.endswith("_lobe") or region == "lingula"]
    zones = ("upper_lung_zone", "middle_lung_zone", "lower_lung_zone")
    return tuple(r for r in regions if not (lobes and r in zones))
