"""Whether a sentence states a finding, denies it, or leaves it open.

A cue reaches over the findings behind it (or before it) up to the end of its clause, as in ConText
(Harkema et al., 2009). Beyond that: an end of reach needs no cue of its own where a comma begins a
new statement, two findings joined by "or" are open both, and what stands inside a name counts
("the heart is not enlarged").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tiepoint_medical.knowledge.terms import any_of
from tiepoint_medical.knowledge.vocabulary import Language, knowledge
from tiepoint_medical.reports.mentions import Mention

Status = Literal["present", "absent", "uncertain"]

_AFTER_REACH = 60
"""How many letters a cue reaches back."""

_BETWEEN = re.compile(r"\s*(?:[\w-]+\s+){0,3}")
_STOPS = re.compile(r"[;:]|\s-\s|\.\s")

_ASKS_AHEAD = r"(?<!\w)\?+(?=\s*[^\W\d_])"
_ASKS_BACK = r"(?<=\w)[?？]+(?![A-Za-z])|\?+(?=\s*(?:[).,]|$))"
"""A question mark before a word asks what follows ("effusion, ?pneumonia"), one behind a word what
it ends ("effusion (pneumonia?)"); one between letters is a letter that was lost ("patient?s")."""


@dataclass(frozen=True, slots=True)
class _Cue:
    kind: str
    start: int
    end: int


class Assertions:
    """Reads the status of findings by the cues of the languages."""

    def __init__(self) -> None:
        cues = knowledge("cues.yaml")
        self._cues: dict[str, dict[str, re.Pattern[str] | None]] = {
            language: _compiled(stated) for language, stated in cues.items()
        }
        self._joins = {
            language: [(str(join), _join_pattern(str(join))) for join in stated["joins"]]
            for language, stated in cues.items()
        }

    def of(self, sentence: str, mentions: Sequence[Mention], language: Language) -> list[Status]:
        """Return the status of each mention of a sentence, in their order."""
        cues = self._found(sentence, language)
        statuses = [_status(mention, sentence, cues) for mention in mentions]
        for which in self._alternatives(sentence, mentions, language):
            if statuses[which] == "present" and not mentions[which].normal:
                statuses[which] = "uncertain"
        return statuses

    def _found(self, sentence: str, language: Language) -> list[_Cue]:
        """Return the cues of a sentence; a longer one, and a shield, takes the words."""
        found = [
            _Cue(kind, match.start(), match.end())
            for kind, expression in self._cues[language].items()
            if expression is not None
            for match in expression.finditer(sentence)
        ]
        found += [_Cue("end", match.start(), match.end()) for match in _STOPS.finditer(sentence)]
        found.sort(key=lambda cue: (cue.start - cue.end, cue.kind != "shield"))
        kept: list[_Cue] = []
        for cue in found:
            if not any(_takes(one, cue) for one in kept):
                kept.append(cue)
        return sorted((cue for cue in kept if cue.kind != "shield"), key=lambda cue: cue.start)

    def _alternatives(
        self, sentence: str, mentions: Sequence[Mention], language: Language
    ) -> set[int]:
        """Return which mentions are one of several that only one need be true of."""
        open_ones: set[int] = set()
        for join, expression in self._joins[language]:
            for at in expression.finditer(sentence):
                left = {
                    which
                    for which, mention in enumerate(mentions)
                    if mention.end <= at.start()
                    and not sentence[mention.end : at.start()].strip(" ,")
                }
                right = {
                    which
                    for which, mention in enumerate(mentions)
                    if mention.start >= at.end()
                    and _BETWEEN.fullmatch(sentence[at.end() : mention.start])
                }
                findings = {mentions[which].finding for which in left | right}
                if len(findings) > 1 or join.startswith("v"):
                    open_ones |= left | right
                elif join != "/" and not right:
                    open_ones |= left
        return open_ones


def _takes(longer: _Cue, cue: _Cue) -> bool:
    """Whether a longer cue takes the words of another; one word may be a cue both ways."""
    if longer.kind == "shield":
        return cue.kind != "shield" and longer.start < cue.end and cue.start < longer.end
    if "end" in longer.kind or "end" in cue.kind:
        return False
    same = (longer.start, longer.end) == (cue.start, cue.end)
    return not same and longer.start < cue.end and cue.start < longer.end


def _join_pattern(join: str) -> re.Pattern[str]:
    if join == "/":
        return re.compile(r"\s*/\s*")
    if not join.isascii():
        return re.compile(re.escape(join))
    return re.compile(rf"(?<!\w){re.escape(join)}(?=\s)", re.IGNORECASE)


def _compiled(stated: dict[str, Any]) -> dict[str, re.Pattern[str] | None]:
    after_comma = any_of(tuple(stated["ends_after_comma"]))
    return {
        "shield": any_of(tuple(stated["shields"])),
        "negates_ahead": any_of(tuple(stated["negation"]["before"])),
        "negates_back": any_of(tuple(stated["negation"]["after"])),
        "opens_ahead": _or_asked(stated["uncertainty"]["before"], _ASKS_AHEAD),
        "opens_back": _or_asked(stated["uncertainty"]["after"], _ASKS_BACK),
        "end": any_of(tuple(stated["ends"])),
        "comma_end": None
        if after_comma is None
        else re.compile(rf",\s*(?={after_comma.pattern})", re.IGNORECASE),
    }


def _or_asked(terms: Sequence[str], asked: str) -> re.Pattern[str]:
    cues = any_of(tuple(terms))
    return re.compile(asked if cues is None else f"{cues.pattern}|{asked}", re.IGNORECASE)


def _status(mention: Mention, sentence: str, cues: Sequence[_Cue]) -> Status:
    inside = [cue for cue in cues if any(a <= cue.start < b for a, b in mention.gaps)]
    ahead = {
        cue.kind
        for cue in cues
        if cue.end <= mention.start and not _ended(cues, cue.end, mention.start, cue)
    } | {cue.kind for cue in inside}
    back = {
        cue.kind
        for cue in cues
        if cue.start >= mention.end
        and cue.start - mention.end <= _AFTER_REACH
        and "(" not in sentence[mention.end : cue.start]
        and not _ended(cues, mention.end, cue.start, cue)
    }
    denied = "negates_ahead" in ahead or "negates_back" in back
    if mention.normal:
        return "present" if denied else "uncertain" if "opens_ahead" in ahead else "absent"
    if "opens_back" in back:
        return "uncertain"
    if denied:
        return "absent"
    return "uncertain" if "opens_ahead" in ahead else "present"


def _ended(cues: Sequence[_Cue], start: int, end: int, cue: _Cue) -> bool:
    return any(
        one.kind in ("end", "comma_end")
        and one is not cue
        and start <= one.start
        and one.end <= end
        for one in cues
    )
