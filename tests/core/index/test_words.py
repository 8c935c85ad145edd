"""BM25 over texts in English and Chinese, kept up to date row by row."""

import numpy as np
import pytest

from tiepoint.index.analysis import plain, plain_terms, query_terms
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


def _index_of(analysis, *texts):
    index = WordIndex({"caption": analysis})
    for row, text in enumerate(texts):
        index.add(row, {"caption": text})
    index.commit()
    index.publish()
    return index


@pytest.mark.parametrize(
    ("languages", "text", "finds", "not_finds"),
    [
        (("german",), "Die Häuser und der Baum", ["Haus", "HAUSER", "bäume"], ["und", "die"]),
        (("french",), "Les chevaux étaient dans le pré", ["cheval", "pre"], ["les", "dans"]),
        (("russian",), "Красные велосипеды и лампы", ["красный велосипед"], ["и"]),
        (("turkish",), "kırmızı bisikletler", ["bisiklet"], ["araba"]),
        (("german", "english"), "the house und der Baum", ["house", "Baum"], ["und", "the"]),
        ((), "The red bicycles", ["the", "bicycles"], ["bicycle"]),
        (("chinese",), "我们的红色自行车", ["自行车", "红色"], ["我们", "的"]),
    ],
)
def test_words_go_by_the_languages_of_the_field(languages, text, finds, not_finds):
    index = _index_of(TextAnalysis(languages), text)
    for query in finds:
        assert _search(index, query) == [0], query
    for query in not_finds:
        assert _search(index, query) == [], query
    index.close()


def test_further_stop_words_do_not_count():
    index = _index_of(TextAnalysis(stop_words=("Shop", "商店")), "red shop", "商店 红色")
    assert _search(index, "shop") == []
    assert _search(index, "商店") == []
    assert _search(index, "red 红色") == [0, 1]
    index.close()


def test_given_rows_are_scored_as_the_search_scores_them(words):
    query = "dog red"
    rows, scores = words.search("caption", query, 10, np.ones(200, np.bool_), 200)
    asked = np.array([5, -1, 2, 0, 1, 4, 150])
    found = words.scores("caption", query, asked)
    by_row = dict(zip(rows.tolist(), scores.tolist(), strict=True))
    expected = [by_row.get(row, np.nan) for row in asked.tolist()]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert np.isnan(words.scores("caption", "the", asked)).all()


def test_terms_go_to_a_server_in_letters_that_no_tokeniser_changes():
    stored = plain_terms("The café: 红色自行车", TextAnalysis(), 1000)
    assert stored.replace(" ", "").isalnum()
    assert stored.isascii()
    assert stored.startswith("cafe ")
    asked = plain(query_terms("自行车", TextAnalysis()))
    assert set(asked.split()) <= set(stored.split())
    assert plain_terms("word " * 100, TextAnalysis(), 22) == "word word word word"


def test_a_filter_of_any_share_gives_the_best_of_what_passes():
    random = np.random.default_rng(0)
    index = WordIndex({"caption": TextAnalysis()})
    for row in range(3000):
        common = "apple " * int(random.integers(1, 9))
        index.add(row, {"caption": common + ("banana" if row % 7 == 0 else f"word{row}")})
    index.commit()
    index.publish()
    everything = np.ones(3000, np.bool_)
    rows, scores = index.search("caption", "apple banana", 3000, everything, 3000)
    for count in (3, 500, 900, 2500):
        allowed = np.zeros(3000, np.bool_)
        allowed[random.choice(3000, count, replace=False)] = True
        found, found_scores = index.search("caption", "apple banana", 20, allowed, count)
        expected = scores[allowed[rows]][:20]
        np.testing.assert_allclose(found_scores, expected, rtol=1e-6)
        assert allowed[found].all()
        assert len(set(found.tolist())) == min(20, count)
    index.close()
