"""Sessions of a host: they outlive it, expire, and stay as they were after a bad turn."""

from __future__ import annotations

import sqlite3
import stat
import time

import pytest

from tests.core.query.conftest import colour_items, dated_deployment, ids, picture
from tests.small_encoders import COLOUR_COMPONENTS, registered
from tiepoint import Host
from tiepoint.conversation.store import FILE, SessionStore
from tiepoint.errors import FilterError, QueryError, StoreError


@pytest.fixture(autouse=True, scope="module")
def small_components():
    with registered(*COLOUR_COMPONENTS):
        yield


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("sessions") / "store"


@pytest.fixture(scope="module")
def host(store, small_components):
    with Host(dated_deployment(store)) as host:
        host.add(colour_items())
        yield host


@pytest.fixture
def session(host, request):
    name = f"s{abs(hash(request.node.name))}"
    return lambda text=None, **more: host.search(text=text, session=name, **more), name


def test_turns_narrow_and_take_away(host, session):
    turn, name = session
    assert ids(turn("red"))[0] in ("flag", "poster")
    assert ids(turn("with green"))[0] == "flag"
    last = turn("without blue", k=7)
    assert ids(last)[-1] in ("blue", "sea")
    info = host.sessions.get(name)
    assert (info.turns, info.query) == (3, "red with green; without: blue")
    for hit in last:
        assert hit.score == sum(share.value for share in hit.contributions)


def test_an_image_is_kept_for_the_turns_that_follow(host, session):
    turn, _ = session
    assert ids(turn(image=picture("blue")))[0] == "blue"
    hits = turn("without sea", k=7)
    assert {"image->image", "image->text"} <= {s.route for h in hits for s in h.contributions}
    assert "not words->text" in {s.route for h in hits for s in h.contributions}


def test_an_image_may_be_unwanted_in_a_session(session):
    turn, _ = session
    turn("red", negative={"image": picture("green")})
    hits = turn("a flag", k=7)
    taken = {s.route for h in hits for s in h.contributions if s.value < 0 and "not" in s.route}
    assert "not image->text" in taken


def test_filters_and_exclusions_stay(session):
    turn, _ = session
    turn("red", where="price >= 2", exclude=["flag"])
    found = ids(turn("blue", where='missing shelf or shelf == "a"', k=7))
    assert set(found) == {"green", "blue", "leaf", "sea"}


def test_hits_are_named_by_their_rank_and_pages_go_on(session):
    turn, _ = session
    first = ids(turn("red", k=3))
    second = ids(turn("more", k=3))
    assert not set(first) & set(second)
    liked = turn("more like the first one", k=3)
    assert second[0] not in ids(liked)
    assert any(s.route.startswith("like->") for hit in liked for s in hit.contributions)


def test_a_session_goes_on_in_another_host(tmp_path):
    for text, expected in (("红色", "红色"), ("不要 green", "红色; without: green")):
        with Host(dated_deployment(tmp_path / "store")) as host:
            if text == "红色":
                host.add(colour_items())
            host.search(text=text, session="mine")
            assert [info.query for info in host.sessions.all()] == [expected]
    file = tmp_path / "store" / FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_turn_that_fails_leaves_the_session_as_it_was(host, session):
    turn, name = session
    turn("red", k=3)
    before = host.sessions.get(name)
    for text, more, error in (
        ("like the ninth", {}, QueryError),
        ("blue", {"where": "prise < 3"}, FilterError),
        ("blue", {"weights": {"imag": 1}}, QueryError),
    ):
        with pytest.raises(error):
            turn(text, **more)
    assert host.sessions.get(name) == before


def test_a_session_is_forgotten_on_request(host, session):
    turn, name = session
    turn("red")
    assert host.sessions.reset(name)
    assert not host.sessions.reset(name)
    with pytest.raises(QueryError, match="nothing to search for"):
        turn("without green")


def test_sessions_expire(tmp_path, host, session):
    turn, name = session
    turn("red")
    path = tmp_path / "sessions.sqlite"
    state = host.sessions._store.load(name)
    kept = SessionStore(path, hours=0.2 / 3600)
    kept.save("old", state)
    assert kept.load("old") == state
    time.sleep(0.25)
    assert kept.load("old") is None
    kept.save("new", state)
    rows = sqlite3.connect(path).execute("SELECT name FROM sessions").fetchall()
    assert rows == [("new",)]


@pytest.mark.parametrize("name", ["", "a b", "../../x", "a" * 65, 3, "'; DROP TABLE sessions; --"])
def test_a_name_that_is_none_is_refused(host, name):
    with pytest.raises(QueryError, match="no name of a session"):
        host.search(text="red", session=name)


def test_what_is_said_is_data(host, session):
    turn, name = session
    turn("red'); DROP TABLE sessions; --")
    assert host.sessions.get(name).text == "red'); DROP TABLE sessions; --"


def test_a_session_on_other_vectors_is_refused(tmp_path):
    with Host(dated_deployment(tmp_path / "store")) as host:
        host.add(colour_items())
        host.search(text="red", session="mine")
        state = host.sessions._store.load("mine")
        state.fingerprints["image"] = "another encoder"
        host.sessions._store.save("mine", state)
        with pytest.raises(QueryError, match="by other vectors"):
            host.search(text="blue", session="mine")


def test_a_damaged_file_is_told_and_searches_without_sessions_go_on(tmp_path):
    with Host(dated_deployment(tmp_path / "store")) as host:
        host.add(colour_items())
        (tmp_path / "store" / FILE).write_bytes(b"no database" * 1000)
        with pytest.raises(StoreError, match="sessions cannot be used"):
            host.search(text="red", session="mine")
        assert host.search(text="red")
