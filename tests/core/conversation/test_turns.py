"""What turns say, in English and Chinese."""

from __future__ import annotations

import pytest

from tiepoint.conversation.state import Asked, SessionState
from tiepoint.errors import QueryError


def state(*turns: str, shown: list[str] | None = None) -> SessionState:
    session = SessionState(collection="items", fingerprints={})
    for turn in turns:
        session.remember()
        session.say(turn)
        session.shown = shown or []
    return session


@pytest.mark.parametrize(
    ("turns", "query"),
    [
        (("shoes", "the red one"), "red shoes"),
        (("shoes", "only the red ones", "with laces"), "red shoes with laces"),
        (("shoes", "make it red"), "red shoes"),
        (("shoes", "show me the ones that are red"), "red shoes"),
        (("a beach", "without people"), "a beach; without: people"),
        (("a beach without people",), "a beach; without: people"),
        (("a beach", "no people, please"), "a beach; without: people, please"),
        (("a beach", "not the crowded ones"), "a beach; without: crowded"),
        (("a beach", "don't show me any dogs"), "a beach; without: dogs"),
        (("a beach", "at night without stars"), "a beach at night; without: stars"),
        (("red shoes", "boots instead"), "boots"),
        (("shoes", "the red one", "the blue one instead"), "blue shoes"),
        (("shoes", "the red one", "how about boots?"), "red boots"),
        (("shoes", "without laces", "with laces"), "shoes with laces"),
        (("shoes", "red", "not red"), "shoes; without: red"),
        (("shoes", "red", "undo"), "shoes"),
        (("shoes", "red", "without laces", "go back", "go back"), "shoes"),
        (("shoes", "red", "start over: a lamp"), "a lamp"),
        (("no country for old men",), "no country for old men"),
        (("鞋子", "红色的那个"), "红色的鞋子"),
        (("鞋子", "只要红色的", "皮质的"), "红色的皮质的鞋子"),
        (("沙滩", "不要人"), "沙滩; without: 人"),
        (("沙滩", "没有人的"), "沙滩; without: 人"),
        (("没有人的沙滩",), "沙滩; without: 人"),
        (("沙滩，不要狗",), "沙滩; without: 狗"),
        (("沙滩", "除了帐篷以外的"), "沙滩; without: 帐篷"),
        (("鞋子", "红色的", "换成靴子"), "红色的靴子"),
        (("鞋子", "红色的", "换成蓝色的"), "蓝色的鞋子"),
        (("鞋子", "红色的", "撤销"), "鞋子"),
        (("鞋子", "红色的", "重新搜索：台灯"), "台灯"),
        (("shoes", "不要 laces"), "shoes; without: laces"),
    ],
)
def test_turns_narrow_shift_and_take_back(turns, query):
    assert state(*turns).asked.describe() == query


@pytest.mark.parametrize(
    ("turn", "like", "unlike"),
    [
        ("more like the second one", ["b"], []),
        ("something similar to the first and the third", ["a", "c"], []),
        ("like this", ["a"], []),
        ("more like these", ["a", "b", "c"], []),
        ("more like #3", ["c"], []),
        ("not the last one", [], ["c"]),
        ("nothing like the 2nd", [], ["b"]),
        ("更像第二个", ["b"], []),
        ("和第一张类似的", ["a"], []),
        ("不要第三个", [], ["c"]),
        ("不像最后一个", [], ["c"]),
    ],
)
def test_turns_refer_to_hits_by_their_rank(turn, like, unlike):
    asked = state("shoes", turn, shown=["a", "b", "c"]).asked
    assert (asked.like, asked.unlike, asked.words) == (like, unlike, "shoes")


@pytest.mark.parametrize(
    "turn", ["more", "next page", "show me more results", "下一页", "还有吗？"]
)
def test_a_turn_may_ask_for_the_next_page(turn):
    session = state("shoes", "red", turn, turn, shown=["a", "b", "c"])
    assert session.asked.describe() == "red shoes"
    assert session.offset == 6


def test_a_page_is_of_the_query_that_it_follows():
    session = state("shoes", "more", "red", shown=["a"])
    assert session.offset == 0
    session.remember()
    session.say("undo")
    assert session.asked == Asked(text="shoes")


@pytest.mark.parametrize(
    ("turn", "told"),
    [("like the fourth", "showed 3 hits, not 4"), ("undo", "no turn to undo")],
)
def test_a_turn_that_refers_to_nothing_is_refused(turn, told):
    session = state("shoes", shown=["a", "b", "c"])
    session.before = []
    session.remember()
    with pytest.raises(QueryError, match=told):
        session.say(turn)
