"""Events of many callers at once: few transactions, and each caller is told of its own."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import event, text

from tiepoint.errors import StoreError
from tiepoint_recommendation.live.asks import Ask
from tiepoint_recommendation.types import Event


def at_once(count, what):
    """Call `what` with 0, 1, ... in threads that begin together; return what they gave."""
    gate, outcomes = threading.Barrier(count), [None] * count

    def call(number):
        gate.wait()
        try:
            outcomes[number] = what(number)
        except StoreError as error:
            outcomes[number] = error

    threads = [threading.Thread(target=call, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return outcomes


def clicks(service, item):
    return service.impressions.counts().get(item, (0, 0))[1]


def test_callers_share_transactions_and_each_is_told_of_its_own(service):
    commits = []
    event.listen(service.database.engine(), "commit", commits.append)
    now = time.time()

    def tell(number):
        user = f"caller-{number % 20}"  # every event is told twice
        return [service.record_event(Event(user, f"i{n:04d}", "view", now + n)) for n in range(5)]

    told = [one for many in at_once(40, tell) for one in many]
    assert sum(one.kept for one in told) == sum(one.repeated for one in told) == 100
    assert all(one.kept + one.repeated == 1 for one in told)
    assert len(commits) < 100
    assert len(service.events.recent("caller-3")) == 5


def test_a_click_counts_for_what_was_shown_just_before(service):
    shown = service.recommend(Ask(user="ann")).items[0].id
    before = clicks(service, shown)
    service.record_event(Event("ann", shown, "click", time.time()))
    assert clicks(service, shown) == before + 1


def test_a_database_that_refuses_is_told_to_every_caller_and_impressions_wait_on(service):
    shown = service.recommend(Ask(user="ann")).items[0].id
    before = clicks(service, shown)
    refuse = "CREATE TRIGGER refuse BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no'); END"
    with service.database.writing() as session:
        session.execute(text(refuse))
    click = Event("ann", shown, "click", time.time())
    outcomes = at_once(8, lambda _: service.record_event(click))
    assert all(isinstance(one, StoreError) for one in outcomes)
    with service.database.writing() as session:
        session.execute(text("DROP TRIGGER refuse"))
    assert service.record_event(click).kept == 1
    assert clicks(service, shown) == before + 1


@pytest.mark.parametrize("id_", ["a\0b", "half \ud800 of a pair"])
def test_an_id_that_no_database_takes_is_refused_alone(service, id_):
    now = time.time()
    told = service.record_events([Event(id_, "i0001", "view", now), Event("ann", "x", "view", now)])
    assert (told.kept, told.refused) == (1, 1)
    assert service.health()["refused_events"] == {"id": 1}
