"""Texts as words for BM25: Chinese is segmented, the rest is left to the analyser."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")


@cache
def _segmenter() -> Any:
    import logging

    import jieba

    from tiepoint.paths import cache_dir

    # It shows a traceback where the cache cannot be written, which does no harm.
    jieba.setLogLevel(logging.CRITICAL)
    segmenter = jieba.Tokenizer()
    # jieba keeps its parsed dictionary in the system's temporary folder, where others may write.
    segmenter.tmp_dir = str(cache_dir("jieba"))
    return segmenter


def segmented(text: str) -> str:
    """Return the text with spaces between the words of its Chinese runs.

    Long words come with the words in them (jieba's mode for search engines). The dictionary
    loads, in about a second, with the first Chinese text.

    >>> segmented("a red bicycle")
    'a red bicycle'
    """
    return _CHINESE.sub(lambda run: f" {' '.join(_segmenter().cut_for_search(run[0]))} ", text)
