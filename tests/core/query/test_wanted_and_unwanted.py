"""Negative parts, feedback and weights: what is added, what is taken, and that it adds up."""

from __future__ import annotations

import pytest

from tests.core.query.conftest import assert_explained, dated_deployment, ids, picture
from tiepoint import Host, Item
from tiepoint.errors import DecodeError, QueryError


def test_what_is_not_wanted_sinks(colours):
    plain = colours.search(text="red")
    without = colours.search(text="red", negative="green")
    assert ids(plain).index("flag") < ids(plain).index("red")
    assert ids(without).index("flag") > ids(without).index("red")
    taken = [s for s in without[ids(without).index("flag")].contributions if s.value < 0]
    assert {"not text->text", "not words->text"} <= {share.route for share in taken}
    assert_explained(without)


def test_an_image_and_a_text_are_asked_at_once_and_an_image_can_be_unwanted(colours):
    hits = colours.search(
        text="red", image=picture("blue"), negative={"image": picture("green"), "text": "sea"}
    )
    asked = {share.route for hit in hits for share in hit.contributions}
    assert {"text->image", "image->image", "text->text", "image->text"} <= asked
    assert {"not image->image", "not image->text", "not words->text"} <= asked
    assert_explained(hits)
    assert hits[-1].id in ("green", "leaf")


def test_unlikeness_to_what_is_not_wanted_is_no_merit(colours):
    hits = colours.search(text="red", negative="green")
    best = next(hit for hit in hits if hit.id == "red")
    assert not [share for share in best.contributions if share.route.startswith("not ")]


def test_more_like_an_item_and_less_like_another(colours):
    hits = colours.search(like=["red"], unlike=["sea"])
    assert ids(hits)[0] == "poster"
    assert not {"red", "sea"} & set(ids(hits))
    assert_explained(hits)
    # The liked item has no text: the texts are asked through the joint space.
    assert {"like->image", "like->text"} <= {s.route for h in hits for s in h.contributions}


def test_feedback_moves_a_query(colours):
    plain = ids(colours.search(text="red", k=7))
    moved = ids(colours.search(text="red", like=["sea"], k=7))
    assert moved.index("blue") < plain.index("blue")
    assert moved.index("blue") < moved.index("green")


def test_feedback_weighs_as_the_deployment_says(tmp_path):
    heavy = dated_deployment(tmp_path / "store", search={"like_weight": 3.0})
    with Host(heavy) as host:
        host.add([Item(id="a", text="red"), Item(id="b", text="red"), Item(id="c", text="blue")])
        [share] = host.search(like=["a"], k=1)[0].contributions
    assert share.value == pytest.approx(3 * share.standardised)


def test_without_vectors_more_like_this_goes_by_words(tmp_path):
    fields = {"text": {"words": True}}
    words_alone = dated_deployment(
        tmp_path / "store", alignment=None, collections={"items": {"fields": fields}}
    )
    with Host(words_alone) as host:
        texts = {"a": "an old oak tree", "b": "oak table", "c": "a tree", "d": "the sea"}
        host.add([Item(id=id_, text=text) for id_, text in texts.items()])
        hits = host.search(like=["a"])
        assert set(ids(hits)) == {"b", "c"}
        assert_explained(hits)


def test_a_field_weighs_through_all_of_its_routes(colours):
    plain = {hit.id: hit for hit in colours.search(text="red", k=7)}
    weighed = {hit.id: hit for hit in colours.search(text="red", weights={"text": 2.5}, k=7)}
    for id_, hit in weighed.items():
        before = {share.route: share.value for share in plain[id_].contributions}
        for share in hit.contributions:
            factor = 2.5 if share.route.endswith("->text") else 1.0
            assert share.value == pytest.approx(factor * before[share.route])
    assert_explained(weighed.values())


def test_a_route_without_weight_is_not_asked(colours):
    hits = colours.search(text="red", weights={"words->text": 0, "text->image": 0})
    assert {share.route for hit in hits for share in hit.contributions} == {"text->text"}


def test_words_are_scored_also_where_they_were_not_among_the_best(numbers):
    query = {"signal": [1.0] + [0.0] * 15}
    hits = numbers.search(text="apple", vector=query, k=50)
    for hit in hits:  # every item has the word
        assert "words->text" in {share.route for share in hit.contributions}
    assert_explained(hits)


@pytest.mark.parametrize("fusion", ["weighted", "rrf", "max"])
def test_every_fusion_explains_negative_parts_and_feedback(tmp_path, fusion):
    with Host(dated_deployment(tmp_path / "store", fusion={"type": fusion})) as host:
        host.add([Item(id=str(i), text=t) for i, t in enumerate(["red", "green red", "sea"])])
        hits = host.search(text="red", negative="green", unlike=["2"], explain=True)
        assert ids(hits) == ["0", "1"]
        assert "not text->text" in hits[1].explanation
        for hit in hits:
            assert hit.score == sum(share.value for share in hit.contributions)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"negative": "green"}, "nothing to search for"),
        ({"text": "red", "negative": {"sound": b"x"}}, "no route leads from sound"),
        ({"text": "red", "negative": ""}, "empty"),
        ({"text": "red", "negative": 3}, "negative"),
        ({"text": "red", "like": "red"}, "like is one string"),
        ({"text": "red", "like": ["nobody"]}, "there is no item 'nobody'"),
        ({"text": "red", "unlike": ["'; drop table items; --"]}, "there is no item"),
        ({"text": "red", "weights": {"imag": 2}}, "Did you mean 'image'"),
        ({"text": "red", "weights": {"image": -1}}, "weights.image"),
        ({"text": "red", "weights": {"image": float("nan")}}, "weights.image"),
        ({"text": "red", "weights": {"image": 0, "text": 0}}, "nothing to search for"),
        ({"text": "red", "wieghts": {"image": 2}}, "Did you mean 'weights'"),
    ],
)
def test_a_wish_that_cannot_be_met_is_one_clear_line(colours, query, told):
    with pytest.raises((QueryError, DecodeError), match=told) as caught:
        colours.search(**query)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
