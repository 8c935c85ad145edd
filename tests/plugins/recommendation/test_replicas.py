"""Two processes on one database: what one is told, the other knows at its next answer."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.plugins.recommendation.shops import copied, fill, service_of
from tiepoint_recommendation.live.asks import Ask
from tiepoint_recommendation.types import Event

REPLICA = """
import json, sys
from pathlib import Path
from tests.plugins.recommendation.shops import service_of
from tiepoint_recommendation.live.asks import Ask
from tiepoint_recommendation.types import Event
with service_of(Path(sys.argv[1]), sys.argv[2] or None) as service:
    for line in sys.stdin:
        what, told = json.loads(line)
        if what == "event":
            answer = service.record_event(Event(**told)).kept
        else:
            answered = service.recommend(Ask(**told))
            answer = [answered.known, *(one.id for one in answered.items)]
        print(json.dumps(answer), flush=True)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request, filled, shop, tmp_path):
    """Two stores' folders and the database that they share."""
    if request.param == "sqlite":
        folder = copied(filled, tmp_path / "one")
        return folder, folder, ""
    url = request.getfixturevalue("postgresql")
    fill(shop, tmp_path / "one", url)
    return tmp_path / "one", copied(tmp_path / "one", tmp_path / "other"), url


def test_two_processes_agree_on_users_and_sessions(shared):
    here, there, url = shared
    process = subprocess.Popen(
        [sys.executable, "-c", REPLICA, str(there), url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )

    def other(what, **told):
        process.stdin.write(json.dumps([what, told]) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    def own(service, **told):
        answered = service.recommend(Ask(**told))
        return [answered.known, *(one.id for one in answered.items)]

    with service_of(here, url or None) as service:
        assert not other("ask", user="traveller")[0]
        service.record_event(Event("traveller", "i0003", "cart", time.time(), "visit"))
        for who in ({"user": "traveller"}, {"session": "visit"}):
            assert own(service, **who) == other("ask", **who)
            assert own(service, **who)[0]
        before = own(service, user="traveller")
        clicked = {"user": "traveller", "item": before[1], "kind": "click", "time_s": time.time()}
        assert other("event", **clicked) == 1
        after = own(service, user="traveller")
        assert before[1] not in after
        assert after == other("ask", user="traveller")
    process.stdin.close()
    assert process.wait(30) == 0
