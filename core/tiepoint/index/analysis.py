"""From a text to the terms that BM25 counts: the same in memory and on a server."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

from tiepoint.index.base import TextAnalysis

MAX_QUERY_CHARACTERS = 10_000
MAX_QUERY_TERMS = 64
"""Of a longer query, the first characters and the first distinct terms count."""

MAX_TERM_CHARACTERS = 64
"""Longer runs of letters are no words, and are left out."""

_WITHOUT_STOP_WORDS = ("arabic", "chinese", "greek", "romanian", "tamil", "turkish")
_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")


@cache
def analyzer(analysis: TextAnalysis) -> Any:
    """Return Tantivy's analyser for segmented text.

    Latin letters lose case and accents. Stop words of all languages go; what is left is stemmed
    in the first language that is not Chinese.
    """
    import tantivy

    offered = tantivy.Filter
    made = (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(offered.remove_long(MAX_TERM_CHARACTERS))
        .filter(offered.lowercase())
    )
    # Before the accents go, as the lists are written with them.
    for language in analysis.languages:
        if language not in _WITHOUT_STOP_WORDS:
            made = made.filter(offered.stopword(language))
    own = [*analysis.stop_words]
    if "chinese" in analysis.languages:
        own += _chinese_stop_words()
    if own:
        made = made.filter(offered.custom_stopword([word.lower() for word in own]))
    stemmed = next((name for name in analysis.languages if name != "chinese"), None)
    if stemmed is not None:
        made = made.filter(offered.stemmer(stemmed))
    return made.filter(offered.ascii_fold()).build()


def segmented(text: str) -> str:
    """Return the text with spaces between the words of its Chinese runs.

    Long words come with the words in them (jieba's mode for search engines).

    >>> segmented("a red bicycle")
    'a red bicycle'
    """
    return _CHINESE.sub(lambda run: f" {' '.join(_chinese_words(run[0]))} ", text)


def terms(text: str, analysis: TextAnalysis) -> list[str]:
    """Return the terms of a text in their order.

    >>> terms("The red bicycles", TextAnalysis())
    ['red', 'bicycl']
    """
    found: list[str] = analyzer(analysis).analyze(segmented(text))
    return found


def query_terms(query: str, analysis: TextAnalysis) -> list[str]:
    """Return the distinct terms of a query, as many as count."""
    found = terms(query[:MAX_QUERY_CHARACTERS], analysis)
    return list(dict.fromkeys(found))[:MAX_QUERY_TERMS]


def plain(found: Iterable[str]) -> str:
    """Return terms as a server takes them: any tokeniser leaves them as they are.

    A term that is not ASCII goes by its code points.

    >>> plain(["two", "猫"])
    'two u732b'
    """
    return " ".join(
        term if term.isascii() else "u" + "".join(f"{ord(letter):04x}" for letter in term)
        for term in found
    )


def plain_terms(text: str, analysis: TextAnalysis, most_bytes: int) -> str:
    """Return all terms of a text as a server takes them; the end of a long one is left out."""
    joined = plain(terms(text, analysis))
    return joined if len(joined) <= most_bytes else joined[:most_bytes].rpartition(" ")[0]


@cache
def _chinese_stop_words() -> list[str]:
    listed = files("tiepoint.index").joinpath("chinese_stop_words.txt")
    return listed.read_text("utf-8").split()


def _chinese_words(run: str) -> list[str]:
    import rjieba  # its dictionary loads, in a tenth of a second, with the first Chinese text

    words: list[str] = rjieba.cut_for_search(run)
    return words
