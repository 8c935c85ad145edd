"""Experiments: who is in which arm, and what each arm earns."""

from __future__ import annotations

import time

import numpy as np
import pytest

from tiepoint.errors import InputError
from tiepoint_recommendation.experiments.arms import ArmSettings, ExperimentSettings, arm_of
from tiepoint_recommendation.experiments.results import results
from tiepoint_recommendation.live.asks import Ask
from tiepoint_recommendation.simulation.shoppers import click_probability
from tiepoint_recommendation.types import Event

THREE_TO_ONE = ExperimentSettings(
    name="trial",
    arms={"as_is": ArmSettings(share=3), "varied": ArmSettings(share=1, diversity=0.8)},
)


def test_users_stay_in_their_arm_and_arms_get_their_shares():
    arms = [arm_of(THREE_TO_ONE, f"u{number}") for number in range(4000)]
    assert arms == [arm_of(THREE_TO_ONE, f"u{number}") for number in range(4000)]
    assert abs(arms.count("varied") / 4000 - 0.25) < 0.03
    renamed = THREE_TO_ONE.model_copy(update={"name": "again"})
    assert arms != [arm_of(renamed, f"u{number}") for number in range(4000)]


def test_arms_differ_in_what_is_shown(open_service, shop):
    plain = open_service()
    service = open_service(experiment=THREE_TO_ONE)
    users = [shopper.id for shopper in shop.shoppers]

    def changed(arm):
        some = [user for user in users if arm_of(THREE_TO_ONE, user) == arm][:10]
        asks = [Ask(user=user) for user in some]
        assert {service.recommend(ask).arm for ask in asks} == {arm}
        return [
            [one.id for one in service.recommend(ask).items]
            != [one.id for one in plain.recommend(ask).items]
            for ask in asks
        ]

    assert not any(changed("as_is"))
    assert np.mean(changed("varied")) > 0.7


def test_click_through_finds_the_better_arm(open_service, shop):
    arms = {
        "blend": ArmSettings(share=1),
        "worst": ArmSettings(share=1, rankers=dict.fromkeys(_rankers(open_service()), -1.0)),
    }
    service = open_service(experiment=ExperimentSettings(name="sign", arms=arms))
    rng = np.random.default_rng(0)
    numbers = {item.id: number for number, item in enumerate(shop.items)}
    for user, shopper in enumerate(shop.shoppers):
        clicks = click_probability(shop.likings[user] + 1)
        for one in service.recommend(Ask(user=shopper.id, k=10)).items:
            if rng.random() < clicks[numbers[one.id]]:
                service.record_event(Event(shopper.id, one.id, "click", time.time()))
    blend, worst = service.experiment_results()
    assert blend.users + worst.users == len(shop.shoppers)
    assert blend.shown == 10 * blend.users
    assert blend.difference is None
    assert worst.difference_high < 0
    assert blend.low < blend.rate < blend.high


def _rankers(service):
    return service.models.shelf.model.rankers


def test_a_late_click_and_a_plain_view_do_not_count(open_service, shop):
    service = open_service(experiment=THREE_TO_ONE, attribution_hours=1.0)
    first, second, third = service.recommend(Ask(user="u0000", k=3)).items
    now = time.time()
    service.record_events(
        [
            Event("u0000", first.id, "click", now + 7200),
            Event("u0000", second.id, "view", now + 1),
            Event("u0000", third.id, "purchase", now + 2),
        ]
    )
    assert sum(arm.clicked for arm in service.experiment_results()) == 1


def test_intervals_count_users_not_shows():
    rng = np.random.default_rng(1)
    inside = []
    for _ in range(200):
        rates = rng.beta(1, 9, 300)
        shown = rng.integers(1, 40, 300)
        clicked = rng.binomial(shown, rates)
        [one] = results({"a": np.column_stack([shown, clicked])})
        inside.append(one.low < 0.1 < one.high)
    assert 0.9 < np.mean(inside) <= 0.99


def test_results_without_an_experiment_or_without_shows(open_service):
    with pytest.raises(InputError, match="no experiment"):
        open_service().experiment_results()
    empty = open_service(experiment=THREE_TO_ONE).experiment_results()
    assert [arm.shown for arm in empty] == [0, 0]
    assert empty[0].as_dict()["rate"] is None
