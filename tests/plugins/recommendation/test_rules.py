"""Business rules: what they do, when they hold, their preview, and their undoing."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from pydantic import ValidationError

from tests.waiting import until
from tiepoint.errors import InputError
from tiepoint_recommendation.live.asks import Ask
from tiepoint_recommendation.live.filters import Filters
from tiepoint_recommendation.rules.rule import Rule, Selector


@pytest.fixture
def ask(shop):
    return Ask(user=shop.shoppers[0].id, k=10)


def ids(answered):
    return [one.id for one in answered.items]


def rule(action, name="a rule", **options):
    return Rule(name=name, action=action, **options)


def test_a_pin_takes_its_place_unless_the_item_may_not_be_shown(service, ask, shop):
    last = ids(service.recommend(ask.model_copy(update={"k": 144})))[-1]
    service.apply_rule(rule("pin", select=Selector(items=(last,)), place=3), "ann")
    answered = service.recommend(ask)
    assert ids(answered)[2] == last
    assert answered.items[2].pinned
    assert len(ids(answered)) == 10 == len(set(ids(answered)))
    excluded = ask.model_copy(update={"filters": Filters(exclude=(last,))})
    assert last not in ids(service.recommend(excluded))


def test_pins_come_in_the_order_in_which_they_are_named(service, ask):
    last = ids(service.recommend(ask.model_copy(update={"k": 144})))[-3:]
    service.apply_rule(rule("pin", select=Selector(items=tuple(last)), place=1), "ann")
    assert ids(service.recommend(ask))[:3] == last


def test_boost_and_bury_move_a_category(service, ask, shop):
    kind = {item.id: item.kind for item in shop.items}

    def places():
        found = ids(service.recommend(ask.model_copy(update={"k": 144, "diversity": 0.0})))
        return sum(place for place, id_ in enumerate(found) if kind[id_] == "rug")

    plain = places()
    lifted = service.apply_rule(rule("boost", select=Selector(category="rug"), strength=2), "ann")
    assert places() < plain
    service.undo_rule("ann", lifted)
    service.apply_rule(rule("bury", select=Selector(category="rug"), strength=2), "ann")
    assert places() > plain


def test_a_boost_is_told_as_a_part_of_the_score(service, ask):
    service.apply_rule(rule("boost", select=Selector(tag="lamp"), strength=5), "ann")
    first = service.recommend(ask).items[0]
    assert first.parts["rules"] > 0
    assert first.score == pytest.approx(sum(first.parts.values()), abs=1e-3)


def test_excluded_products_never_show_and_the_answer_says_so(service, shop):
    service.apply_rule(rule("exclude", select=Selector(category="lamp")), "ann")
    lamps = Ask(user="u0000", filters=Filters(categories=("lamp",)))
    answered = service.recommend(lamps)
    assert answered.items == ()
    assert "`rules`" in answered.empty_because


def test_caps_bound_each_brand_and_category(service, ask, shop):
    by_id = {item.id: item for item in shop.items}
    service.apply_rule(rule("cap_brand", most=2), "ann")
    service.apply_rule(rule("cap_category", most=1), "ann")
    found = [by_id[id_] for id_ in ids(service.recommend(ask))]
    assert len(found) == 10
    assert max(Counter(item.brand for item in found).values()) <= 2
    assert max(Counter(item.kind for item in found).values()) <= 1


def test_a_rule_holds_from_its_start_to_its_end(service, ask):
    now = time.time()
    for start, end, holds in (
        (now - 9, now + 9, True),
        (now + 9, None, False),
        (None, now - 9, False),
    ):
        number = service.apply_rule(
            rule("exclude", select=Selector(category="mug"), start_s=start, end_s=end), "ann"
        )
        assert bool(service.recommend(ask).rules) is holds
        service.undo_rule("ann", number)


def test_a_preview_changes_nothing(service, ask):
    before = ids(service.recommend(ask))
    preview = service.preview_rule(
        rule("exclude", select=Selector(items=(before[0],)), start_s=time.time() + 1e6), ask
    )
    assert preview.left == (before[0],)
    assert len(preview.entered) == 1
    assert ids(preview.before) == ids(service.recommend(ask)) == before
    assert service.rules() == []


def test_undoing_takes_back_the_latest_and_keeps_the_record(service, ask):
    before = ids(service.recommend(ask))
    first = service.apply_rule(rule("exclude", select=Selector(items=(before[0],))), "ann")
    second = service.apply_rule(rule("exclude", select=Selector(items=(before[1],))), "ann")
    assert service.undo_rule("bob") == second
    assert service.undo_rule("bob", first) == first
    assert ids(service.recommend(ask)) == before
    with pytest.raises(InputError, match="no rule"):
        service.undo_rule("bob")
    record = service.rules(undone=True)
    assert [(entry.made_by, entry.undone_by) for entry in record] == [("ann", "bob")] * 2


def test_rules_reach_replicas(open_service, ask):
    one, other = open_service(), open_service()
    other.start()
    first = ids(other.recommend(ask))[0]
    one.apply_rule(rule("exclude", select=Selector(items=(first,))), "ann")
    until(lambda: first not in ids(other.recommend(ask)))


def test_a_rule_that_makes_no_sense_is_refused():
    with pytest.raises(ValidationError, match="which products"):
        rule("exclude")
    with pytest.raises(ValidationError, match="ends before"):
        rule("cap_brand", start_s=5, end_s=4)
