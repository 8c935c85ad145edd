"""From events to histories: cleaned, weighted, and in an order that tells nothing of later."""

from __future__ import annotations

import numpy as np

from tiepoint_recommendation.interactions import EventLog, event_log
from tiepoint_recommendation.live.guard import Guard
from tiepoint_recommendation.settings import EventSettings
from tiepoint_recommendation.splits import leave_last, sampled, strict_cold, time_split
from tiepoint_recommendation.types import Event

Row = tuple[str, str, str, float, None]


def row(user: str, item: str, time_s: float, kind: str = "view") -> Row:
    return user, item, kind, time_s, None


def items_of(log: EventLog, user: str) -> list[str]:
    return [log.items[item] for item in log.item[log.user == log.users.index(user)]]


def test_events_come_in_any_order_and_are_put_in_theirs() -> None:
    log, _ = event_log([row("u", "b", 2), row("u", "c", 3), row("u", "a", 1)], EventSettings())
    assert items_of(log, "u") == ["a", "b", "c"]


def test_equal_times_are_ordered_by_nothing_but_the_ids() -> None:
    rows = [row("u", f"i{n}", 1.0) for n in range(30)]
    forward, _ = event_log(rows, EventSettings())
    backward, _ = event_log([*rows[::-1], row("v", "i3", 9.0)], EventSettings())
    assert items_of(forward, "u") == items_of(backward, "u")
    assert items_of(forward, "u") != [f"i{n}" for n in range(30)]


def test_a_burst_counts_once_and_a_robot_not_at_all() -> None:
    burst = [row("u", "i", 100.0 + n) for n in range(50)]
    robot = [row("bot", f"i{n % 900}", float(n) / 100) for n in range(5000)]
    log, cleaning = event_log([*burst, *robot], EventSettings())
    assert cleaning.repeats == 49
    assert cleaning.robots == ("bot",)
    assert cleaning.robot_events == 5000
    assert len(log) == 1


def test_a_robot_leaves_the_log_as_it_would_be_without() -> None:
    people = [row(f"u{n % 7}", f"i{n % 5}", 1e6 * n) for n in range(40)]
    robot = [row("bot", f"i{n % 900}", float(n) / 100) for n in range(5000)]
    without, _ = event_log(people, EventSettings())
    among, _ = event_log([*robot, *people, *robot], EventSettings())
    assert among.users == without.users
    assert set(among.items) == set(without.items)
    for user in without.users:
        assert items_of(among, user) == items_of(without, user)


def test_a_robot_that_the_service_has_stopped_is_one_for_the_fit() -> None:
    settings = EventSettings(robot_events_per_hour=100)
    flood = [Event("bot", f"i{n}", "view", 36_000.0 + n / 10) for n in range(5000)]
    kept = Guard(100).passed(flood, 1e9)
    assert len(kept) == 101
    rows = [row(one.user, one.item, one.time_s) for one in kept]
    log, cleaning = event_log([*rows, row("u", "i1", 5.0)], settings)
    assert cleaning.robots == ("bot",)
    assert (log.users, log.items) == (("u",), ("i1",))


def test_stronger_events_count_more_and_the_last_word_on_an_item_holds() -> None:
    rows = [
        row("u", "seen", 1),
        row("u", "bought", 2),
        row("u", "bought", 500, "purchase"),
        row("u", "hidden", 3),
        row("u", "hidden", 4, "hide"),
        row("u", "forgiven", 5, "hide"),
        row("u", "forgiven", 6, "like"),
    ]
    log, _ = event_log(rows, EventSettings())
    history = log.histories(1000.0, 5.0)[0]
    strength = {
        log.items[i]: float(s) for i, s in zip(history.items, history.strengths, strict=True)
    }
    assert strength["bought"] == 5.0
    assert strength["seen"] == 1.0
    assert strength["hidden"] < 0 < strength["forgiven"]


def test_weights_of_kinds_are_the_deployments() -> None:
    settings = EventSettings(weights={"view": 0.0, "gaze": 7.0})
    log, cleaning = event_log([row("u", "a", 1), row("u", "b", 2, "gaze")], settings)
    assert cleaning.ignored == 1
    assert log.strength.tolist() == [7.0]


def test_leaving_the_last_out_leaves_nothing_from_after_in() -> None:
    rows = [row("u", "a", 1), row("u", "b", 2), row("u", "c", 3), row("u", "a", 4)]
    rows += [row("v", "a", 1)]
    log, _ = event_log(rows, EventSettings())
    split = leave_last(log, 5.0)
    assert [log.items[i] for i in np.concatenate(split.wanted)] == ["c"]
    assert items_of(split.train, "u") == ["a", "b"]
    assert split.asked.times_s.max() == 2.0


def test_a_time_split_trains_on_before_and_follows_histories_after() -> None:
    rows = [row("u", f"i{n}", float(n)) for n in range(10)]
    log, _ = event_log(rows, EventSettings())
    split = time_split(log, 5.0, share=0.7)
    assert split.train.time_s.max() < 7
    assert [log.items[wanted[0]] for wanted in split.wanted] == ["i7", "i8", "i9"]
    assert split.asked.lengths.tolist() == [7, 8, 9]
    assert all(one.times_s.max() < n for one, n in zip(split.asked, (7, 8, 9), strict=True))


def test_cold_items_have_no_event_and_are_all_that_is_ranked() -> None:
    generator = np.random.default_rng(0)
    rows = [row(f"u{n % 9}", f"i{generator.integers(20)}", float(n) * 100) for n in range(200)]
    log, _ = event_log(rows, EventSettings())
    split = strict_cold(log, 5.0, seed=0)
    cold = np.flatnonzero(split.gallery)
    assert len(cold) == 4
    assert not np.isin(split.train.item, cold).any()
    assert not np.isin(split.asked.items, cold).any()
    assert np.isin(np.concatenate(split.wanted), cold).all()


def test_a_sample_of_queries_keeps_what_belongs_to_each() -> None:
    rows = [row(f"u{user}", f"i{user + n}", float(n)) for user in range(40) for n in range(3)]
    log, _ = event_log(rows, EventSettings())
    few = sampled(leave_last(log, 5.0), 7, seed=0)
    assert len(few.asked) == len(few.wanted) == len(few.users) == 7
    for user, wanted in zip(few.users, few.wanted, strict=True):
        assert log.items[wanted[0]] == f"i{int(log.users[user][1:]) + 2}"
