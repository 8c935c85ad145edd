"""Other processes reach the owner of a store over its local socket."""

import json
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tiepoint.errors import InputError, QueryError, StoreError, StoreOwnedError, TiepointError
from tiepoint.index.ownership import StoreLock
from tiepoint.owner import OwnerClient, OwnerServer

OWNER = """
import sys, time
from pathlib import Path
from tiepoint.errors import QueryError
from tiepoint.index.ownership import StoreLock
from tiepoint.owner import OwnerServer

def refuse(params):
    raise QueryError("k is 0", where="search", hint="Ask for one at least.")

store = Path(sys.argv[1])
StoreLock(store).acquire()
server = OwnerServer(store, {"echo": lambda params: params, "refuse": refuse,
                             "break": lambda params: {}["absent"]})
server.start()
print("ready", flush=True)
time.sleep(120)
"""


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    store = tmp_path_factory.mktemp("store")
    process = start_owner(store)
    yield store, process
    process.kill()
    process.wait()


def start_owner(store):
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(store)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    return process


def test_another_process_is_answered(owner):
    store, _ = owner
    params = {"text": "ein Fahrrad 自行车", "k": 10, "vector": [0.1, -2.5e-8], "nothing": None}
    assert OwnerClient(store).call("echo", params) == params


def test_a_large_message_goes_both_ways(owner):
    store, _ = owner
    params = {"image": "x" * 8_000_000}
    assert OwnerClient(store).call("echo", params) == params


def test_errors_arrive_as_they_were_raised(owner):
    store, _ = owner
    with pytest.raises(QueryError) as caught:
        OwnerClient(store).call("refuse", {})
    error = caught.value
    assert (error.what, error.where, error.hint) == ("k is 0", "search", "Ask for one at least.")
    assert error.exit_code == 2


def test_an_error_class_of_a_plugin_arrives_as_its_nearest_relative(tmp_path):
    class SpecialError(InputError):
        pass

    def refuse(params):
        raise SpecialError("special")

    with running(tmp_path, {"refuse": refuse}), pytest.raises(InputError, match="special"):
        OwnerClient(tmp_path).call("refuse", {})


def test_an_unexpected_error_does_not_end_the_owner(owner):
    store, _ = owner
    with pytest.raises(StoreError, match="did not answer"):
        OwnerClient(store).call("break", {})
    assert OwnerClient(store).call("echo", {"still": "here"}) == {"still": "here"}


def test_an_unknown_method_is_named_and_the_known_ones_listed(owner):
    store, _ = owner
    with pytest.raises(InputError, match=r"'nonsense'.*break, echo, refuse"):
        OwnerClient(store).call("nonsense", {})


def test_socket_and_token_are_for_this_user_only(owner):
    store, _ = owner
    address = store / "owner.json"
    assert stat.S_IMODE(address.stat().st_mode) == 0o600
    folder = Path(json.loads(address.read_text())["socket"]).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_wrong_token_is_refused(owner, tmp_path):
    store, _ = owner
    address = json.loads((store / "owner.json").read_text())
    (tmp_path / "owner.json").write_text(json.dumps(address | {"token": "0" * 64}))
    with pytest.raises(InputError, match="refused the token"):
        OwnerClient(tmp_path).call("echo", {})


def test_nothing_is_answered_without_a_proof(owner):
    store, _ = owner
    with connected(store) as connection:
        receive(connection)
        send(connection, {"method": "echo", "params": {}})
        assert "refused the token" in receive(connection)["error"]["what"]
        assert connection.recv(1) == b""


def test_an_impostor_at_the_address_is_recognised(tmp_path):
    path = tmp_path / "fake"
    (tmp_path / "owner.json").write_text(json.dumps({"socket": str(path), "token": "a" * 64}))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def impersonate():
            connection, _ = listener.accept()
            with connection:
                send(connection, {"challenge": "c"})
                receive(connection)
                send(connection, {"proof": "p"})

        thread = threading.Thread(target=impersonate)
        thread.start()
        with pytest.raises(InputError, match="does not know its token"):
            OwnerClient(tmp_path).call("echo", {"secret": "s"})
        thread.join()


def test_an_oversized_greeting_is_refused_unread(owner):
    store, _ = owner
    with connected(store) as connection:
        receive(connection)
        connection.sendall(struct.pack(">I", 2**31))
        assert "was refused" in receive(connection)["error"]["what"]


def test_an_oversized_call_is_refused_before_it_is_sent(owner):
    store, _ = owner
    with pytest.raises(InputError, match="at most"):
        OwnerClient(store).call("echo", {"image": "x" * (65 << 20)})


def test_an_oversized_answer_is_an_error_of_one_line(tmp_path):
    with (
        running(tmp_path, {"big": lambda params: {"data": "x" * (65 << 20)}}),
        pytest.raises(InputError, match="at most"),
    ):
        OwnerClient(tmp_path).call("big", {})


def test_silent_callers_do_not_keep_others_waiting(owner):
    store, _ = owner
    with connected(store), connected(store):
        started = time.monotonic()
        assert OwnerClient(store).call("echo", {}) == {}
        assert time.monotonic() - started < 3


def test_a_dead_owner_leaves_nothing_in_the_way(tmp_path):
    process = start_owner(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with pytest.raises(StoreError, match="no process holds the store"):
        OwnerClient(tmp_path).call("echo", {})
    process = start_owner(tmp_path)
    try:
        assert OwnerClient(tmp_path).call("echo", {"a": 1}) == {"a": 1}
    finally:
        process.kill()
        process.wait()


def test_an_owner_without_a_socket_is_named(tmp_path):
    lock = StoreLock(tmp_path)
    lock.acquire()
    try:
        with pytest.raises(StoreOwnedError, match="takes no calls"):
            OwnerClient(tmp_path).call("echo", {})
    finally:
        lock.release()


def test_closing_waits_for_the_call_in_progress_and_removes_the_socket(tmp_path):
    entered, answers = threading.Event(), []

    def slow(params):
        entered.set()
        time.sleep(0.3)
        return {"done": True}

    with running(tmp_path, {"slow": slow}) as server:
        path = Path(json.loads((tmp_path / "owner.json").read_text())["socket"])
        caller = threading.Thread(
            target=lambda: answers.append(OwnerClient(tmp_path).call("slow", {}))
        )
        caller.start()
        entered.wait(5)
        server.close()
        caller.join()
    assert answers == [{"done": True}]
    assert not path.exists()
    assert not (tmp_path / "owner.json").exists()


def test_a_store_with_a_very_long_path_has_a_short_socket(tmp_path, monkeypatch):
    store = tmp_path / ("long" * 40)
    store.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(store))
    with running(store, {"echo": lambda params: params}):
        assert OwnerClient(store).call("echo", {"a": 1}) == {"a": 1}


def test_many_calls_at_once_are_all_answered(owner):
    store, _ = owner
    answers = []
    threads = [
        threading.Thread(
            target=lambda i=i: answers.append(OwnerClient(store).call("echo", {"i": i}))
        )
        for i in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer["i"] for answer in answers) == list(range(20))


def test_an_error_travels_without_where_and_hint(tmp_path):
    def fail(params):
        raise TiepointError("plain")

    with running(tmp_path, {"fail": fail}), pytest.raises(TiepointError) as caught:
        OwnerClient(tmp_path).call("fail", {})
    assert (caught.value.where, caught.value.hint, caught.value.exit_code) == (None, None, 1)


class running:  # noqa: N801 - reads as a verb
    def __init__(self, store, handlers):
        self.server = OwnerServer(store, handlers)

    def __enter__(self):
        self.server.start()
        return self.server

    def __exit__(self, *_):
        self.server.close()


def connected(store):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(10)
    connection.connect(json.loads((store / "owner.json").read_text())["socket"])
    return connection


def send(connection, message):
    data = json.dumps(message).encode()
    connection.sendall(struct.pack(">I", len(data)) + data)


def receive(connection):
    (length,) = struct.unpack(">I", connection.recv(4, socket.MSG_WAITALL))
    return json.loads(connection.recv(length, socket.MSG_WAITALL))
