"""A report, read: its statements about findings, and the profile that they add up to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from tiepoint.errors import InputError
from tiepoint_medical.knowledge.vocabulary import Language, Vocabulary, chest_vocabulary
from tiepoint_medical.reports.assertion import Assertions, Status
from tiepoint_medical.reports.attributes import AttributeReader, Attributes
from tiepoint_medical.reports.language import language_of
from tiepoint_medical.reports.mentions import MentionFinder
from tiepoint_medical.reports.sections import IMAGE_SECTIONS, Section, sections_of
from tiepoint_medical.reports.sentences import sentence_spans

MAX_CHARACTERS = 200_000
"""Length of a report; longer texts are refused."""

Profile = dict[str, Status]
"""What is known of each finding, by its key; a finding that is not there was not spoken of."""

_WEIGHT: dict[Status, int] = {"present": 2, "uncertain": 1, "absent": 0}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a report, by its place in the text."""

    section: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Statement:
    """What one sentence says of one finding.

    Attributes:
        finding: Its key in the vocabulary.
        status: `present`, `absent` or `uncertain`.
        sentence: The number of the sentence in `Report.sentences`.
        start: Where the name begins in the report.
        end: Where it ends.
        implied: Whether it is denied by naming its place normal ("the heart is normal").
        attributes: Side, severity, place, and whether the past is spoken of.
    """

    finding: str
    status: Status
    sentence: int
    start: int
    end: int
    implied: bool
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class Report:
    """A report and what it says.

    Attributes:
        text: The text as given.
        language: `en`, `zh`, or None where the statements could not be read.
        sections: Its sections.
        sentences: Its sentences.
        statements: What they say of findings.
        warnings: What could not be read, in words.
    """

    text: str
    language: Language | None
    sections: tuple[Section, ...]
    sentences: tuple[Sentence, ...]
    statements: tuple[Statement, ...]
    warnings: tuple[str, ...] = ()

    def sentence_text(self, number: int) -> str:
        """Return one sentence, with white space made even."""
        sentence = self.sentences[number]
        return " ".join(self.text[sentence.start : sentence.end].split())

    @property
    def image_statements(self) -> tuple[Statement, ...]:
        """The statements about what the image shows: not those of the history or a comparison."""
        return tuple(
            statement
            for statement in self.statements
            if self.sentences[statement.sentence].section in IMAGE_SECTIONS
            and not statement.attributes.historical
        )

    @property
    def profile(self) -> Profile:
        """What the image shows, by finding: present before uncertain before absent."""
        return profile_of(self.image_statements)

    @property
    def contradictions(self) -> tuple[str, ...]:
        """The findings that one sentence states and another denies of the same side."""
        sides: dict[tuple[str, str | None], set[Status]] = {}
        for statement in self.image_statements:
            if not statement.implied:
                key = (statement.finding, statement.attributes.side)
                sides.setdefault(key, set()).add(statement.status)
        return tuple(
            sorted({key for (key, _), said in sides.items() if {"present", "absent"} <= said})
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data, without its text but for the sentences."""
        return {
            "language": self.language,
            "warnings": list(self.warnings),
            "sections": [section.name for section in self.sections],
            "profile": self.profile,
            "contradictions": list(self.contradictions),
            "statements": [
                {
                    "finding": statement.finding,
                    "status": statement.status,
                    "implied": statement.implied,
                    "section": self.sentences[statement.sentence].section,
                    "sentence": self.sentence_text(statement.sentence),
                    **asdict(statement.attributes),
                }
                for statement in self.statements
            ],
        }


class ReportReader:
    """Reads reports by one vocabulary; may be used from several threads.

    Args:
        vocabulary: The findings; those that come with the plugin if not given.
    """

    def __init__(self, vocabulary: Vocabulary | None = None) -> None:
        self.vocabulary = vocabulary or chest_vocabulary()
        self._finder = MentionFinder(self.vocabulary)
        self._assertions = Assertions()
        self._attributes = AttributeReader()

    def read(self, text: str) -> Report:
        """Return what a report says.

        A language whose rules are not known, and a text without any word, give a report without
        statements and with a warning; nothing is guessed.

        Raises:
            InputError: The text is longer than `MAX_CHARACTERS`.
        """
        if len(text) > MAX_CHARACTERS:
            raise InputError(
                f"a report of {len(text)} characters is longer than {MAX_CHARACTERS}",
                hint="Give one report at a time.",
            )
        sections = tuple(sections_of(text))
        sentences = tuple(
            Sentence(section.name, start, end)
            for section in sections
            for start, end in sentence_spans(text, section.start, section.end)
        )
        language = language_of(text)
        warnings: tuple[str, ...] = ()
        statements: tuple[Statement, ...] = ()
        if not sentences:
            warnings = ("the report is empty",)
        elif language is None:
            warnings = ("the report is neither English nor Chinese: its findings were not read",)
        else:
            statements = tuple(self._statements(text, sentences, language))
        return Report(text, language, sections, sentences, statements, warnings)

    def _statements(
        self, text: str, sentences: tuple[Sentence, ...], language: Language
    ) -> Iterable[Statement]:
        for number, sentence in enumerate(sentences):
            words = text[sentence.start : sentence.end]
            mentions = self._finder.find(words, language)
            statuses = self._assertions.of(words, mentions, language)
            for mention, status in zip(mentions, statuses, strict=True):
                yield Statement(
                    finding=mention.finding,
                    status=status,
                    sentence=number,
                    start=sentence.start + mention.start,
                    end=sentence.start + mention.end,
                    implied=mention.normal,
                    attributes=self._attributes.of(words, mention, mentions, language),
                )


def profile_of(statements: Iterable[Statement]) -> Profile:
    """Return what statements say together: named before implied, then the strongest."""
    ranked: dict[str, tuple[bool, int, Status]] = {}
    for statement in statements:
        rank = (not statement.implied, _WEIGHT[statement.status], statement.status)
        known = ranked.get(statement.finding)
        if known is None or rank[:2] > known[:2]:
            ranked[statement.finding] = rank
    return {finding: status for finding, (_, _, status) in sorted(ranked.items())}


@cache
def report_reader() -> ReportReader:
    """Return the reader of the shipped vocabulary."""
    return ReportReader()
