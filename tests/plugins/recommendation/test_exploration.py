"""Exploration, its propensities, and what can be estimated from them."""

from __future__ import annotations

import numpy as np
import pytest

from tiepoint.errors import InputError
from tiepoint_recommendation.exploration.off_policy import inverse_propensity, self_normalised
from tiepoint_recommendation.exploration.policies import Epsilon, ExplorationSettings, Thompson
from tiepoint_recommendation.exploration.thompson import probability_of_best
from tiepoint_recommendation.live.asks import Ask
from tiepoint_recommendation.simulation.shoppers import click_probability
from tiepoint_recommendation.types import Event

NOTHING = np.zeros(8, np.int64)


@pytest.mark.parametrize("policy", [Epsilon(0.3), Thompson()])
def test_propensities_are_the_frequencies_of_choices(policy):
    rng = np.random.default_rng(0)
    shown = np.array([200, 100, 50, 0, 0])
    clicked = np.array([20, 12, 3, 0, 0])
    told, counts = np.zeros(5), np.zeros(5)
    for _ in range(6000):
        choice = policy.choose(shown, clicked, rng)
        counts[choice.position] += 1
        told[choice.position] = choice.propensity
    assert np.abs(counts / 6000 - told).max() < 0.02
    assert told.sum() == pytest.approx(1, abs=0.02)


def test_the_probability_of_the_best_is_exact_for_uniform_ones():
    ones = np.ones(4)
    assert probability_of_best(ones, ones, 2) == pytest.approx(0.25, abs=1e-3)


def test_thompson_tries_what_is_unknown_and_settles_on_what_is_clicked():
    rng = np.random.default_rng(1)
    rates = np.array([0.05, 0.05, 0.3, 0.05])
    shown, clicked = np.zeros(4, np.int64), np.zeros(4, np.int64)
    for _ in range(800):
        position = Thompson().choose(shown, clicked, rng).position
        shown[position] += 1
        clicked[position] += rng.random() < rates[position]
    assert (shown > 5).all()
    assert shown[2] > 600


def test_the_same_request_explores_alike_and_others_otherwise(open_service, shop):
    exploring = ExplorationSettings(policy="epsilon", epsilon=0.9, places=5, seed=4)
    one, other = open_service(exploration=exploring), open_service(exploration=exploring)
    user = shop.shoppers[0].id

    def asked(service, request):
        return [item.id for item in service.recommend(Ask(user=user, request=request)).items]

    assert asked(one, "r1") == asked(other, "r1")
    assert len({tuple(asked(one, f"r{n}")) for n in range(10)}) > 5
    assert len({tuple(asked(one, f"r{n}")[:5]) for n in range(10)}) == 1
    assert all(len(set(asked(one, f"r{n}"))) == 10 for n in range(10))


def test_estimates_find_what_another_policy_earns():
    rng = np.random.default_rng(2)
    rates, n = np.array([0.30, 0.10, 0.05, 0.02]), 20_000
    logging, wanted = Epsilon(0.5), Epsilon(0.1)
    choices = [logging.choose(NOTHING[:4], NOTHING[:4], rng) for _ in range(n)]
    positions = np.array([choice.position for choice in choices])
    logged = np.array([choice.propensity for choice in choices])
    rewards = (rng.random(n) < rates[positions]).astype(float)
    target = wanted.propensities(positions == 0, np.full(n, 4))
    truth = 0.9 * rates[0] + 0.1 * rates.mean()
    for estimate in (
        inverse_propensity(rewards, logged, target),
        self_normalised(rewards, logged, target),
    ):
        assert estimate.low < truth < estimate.high
        assert estimate.high - estimate.low < 0.02
        assert estimate.effective < n == estimate.rows
    assert abs(rewards.mean() - truth) > 0.03  # what the log alone would say


def test_estimates_refuse_what_they_cannot_be_made_from():
    none = np.zeros(0)
    with pytest.raises(InputError, match="nothing was logged"):
        inverse_propensity(none, none, none)
    with pytest.raises(InputError, match="not above 0"):
        inverse_propensity(np.ones(1), np.zeros(1), np.ones(1))
    with pytest.raises(InputError, match="none of the logged"):
        self_normalised(np.ones(1), np.ones(1), np.zeros(1))


def test_a_service_logs_what_it_explored_and_estimates_from_it(open_service, shop):
    exploring = ExplorationSettings(policy="epsilon", epsilon=0.5, places=2, candidates=10)
    service = open_service(exploration=exploring)
    rng = np.random.default_rng(3)
    numbers = {item.id: number for number, item in enumerate(shop.items)}
    import time

    for user, shopper in enumerate(shop.shoppers):
        clicks = click_probability(shop.likings[user] + 1)
        for one in service.recommend(Ask(user=shopper.id, k=6)).items:
            if rng.random() < clicks[numbers[one.id]]:
                service.record_event(Event(shopper.id, one.id, "click", time.time()))
    found = service.estimate_epsilon(0.0)
    explored = service.impressions.explored()
    assert found["ips"].rows == len(explored.clicked) == 2 * len(shop.shoppers)
    assert 0 < explored.clicked.mean() < 1
    assert found["snips"].low <= found["ips"].value <= found["snips"].high
    with pytest.raises(InputError, match="epsilon"):
        service.estimate_epsilon(2.0)
