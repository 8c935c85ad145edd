"""Which language a report is in, as far as its statements can be read."""

from __future__ import annotations

import re

from tiepoint_medical.knowledge.vocabulary import Language

_CJK = re.compile("[\u3400-\u9fff]")
_KANA_HANGUL = re.compile("[\u3040-\u30ff\uac00-\ud7af]")
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[a-z]+")
_COMMON = frozenset(
    [
        "the",
        "a",
        "an",
        "and",
        "or",
        "no",
        "not",
        "of",
        "in",
        "is",
        "are",
        "was",
        "were",
        "with",
        "without",
        "there",
        "at",
        "for",
        "to",
        "on",
        "right",
        "left",
        "normal",
        "clear",
        "stable",
        "unchanged",
        "chest",
        "lung",
        "lungs",
        "heart",
        "pleural",
        "small",
        "mild",
        "acute",
        "seen",
        "evidence",
        "opacity",
        "effusion",
        "pneumonia",
        "pneumothorax",
        "bilateral",
        "lower",
        "upper",
        "lobe",
        "consolidation",
    ]
)


def language_of(text: str) -> Language | None:
    """Return the language whose rules read a text: `en`, `zh`, or None for any other.

    >>> language_of("No pleural effusion."), language_of("双肺未见实变。")
    ('en', 'zh')
    >>> language_of("Kein Pleuraerguss nachweisbar, Herz normal groß.") is None
    True
    """
    letters = len(_LETTER.findall(text))
    if not letters or _KANA_HANGUL.search(text):
        return None
    if len(_CJK.findall(text)) > 0.2 * letters:
        return "zh"
    words = _WORD.findall(text.lower())
    common = sum(word in _COMMON for word in words)
    few = len(words) <= 4 and common > 0
    return "en" if few or common >= max(2, 0.15 * len(words)) else None
