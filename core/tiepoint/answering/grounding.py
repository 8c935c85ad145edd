"""What a model said, held against the hits: a sentence stays only with a hit that it cites."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from tiepoint.answering.base import Answer, Sentence

Unsupported = Literal["drop", "mark"]

MARK = "[unsupported]"

_CITATION = re.compile(r"\s*\[([^\[\]\n]{1,200})\]")
# Up to a full stop (not one within a number, a file's name or an abbreviation) and the citations
# behind it. Where it is not clear that a sentence ends, it does: a claim without a citation must
# not hide behind its neighbour's.
_SENTENCE = re.compile(
    r"(?:\[[^\[\]\n]*\]|\b(?:e\.g|i\.e|vs|cf|ca|Dr|Mr|Mrs|Ms|St|No)\.|[^.!?。！？\n]"
    r"|[.!?](?![\s\[\"'”’)]|$))+"
    r"(?:[.!?]+[\"'”’)]*|[。！？]+[”’」]*|\n|$)"
    r"(?:[ \t]*\[[^\[\]\n]{1,200}\][.。]?)*"
)
_BEFORE_STOP = re.compile(r"\s+(?=[.,;:!?。，；：！？])")
_WORD = re.compile(r"\w")


def grounded(said: str, keys: Mapping[str, str], unsupported: Unsupported = "drop") -> Answer:
    """Return an answer of which every citation is a hit.

    Args:
        said: What the model said.
        keys: The hits' ids by the keys that it was to cite.
        unsupported: What becomes of sentences that cite no hit: they are left out, or stay
            with a mark.

    >>> answer = grounded("It is red [a]. It is old [z]. It is good.", {"a": "a"})
    >>> answer.text
    'It is red. [a]'
    >>> answer.unsupported, answer.unknown
    (('It is old.', 'It is good.'), ('z',))
    """
    shown: list[str] = []
    sentences: list[Sentence] = []
    loose: list[str] = []
    unknown: dict[str, None] = {}
    for found in _SENTENCE.finditer(said):
        cited = [key for group in _CITATION.findall(found[0]) for key in _keys(group)]
        unknown |= dict.fromkeys(key for key in cited if key not in keys)
        text = _BEFORE_STOP.sub("", " ".join(_CITATION.sub("", found[0]).split()))
        if not _WORD.search(text):
            continue
        ids = tuple(dict.fromkeys(keys[key] for key in cited if key in keys))
        if not ids:
            loose.append(text)
            if unsupported == "mark":
                sentences.append(Sentence(text, ()))
                shown.append(f"{text} {MARK}")
            continue
        sentences.append(Sentence(text, ids))
        shown.append(" ".join([text, *(f"[{id_}]" for id_ in ids)]))
    citations = dict.fromkeys(id_ for sentence in sentences for id_ in sentence.citations)
    return Answer(" ".join(shown), tuple(sentences), tuple(citations), tuple(loose), tuple(unknown))


def _keys(group: str) -> list[str]:
    return [key for key in re.split(r"[\s,;，；、]+", group.strip()) if key]
