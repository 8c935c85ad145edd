"""Who is not known, or may not, is refused; so is what browsers are made to send."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import ClassVar

import pytest
from fastapi import APIRouter

from tests.adapters.http.conftest import deployment
from tiepoint import registry
from tiepoint.plugin import Plugin
from tiepoint_adapters.http.access import requires
from tiepoint_adapters.http.keys import KeyFile
from tiepoint_adapters.http.service import audited

SEARCH = {"text": "red"}


@pytest.fixture
def keys(tmp_path):
    return KeyFile(tmp_path / "keys.json")


@pytest.fixture
def guarded(serve, keys):
    def start(**changes):
        return serve(auth={"keys": str(keys.path), **changes.pop("auth", {})}, **changes)

    return start


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


def test_without_a_key_nothing_but_health_is_told(guarded):
    client = guarded()
    assert client.get("/health").status_code == 200
    for method, path in (
        ("POST", "/v1/search"),
        ("GET", "/v1/health"),
        ("GET", "/metrics"),
        ("GET", "/v1/audit"),
        ("GET", "/v1/collections/items/items/leaf"),
        ("DELETE", "/v1/collections/items/items/leaf"),
    ):
        answer = client.request(method, path, json=SEARCH if method == "POST" else None)
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_key_opens_what_its_scopes_name(guarded, keys):
    client, (_, text) = guarded(), keys.create("desk", ["search"])
    assert client.post("/v1/search", json=SEARCH, headers=bearer(text)).status_code == 200
    assert client.post("/v1/search", json=SEARCH, headers={"X-API-Key": text}).status_code == 200
    answer = client.delete("/v1/collections/items/items/leaf", headers=bearer(text))
    assert answer.status_code == 403
    assert "items:write" in answer.json()["detail"]


def test_the_file_of_keys_holds_no_key_and_is_for_its_user_alone(keys):
    _, text = keys.create("desk", ["search"])
    assert text.rpartition("_")[2] not in keys.path.read_text()
    assert keys.path.stat().st_mode & 0o077 == 0


def test_a_revoked_or_expired_or_altered_key_is_refused_at_once(guarded, keys):
    client = guarded()
    key, text = keys.create("desk", ["*"])
    _, short = keys.create("short", ["*"], days=0.2 / 86_400)
    assert client.get("/v1/me", headers=bearer(text)).status_code == 200
    keys.revoke(key.id)
    time.sleep(0.25)
    for refused in (text, short, text[:-1] + "A", "tp_0_0", "", "x" * 10_000):
        answer = client.get("/v1/me", headers=bearer(refused))
        assert answer.status_code == 401, refused


def test_guessing_keys_is_slowed_down(guarded, keys):
    client = guarded()
    answers = [client.get("/v1/me", headers=bearer("tp_guess")).status_code for _ in range(40)]
    assert answers[0] == 401
    assert answers[-1] == 429


class Vault(Plugin):
    name: ClassVar[str] = "vault"
    version: ClassVar[str] = "1"
    api_version: ClassVar[int] = 1
    scopes: ClassVar[dict[str, str]] = {"open": "Open it."}

    def router(self) -> APIRouter:
        router = APIRouter()

        @router.get("/door", dependencies=[audited("door")])
        def door() -> str:
            return "seen"

        @router.post("/door", dependencies=[requires("vault:open")])
        def open_door() -> str:
            return "open"

        return router


@pytest.fixture
def vault():
    undo = registry.register(registry.PLUGINS, "vault", Vault)
    yield
    undo()


@pytest.mark.parametrize(
    ("scopes", "reading", "opening"),
    [
        (["search"], 403, 403),
        (["vault:read"], 200, 403),
        (["vault:write"], 403, 403),
        (["vault:open"], 403, 403),
        (["vault:write", "vault:open"], 403, 200),
        (["vault:*"], 200, 200),
        (["*"], 200, 200),
        (["items:*", "system:*"], 403, 403),
    ],
)
def test_a_plugins_routes_need_its_own_scopes(guarded, keys, vault, scopes, reading, opening):
    client, (_, text) = guarded(plugins={"vault": {}}), keys.create("role", scopes)
    assert client.get("/v1/vault/door", headers=bearer(text)).status_code == reading
    assert client.post("/v1/vault/door", headers=bearer(text)).status_code == opening


def test_what_is_audited_is_written_down_before_it_is_shown(guarded, keys, vault):
    client, (_, text) = guarded(plugins={"vault": {}}), keys.create("ann", ["*"])
    client.get("/v1/vault/door", headers=bearer(text))
    page = client.get("/v1/audit", headers=bearer(text)).json()
    assert [(e["caller"], e["action"], e["subject"]) for e in page["entries"]] == [
        ("key:ann", "door", "/v1/vault/door")
    ]
    assert page["broken"] is None


def test_an_audit_that_was_tampered_with_shows_where(guarded, keys, vault):
    client, (_, text) = guarded(plugins={"vault": {}}), keys.create("ann", ["*"])
    for _ in range(3):
        client.get("/v1/vault/door", headers=bearer(text))
    import sqlite3

    folder = keys.path.parent / "store" / "service"
    with sqlite3.connect(folder / "service.sqlite") as rows:
        rows.execute("UPDATE audit SET caller = 'key:eve' WHERE number = 2")
    for verify in (True, False):
        asked = {"verify": verify}
        page = client.get("/v1/audit", headers=bearer(text), params=asked).json()
        assert page["broken"] == 2


def test_processes_that_share_a_state_write_one_chain(tmp_path):
    from tiepoint_adapters.http.audit import Audit
    from tiepoint_adapters.http.state import ServiceState

    program = (
        "import sys; from pathlib import Path\n"
        "from tiepoint_adapters.http.audit import Audit\n"
        "from tiepoint_adapters.http.state import ServiceState\n"
        "audit = Audit(ServiceState(Path(sys.argv[1])))\n"
        "print(flush=True); sys.stdin.readline()\n"
        "for n in range(20): audit.write('ann', '::1', 'look', str(n))\n"
    )
    state = ServiceState(tmp_path)
    arguments = [sys.executable, "-c", program, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    writers = [subprocess.Popen(arguments, **pipes) for _ in range(3)]
    for writer in writers:
        writer.stdout.readline()  # all have begun, so that they write at the same time
    for writer in writers:
        writer.stdin.close()
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    audit = Audit(state)
    assert len(audit.entries(0, 1000)) == 60
    assert audit.broken() is None
    with state.changing() as rows:
        rows.execute("UPDATE audit SET number = 61 WHERE number = 30")
        rows.execute("UPDATE audit SET number = 30 WHERE number = 31")
        rows.execute("UPDATE audit SET number = 31 WHERE number = 61")
    assert audit.broken() == 30
    with state.changing() as rows:
        rows.execute("DELETE FROM audit WHERE number = 10")
    assert audit.broken() == 10
    assert audit.broken(after=10, most=5) == 10
    state.close()


def sign_in(client, keys, scopes=("*",)):
    key, text = keys.create("ann", list(scopes))
    answer = client.post("/v1/signin", json={"key": text})
    assert answer.status_code == 200
    return key, answer


def test_a_signin_gives_a_cookie_that_scripts_and_other_sites_cannot_use(guarded, keys):
    client = guarded()
    _, answer = sign_in(client, keys)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert client.get("/v1/me").json()["name"] == "key:ann"


def test_a_cookie_over_tls_is_for_tls_alone(tmp_path, keys):
    from tests.adapters.http.conftest import served
    from tiepoint import Host

    host = Host(deployment(tmp_path, auth={"keys": str(keys.path)}))
    with served(host, base_url="https://127.0.0.1") as client:
        _, answer = sign_in(client, keys)
    assert "; secure" in answer.headers["set-cookie"].lower()
    assert "strict-transport-security" in answer.headers


def test_a_change_by_cookie_needs_the_token_of_the_page(guarded, keys):
    client = guarded()
    _, answer = sign_in(client, keys)
    path = "/v1/collections/items/items/leaf"
    assert client.delete(path).status_code == 403
    assert client.delete(path, headers={"X-CSRF-Token": "guess"}).status_code == 403
    csrf = answer.json()["csrf"]
    assert client.delete(path, headers={"X-CSRF-Token": csrf}).json() == {"deleted": 1}


def test_a_cookie_is_worthless_after_signing_out(guarded, keys):
    client = guarded()
    _, answer = sign_in(client, keys)
    stolen = client.cookies["tiepoint_session"]
    assert client.post("/v1/signout").status_code == 403
    csrf = {"X-CSRF-Token": answer.json()["csrf"]}
    assert client.post("/v1/signout", headers=csrf).status_code == 204
    client.cookies.set("tiepoint_session", stolen)
    assert client.get("/v1/health").status_code == 401


def test_a_cookie_ends_with_its_key(guarded, keys):
    client = guarded()
    key, _ = sign_in(client, keys)
    assert client.get("/v1/health").status_code == 200
    keys.revoke(key.id)
    assert client.get("/v1/health").status_code == 401


def test_pages_of_other_origins_can_neither_call_nor_read(serve):
    client = serve()
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = client.post("/v1/search", json=SEARCH, headers=headers)
        assert answer.status_code == 403
    answer = client.get("/health", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in answer.headers
    same = {"Origin": "http://127.0.0.1"}
    assert client.post("/v1/search", json=SEARCH, headers=same).status_code == 200


def test_a_named_origin_may_call(serve):
    client = serve(server={"origins": ["https://shop.example.org"]})
    origin = {"Origin": "https://shop.example.org"}
    answer = client.post("/v1/search", json=SEARCH, headers=origin)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://shop.example.org"
    asked = {**origin, "Access-Control-Request-Method": "POST"}
    assert client.options("/v1/search", headers=asked).status_code == 200


def test_another_host_name_is_refused(serve):
    client = serve(server={"names": ["*.example.org"]})
    for path in ("/v1/collections", "/pages/search"):
        assert client.get(path, headers={"Host": "evil.example"}).status_code == 403
        assert client.get(path, headers={"Host": "a.example.org:80"}).status_code == 200
        assert client.get(path, headers={"Host": "[::1]:8080"}).status_code == 200


def test_a_probe_that_asks_by_address_learns_the_status_and_nothing_else(serve):
    client = serve(server={"names": ["tiepoint.example.org"]})
    for path in ("/health", "/ready"):
        answer = client.get(path, headers={"Host": "10.1.2.3:8080"})
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_without_authentication_only_this_machine_is_answered(serve, tmp_path):
    client = serve()
    proxied = {"X-Forwarded-For": "203.0.113.9"}
    assert client.post("/v1/search", json=SEARCH, headers=proxied).status_code == 401


def test_every_answer_protects_browsers(serve):
    client = serve()
    for path in ("/health", "/v1/absent", "/v1/openapi.json"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "http" not in policy
        assert "default-src 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


def test_a_body_that_is_too_large_is_refused_announced_or_not(serve):
    client = serve(server={"limits": {"body_mib": 0.01}})
    body = json.dumps({"text": "x" * 20_000}).encode()
    head = {"Content-Type": "application/json"}
    assert client.post("/v1/search", content=body, headers=head).status_code == 413
    chunks = (body[i : i + 1000] for i in range(0, len(body), 1000))
    assert client.post("/v1/search", content=chunks, headers=head).status_code == 413


def test_too_many_requests_are_told_when_to_come_again(serve):
    client = serve(server={"limits": {"per_minute": 5}})
    answers = [client.get("/v1/me") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_a_header_cannot_bring_another_header(serve):
    answer = serve().get("/v1/collections/items/items/a%0d%0aX-Evil: 1")
    assert answer.status_code == 404
    assert "x-evil" not in answer.headers
