"""What was shown to a user is gone, too: also in sessions, from other processes, after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import select

from tests.plugins.recommendation.shops import service_of
from tests.plugins.recommendation.test_refit import without_content
from tiepoint_recommendation import forgetting
from tiepoint_recommendation.live.asks import Ask
from tiepoint_recommendation.live.tables import impressions
from tiepoint_recommendation.settings import FitSettings
from tiepoint_recommendation.storage import forgotten
from tiepoint_recommendation.types import Event

ANN = "ann-the-particular"


def visited(service):
    """Let Ann come by without a name, then with it; return whom of these impressions are of."""
    now = time.time()
    service.recommend(Ask(session="visit-7"))
    service.record_event(Event(ANN, "i0003", "click", now, "visit-7"))
    service.recommend(Ask(user=ANN, session="visit-7"))
    service.recommend(Ask(user="bob", session="visit-8"))
    return shown_to(service)


def shown_to(service):
    service._log.flush()
    with service.database.reading() as session:
        return set(session.scalars(select(impressions.c.user))) & {ANN, "visit-7", "bob"}


def proof(service, user=ANN):
    return forgetting.prove(service.database, service.models.store, user, FitSettings())


def test_what_was_shown_in_a_users_sessions_is_removed_and_others_stay(open_service):
    service = open_service()
    without_content(service)
    assert visited(service) == {ANN, "visit-7", "bob"}
    assert proof(service).impressions == 20
    assert service.forget(ANN) == (1, 20)
    assert shown_to(service) == {"bob"}
    assert proof(service).holds
    assert b"visit-7" not in b"".join(
        path.read_bytes() for path in service.models.store.rglob("*") if path.is_file()
    )


def test_what_another_process_has_yet_to_write_is_not_written(open_service):
    service, other = open_service(), open_service()
    without_content(service)
    visited(service)
    other.recommend(Ask(session="visit-7"))
    other.recommend(Ask(user=ANN))
    service.forget(ANN)
    assert shown_to(other) == {"bob"}
    assert proof(service).holds
    other.recommend(Ask(user=ANN))  # who comes back is somebody new
    assert shown_to(other) == {"bob", ANN}


def test_impressions_that_were_put_back_are_found_out(open_service):
    service = open_service()
    without_content(service)
    visited(service)
    with service.database.reading() as session:
        [row, *_] = session.execute(select(impressions).where(impressions.c.user == "visit-7"))
    service.forget(ANN)
    with service.database.writing() as session:
        session.execute(impressions.insert(), dict(row._mapping))
    assert proof(service).impressions == 1
    assert not proof(service).holds


def test_a_forgetting_that_was_killed_is_ended_by_the_next_service(open_service, store):
    service = open_service()
    without_content(service)
    words = ["recommend", "forget", "--store", str(store), "--user", "u0005"]
    code = "import sys; from tiepoint.cli.main import main; sys.exit(main(sys.argv[1:]))"
    process = subprocess.Popen([sys.executable, "-c", code, *words], cwd=Path(__file__).parents[3])
    while forgotten.unfinished(service.database) is None:
        assert process.poll() is None
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not proof(service, "u0005").holds
    again = service_of(store)
    again.start()
    try:
        deadline = time.monotonic() + 60
        while not proof(service, "u0005").holds and time.monotonic() < deadline:
            time.sleep(0.2)
        assert proof(service, "u0005").holds
        assert forgotten.unfinished(service.database) is None
        assert again.health()["refit"]["status"] == "ok"
    finally:
        again.stop()
