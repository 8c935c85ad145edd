"""The notation of names in the knowledge files, as regular expressions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_GAP = r"((?:[\w'-]+[\s,/]+){0,4}?)"
_ANY_CJK = re.compile("[\u3400-\u9fff\uff00-\uffef]")


@lru_cache(maxsize=8192)
def pattern(term: str) -> re.Pattern[str]:
    r"""Return what finds a term in a text.

    A word may list alternatives (`heart|cardiac`), `...` stands for up to four words of the same
    clause (they are the groups of the match), and a final s or es need not be written. Chinese is
    found anywhere, other words only as whole words.

    >>> bool(pattern("heart|cardiac ... enlarged").search("The heart is mildly enlarged."))
    True
    >>> bool(pattern("mass").search("massive"))
    False
    """
    if _ANY_CJK.search(term):
        return re.compile(re.escape(term))
    parts, gap_before = [], False
    for word in term.split():
        if word == "...":
            parts.append(_GAP)
            gap_before = True
            continue
        if parts and not gap_before:
            parts.append(r"\s+")
        alternatives = "|".join(re.escape(one) for one in word.split("|"))
        parts.append(f"(?:{alternatives})(?:e?s)?")
        gap_before = False
    body = "".join(
        part + (r"[\s,/]+" if following == _GAP else "")
        for part, following in zip(parts, [*parts[1:], ""], strict=True)
    )
    start = r"(?<![\w-])" if re.match(r"\w", term) else ""
    end = r"(?!\w)" if re.search(r"\w$", term) else ""
    return re.compile(start + body + end, re.IGNORECASE)


@lru_cache(maxsize=64)
def any_of(terms: tuple[str, ...]) -> re.Pattern[str] | None:
    """Return what finds any of some terms, the longest first; None if there are none."""
    if not terms:
        return None
    ordered: Iterable[str] = sorted(terms, key=len, reverse=True)
    return re.compile("|".join(pattern(term).pattern for term in ordered), re.IGNORECASE)
