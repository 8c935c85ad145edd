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
        "this",
        "that",
        "which",
        "may",
        "be",
        "been",
        "has",
        "have",
        "cannot",
        "out",
        "by",
        "from",
        "as",
        "it",
        "but",
        "seen",
        "noted",
        "identified",
        "removed",
        "represent",
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
        "size",
        "pleural",
        "small",
        "mild",
        "large",
        "moderate",
        "acute",
        "evidence",
        "bilateral",
        "lower",
        "upper",
        "lobe",
        "base",
        "opacity",
        "opacities",
        "effusion",
        "effusions",
        "pneumonia",
        "pneumothorax",
        "consolidation",
        "atelectasis",
        "edema",
        "cardiomegaly",
        "nodule",
        "calcified",
        "tube",
        "fracture",
        "degenerative",
        "changes",
        "spine",
    ]
)
_ELSEWHERE = frozenset(
    [
        "der",
        "die",
        "das",
        "und",
        "kein",
        "keine",
        "ist",
        "nicht",
        "mit",
        "im",
        "des",
        "el",
        "los",
        "las",
        "y",
        "sin",
        "con",
        "del",
        "una",
        "le",
        "les",
        "et",
        "sans",
        "se",
        "su",
        "por",
        "pas",
        "avec",
        "il",
        "di",
        "e",
        "non",
        "con",
        "della",
        "het",
        "een",
        "geen",
        "niet",
        "och",
        "inte",
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
    foreign = sum(word in _ELSEWHERE for word in words)
    # Notes are often a few words without any that only English has.
    enough = 1 if text.isascii() and not foreign else max(1, 0.2 * len(words))
    return "en" if common > foreign and common >= enough else None
