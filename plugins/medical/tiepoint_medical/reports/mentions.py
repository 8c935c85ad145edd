"""Where a sentence names findings."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tiepoint_medical.knowledge.terms import pattern
from tiepoint_medical.knowledge.vocabulary import Language, Vocabulary


@dataclass(frozen=True, slots=True)
class Mention:
    """A finding named in a sentence.

    Attributes:
        finding: Its key.
        start: Where the name begins in the sentence.
        end: Where it ends.
        normal: Whether the words say that the finding's place is normal.
        gaps: Where words stand between those of the name.
    """

    finding: str
    start: int
    end: int
    normal: bool = False
    gaps: tuple[tuple[int, int], ...] = ()

    def letters(self) -> set[int]:
        """Return the places of the sentence that the name's own words take."""
        return set(range(self.start, self.end)).difference(*(range(*gap) for gap in self.gaps))


class MentionFinder:
    """Finds the names of a vocabulary; the longest name takes the words.

    Args:
        vocabulary: The findings.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._names: dict[Language, list[tuple[str, bool, re.Pattern[str]]]] = {
            language: [
                (key, normal, pattern(name))
                for key, finding in vocabulary.findings.items()
                for normal, names in ((False, finding.names(language)), (True, finding.normal))
                for name in names
            ]
            for language in ("en", "zh")
        }

    def find(self, sentence: str, language: Language) -> list[Mention]:
        """Return the mentions of a sentence in their order."""
        found = [
            Mention(key, match.start(), match.end(), normal, _gaps(match))
            for key, normal, expression in self._names[language]
            for match in expression.finditer(sentence)
        ]
        found.sort(key=lambda mention: (-len(mention.letters()), mention.start))
        kept: list[Mention] = []
        for mention in found:
            if not any(_hides(longer, mention) for longer in kept):
                kept.append(mention)
        return sorted(kept, key=lambda mention: (mention.start, mention.end))


def _gaps(match: re.Match[str]) -> tuple[tuple[int, int], ...]:
    groups = (match.span(group) for group in range(1, (match.re.groups or 0) + 1))
    return tuple((start, end) for start, end in groups if start < end)


def _hides(longer: Mention, shorter: Mention) -> bool:
    """Whether a longer name takes the words of a shorter one; equal words name both."""
    if (longer.start, longer.end) == (shorter.start, shorter.end):
        return longer.finding == shorter.finding
    return not longer.letters().isdisjoint(shorter.letters())
