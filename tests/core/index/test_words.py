"""BM25 over texts in English and Chinese, kept up to date row by row."""

import numpy as np
import pytest

from tiepoint.index.base import TextAnalysis
from tiepoint.index.words import WordIndex

TEXTS = [
    "Two dogs are running through deep snow",
    "A red bicycle leans against a brick wall",
    "The dog sleeps on a red sofa; the dog dreams",
    "A café in Zürich, early in the morning",
    "一只狗在雪地里奔跑",
    "红色的自行车靠在墙上",
]


@pytest.fixture
def words():
    index = WordIndex({"caption": TextAnalysis(), "notes": TextAnalysis()})
    for row, text in enumerate(TEXTS):
        index.add(row, {"caption": text, "image": "ignored.jpg"})
    index.add(len(TEXTS), {"notes": "a dog in the notes"})
    index.commit()
    index.publish()
    yield index
    index.close()


def _search(words, query, k=10, field="caption", allowed=None):
    allowed = np.ones(200, np.bool_) if allowed is None else allowed
    rows, scores = words.search(field, query, k, allowed, int(allowed.sum()))
    assert (np.diff(scores) <= 0).all()
    assert (scores > 0).all()
    return rows.tolist()


def test_words_match_by_their_stems_and_without_accents(words):
    assert _search(words, "a dog RUNS") == [0, 2]
    assert _search(words, "cafe zurich") == [3]


def test_chinese_words_match(words):
    assert _search(words, "雪地里的狗") == [4]
    assert _search(words, "自行车") == [5]


def test_fields_are_apart(words):
    assert _search(words, "dog", field="notes") == [6]


@pytest.mark.parametrize("query", ["", "the", "   ", "unicorn", "\x00", "🦄", "龘"])
def test_query_without_a_known_word_gives_nothing(words, query):
    assert _search(words, query) == []


@pytest.mark.parametrize(
    "query",
    ["dog AND (", '"dog', "dog:^~*?[1 TO", "caption:dog", "-dog +dog", "\\dog", "dog " * 50_000],
)
def test_hostile_query_is_only_words(words, query):
    assert _search(words, query)[:2] == [2, 0]


def test_filtered_search_finds_all_that_pass(words):
    for row in range(10, 150):
        words.add(row, {"caption": "dog dog dog"})
    words.commit()
    words.publish()
    allowed = np.zeros(200, np.bool_)
    allowed[[0, 2, 149]] = True
    assert set(_search(words, "dog", k=5, allowed=allowed)) == {0, 2, 149}
    assert len(_search(words, "dog", k=500)) == 142


def test_changes_show_after_publish(words):
    words.remove([0])
    words.add(7, {"caption": "snow on the mountain"})
    words.commit()
    assert _search(words, "snow") == [0]
    words.publish()
    assert _search(words, "snow") == [7]


def test_saved_words_come_back_and_still_change(words, tmp_path):
    words.remove([2])
    words.save(tmp_path / "words")
    again = WordIndex({"caption": TextAnalysis(), "notes": TextAnalysis()}, tmp_path / "words")
    assert _search(again, "dog") == [0]
    again.add(8, {"caption": "a dog again"})
    again.commit()
    again.publish()
    assert _search(again, "dog") == [8, 0]
    again.close()
    words.add(9, {"caption": "hot dog"})
    words.commit()
    words.publish()
    assert set(_search(words, "dog")) == {0, 9}


def test_closing_removes_the_temporary_files():
    index = WordIndex({"caption": TextAnalysis()})
    index.add(0, {"caption": "a dog"})
    index.commit()
    folder = index._folder
    assert folder.exists()
    index.close()
    assert not folder.exists()
