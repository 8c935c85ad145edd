"""Answers: for users, sessions, items and nobody; filtered, explained, and following events."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from tiepoint.errors import InputError
from tiepoint_recommendation.live.asks import Ask
from tiepoint_recommendation.live.filters import Filters
from tiepoint_recommendation.storage.catalogue import CatalogueStore
from tiepoint_recommendation.types import Event, Product


def ids(answered):
    return [one.id for one in answered.items]


def alike(service, answered):
    shelf = service.models.shelf
    vectors = shelf.vectors[[shelf.model.number_of[id_] for id_ in ids(answered)]]
    return (vectors @ vectors.T).mean()


def kinds(answered, shop):
    kind = {item.id: item.kind for item in shop.items}
    return [kind[one.id] for one in answered.items]


def test_answers_recover_the_planted_tastes(service, shop):
    numbers = {item.id: number for number, item in enumerate(shop.items)}
    popular = [numbers[id_] for id_ in ids(service.recommend(Ask(user="nobody", k=144)))]
    ours, theirs = [], []
    for user, shopper in enumerate(shop.shoppers):
        seen = {numbers[event.item] for event in shop.events if event.user == shopper.id}
        found = [numbers[id_] for id_ in ids(service.recommend(Ask(user=shopper.id, k=10)))]
        there = [number for number in popular if number not in seen]
        likings = shop.likings[user]
        chance, perfect = likings[there].mean(), np.sort(likings[there])[-10:].mean()
        ours.append((likings[found].mean() - chance) / (perfect - chance))
        theirs.append((likings[there[:10]].mean() - chance) / (perfect - chance))
    # 0 is chance and 1 is perfect.
    assert np.mean(ours) > 0.5
    assert np.mean(ours) > np.mean(theirs) + 0.25


def test_the_next_answer_knows_an_event(service, shop):
    lamp, mug = (next(one for one in shop.items if one.kind == kind) for kind in ("lamp", "mug"))
    before = service.recommend(Ask(user="newcomer", k=8))
    assert not before.known
    service.record_event(Event("newcomer", lamp.id, "click", time.time()))
    after = service.recommend(Ask(user="newcomer", k=8))
    assert after.known
    assert ids(after) != ids(before)
    assert lamp.id not in ids(after)
    service.record_event(Event("newcomer", mug.id, "click", time.time() + 1))
    assert ids(service.recommend(Ask(user="newcomer", k=8))) != ids(after)


def test_somebody_new_gets_what_is_popular_and_varied(service, shop):
    answered = service.recommend(Ask(user="nobody", k=10))
    assert set(answered.items[0].parts) == {"popularity"}
    plain = service.recommend(Ask(user="nobody", k=10, diversity=0.0))
    assert alike(service, answered) < alike(service, plain)
    scores = [one.score for one in plain.items]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > scores[-1]


def test_a_session_of_somebody_unknown_makes_a_profile(service, shop):
    chairs = [one.id for one in shop.items if one.kind == "chair"][:3]
    for place, item in enumerate(chairs):
        service.record_event(Event("visitor", item, "view", time.time() + place, session="s1"))
    answered = service.recommend(Ask(session="s1", k=10))
    assert answered.known
    assert ids(answered) == ids(service.recommend(Ask(user="visitor", k=10)))
    assert ids(answered) == ids(service.recommend(Ask(user="visitor", session="s1", k=10)))


def test_items_stand_for_a_session_that_was_not_told(service, shop):
    chairs = [one.id for one in shop.items if one.kind == "chair"][:3]
    answered = service.recommend(Ask(items=(*chairs, "no-such-item"), k=10))
    assert answered.known
    assert answered.unknown_items == ("no-such-item",)
    assert not set(ids(answered)) & set(chairs)
    likely = kinds(answered, shop)
    assert sum(kind in ("chair", "cushion") for kind in likely) >= 4


def test_what_was_hidden_does_not_come_back_whatever_is_left_out(open_service, shop):
    service = open_service(leave_out="nothing", diversity=0.0)
    user = shop.shoppers[0].id
    first = ids(service.recommend(Ask(user=user, k=5)))[0]
    service.record_event(Event(user, first, "hide", time.time()))
    assert first not in ids(service.recommend(Ask(user=user, k=144)))


def test_what_was_bought_is_left_out_and_what_was_seen_may_come_again(open_service, shop):
    service = open_service(leave_out="bought")
    now = time.time()
    seen, bought = (one.id for one in [one for one in shop.items if one.stock][:2])
    service.record_events(
        [Event("buyer", seen, "view", now), Event("buyer", bought, "purchase", now + 1)]
    )
    found = ids(service.recommend(Ask(user="buyer", k=144)))
    assert seen in found
    assert bought not in found


def test_every_filter_holds(service, shop):
    user = shop.shoppers[0].id
    by_id = {item.id: item for item in shop.items}

    def items(**wanted):
        answered = service.recommend(Ask(user=user, k=144, filters=Filters(**wanted)))
        return [by_id[id_] for id_ in ids(answered)]

    assert all(item.stock > 0 for item in items())
    assert any(item.stock == 0 for item in items(in_stock=False))
    assert all(20 <= item.price <= 50 for item in items(least_price=20, most_price=50))
    assert {item.brand for item in items(brands=("Alder",))} == {"Alder"}
    assert {item.kind for item in items(categories=("lamp", "mug"))} == {"lamp", "mug"}
    one = items()[0]
    assert one not in items(exclude=(one.id,))
    days = (time.time() - shop.end_s) / 86_400 + 30
    fresh = items(fresh_days=days)
    assert fresh
    assert all(item.added_s >= time.time() - days * 86_400 for item in fresh)


def test_an_empty_answer_says_which_filter_left_nothing(service, shop):
    answered = service.recommend(Ask(user=shop.shoppers[0].id, filters=Filters(most_price=0.01)))
    assert answered.items == ()
    assert "`most_price` left out the last" in answered.empty_because
    seen_all = [Event("fan", item.id, "view", time.time() + n) for n, item in enumerate(shop.items)]
    service.record_events(seen_all)
    assert "`seen`" in service.recommend(Ask(user="fan")).empty_because
    unknown = service.recommend(Ask(user="fan", filters=Filters(brands=("Nobody",))))
    assert "`brands`" in unknown.empty_because


def test_diversity_makes_an_answer_less_alike(service, shop):
    user = max(shop.shoppers, key=lambda one: one.visits_per_day).id
    plain, varied = (service.recommend(Ask(user=user, k=10, diversity=d)) for d in (0.0, 0.7))
    assert alike(service, varied) < alike(service, plain) - 0.02


def test_reasons_name_what_was_done_and_why(service, shop):
    now = time.time()
    chairs = [one for one in shop.items if one.kind == "chair"][:2]
    service.record_events(
        [
            Event("sitter", chairs[0].id, "view", now),
            Event("sitter", chairs[1].id, "share", now + 1),
        ]
    )
    first = service.recommend(Ask(user="sitter", explain=True)).items[0]
    assert first.reasons.words.startswith("because you ")
    assert f"shared {chairs[1].title}" in first.reasons.words
    assert {one.did for one in first.reasons.because} <= {"looked at", "shared"}
    assert first.score == pytest.approx(sum(first.parts.values()), abs=1e-3)


def test_similar_items_are_alike_and_complementary_ones_go_along(service, shop):
    by_id = {item.id: item for item in shop.items}
    right, along = [], []
    for item in [one for one in shop.items if one.stock][:40]:
        found = service.similar(item.id, k=5)
        assert item.id not in ids(found)
        right += [by_id[id_].kind == item.kind for id_ in ids(found)]
        goes = service.similar(item.id, relation="complementary", k=5)
        assert all(by_id[id_].kind != item.kind for id_ in ids(goes))
        along += [by_id[id_].kind == _goes_with(item.kind) for id_ in ids(goes)]
    assert np.mean(right) > 0.5  # by chance 0.08
    assert np.mean(along) > 0.3  # by chance 0.09


def _goes_with(kind):
    from tiepoint_recommendation.simulation.catalogue import KINDS

    return KINDS[kind]


def test_an_unknown_item_is_told(service):
    with pytest.raises(InputError, match="no item 'nowhere'"):
        service.similar("nowhere")
    with pytest.raises(InputError, match="no item 'nowhere'"):
        service.explain("u0000", "nowhere")


def test_explain_gives_the_rank_or_the_filter(service, shop):
    user = shop.shoppers[0].id
    answered = service.recommend(Ask(user=user, k=5, diversity=0.0))
    told = service.explain(user, answered.items[0].id)
    assert (told.rank, told.left_out_by) == (1, None)
    assert told.score == pytest.approx(answered.items[0].score, abs=1e-3)
    seen = next(event.item for event in shop.events if event.user == user)
    assert service.explain(user, seen).left_out_by in ("seen", "in_stock")
    sold_out = next(item.id for item in shop.items if item.stock == 0)
    assert service.explain("nobody", sold_out).left_out_by == "in_stock"


def test_prices_and_stocks_count_at_once(service, shop):
    user = shop.shoppers[0].id
    first = service.recommend(Ask(user=user, k=3)).items[0].id
    product = service.catalogue.get([first])[first]
    service.put_products([replace(product, stock=0)])
    assert first not in ids(service.recommend(Ask(user=user, k=144)))


def test_one_product_is_put_without_reading_the_others(service, monkeypatch):
    service.recommend(Ask(user="u0003"))  # loads the model and the catalogue
    first = service.models.shelf
    monkeypatch.setattr(CatalogueStore, "all", None)  # whoever reads all of it fails
    one, other = (service.catalogue.get([f"i{n:04d}"])[f"i{n:04d}"] for n in (7, 9))
    changed = replace(one, price=1.5, stock=0, brand="Brand new", category="unheard of")
    service.put_products([changed, Product("unknown to the model", price=3.0)])
    shelf = service.models.shelf
    number, beside = (shelf.model.number_of[item.id] for item in (one, other))
    assert (shelf.price[number], shelf.in_stock[number]) == (1.5, False)
    assert shelf.brand[number] == shelf.brands["Brand new"] not in first.brands.values()
    assert shelf.category[number] == shelf.categories["unheard of"]
    assert shelf.products[one.id] == changed
    assert shelf.price[beside] == first.price[beside] == other.price
    assert first.price[number] == one.price  # answers under way go on with what they had
    service.catalogue.remove([other.id])
    service.models.read_catalogue()
    assert not service.models.shelf.offered[beside]
    assert other.id not in service.models.shelf.products


def test_the_changed_shelf_is_the_one_that_is_read_anew(service):
    service.recommend(Ask(user="u0003"))
    some = [replace(one, price=2.0, brand="Lux") for one in service.catalogue.all()[:20]]
    service.put_products(some)
    service.catalogue.remove(["i0100", "i0101"])
    service.models.read_catalogue()
    changed = service.models.shelf
    service.models.take(changed.model.generation)
    anew = service.models.shelf
    assert changed.products == anew.products
    for name in ("offered", "price", "stock", "added_s"):
        assert np.array_equal(
            getattr(changed, name), getattr(anew, name), equal_nan=name != "offered"
        )
    for column, names in (("brand", "brands"), ("category", "categories")):
        for name, code in getattr(anew, names).items():
            was = getattr(changed, column) == getattr(changed, names)[name]
            assert np.array_equal(was, getattr(anew, column) == code)


def test_replicas_agree_on_profiles(store, open_service, shop):
    one, other = open_service(), open_service()
    lamp = next(item for item in shop.items if item.kind == "lamp")
    one.record_event(Event("traveller", lamp.id, "cart", time.time()))
    asked = Ask(user="traveller", k=10)
    assert other.recommend(asked).known
    assert ids(one.recommend(asked)) == ids(other.recommend(asked))


def test_a_flood_of_one_robot_and_the_future_are_refused(service):
    now = time.time()
    flood = [Event("robot", "i0001", "view", now - 1 + n * 1e-6) for n in range(5000)]
    told = service.record_events([*flood, Event("u", "i0001", "view", now + 10 * 86_400)])
    assert told.kept == 3001
    assert told.refused == 2000
    assert service.health()["refused_events"] == {"robot": 1999, "future": 1}
