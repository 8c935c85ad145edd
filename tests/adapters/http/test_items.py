"""Items by HTTP: their parts, their pages, and requests that are sent twice."""

from __future__ import annotations

import base64
import io
import json

import pytest
from PIL import Image

from tests.adapters.http.conftest import deployment, served
from tests.http_server import QuietHandler, served_by
from tiepoint import Host

ITEMS = "/v1/collections/items/items"


def picture(colour):
    content = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(content, "PNG")
    return content.getvalue()


def encoded(content):
    return {"base64": base64.b64encode(content).decode()}


def test_a_picture_that_was_sent_is_found_and_shown(serve):
    client = serve(items=[])
    items = [{"id": c, "parts": {"image": encoded(picture(c))}} for c in ("red", "green")]
    assert client.post(ITEMS, json={"items": items}).json()["added"] == 2
    found = client.post("/v1/search", json={"image": encoded(picture("#01fe02")), "k": 1})
    assert found.json()["hits"][0]["id"] == "green"
    shown = client.get("/v1/collections/items/picture", params={"id": "green"})
    assert shown.status_code == 200
    assert Image.open(io.BytesIO(shown.content)).convert("RGB").getpixel((3, 3))[1] > 100
    again = client.get(
        "/v1/collections/items/picture",
        params={"id": "green"},
        headers={"If-None-Match": shown.headers["etag"]},
    )
    assert again.status_code == 304


def test_callers_are_given_addresses_and_no_paths_of_the_server(serve, tmp_path):
    client = serve(items=[])
    parts = {"text": "green", "image": encoded(picture("green"))}
    client.post(ITEMS, json={"items": [{"id": "a b/&", "parts": parts}]})
    question = {"text": "green", "k": 1}
    answers = [
        client.post("/v1/search", json=question),
        client.post("/v1/search/parts", data={"question": json.dumps(question)}),
        client.get(ITEMS),
        client.get(f"{ITEMS}/a b/&"),
    ]
    for answer in answers:
        assert answer.status_code == 200, answer.text
        assert str(tmp_path) not in answer.text
    told = answers[0].json()["hits"][0]["parts"]
    assert told == answers[3].json()["parts"]
    assert told["text"] == "green"
    assert client.get(told["image"]).headers["content-type"] == "image/webp"


def test_a_picture_that_was_sent_is_shown_where_the_state_was_restored(tmp_path):
    folders = tmp_path / "before", tmp_path / "after"
    shown = {"id": "red"}
    with served(Host(deployment(tmp_path, server={"state": str(folders[0])}))) as client:
        items = [{"id": "red", "parts": {"image": encoded(picture("red"))}}]
        assert client.post(ITEMS, json={"items": items}).json()["added"] == 1
    folders[0].rename(folders[1])
    with served(Host(deployment(tmp_path, server={"state": str(folders[1])}))) as client:
        assert client.get("/v1/collections/items/picture", params=shown).status_code == 200
        [kept] = (folders[1] / "parts").iterdir()
        kept.unlink()
        assert client.get("/v1/collections/items/picture", params=shown).status_code == 404


def test_an_unknown_collection_is_not_found(serve):
    client = serve(items=[])
    item = {"id": "a", "parts": {"text": "a"}}
    for answer in (
        client.get("/v1/collections/shoes"),
        client.get("/v1/collections/shoes/items"),
        client.get("/v1/collections/shoes/items/a"),
        client.get("/v1/collections/shoes/picture", params={"id": "a"}),
        client.post("/v1/collections/shoes/items", json={"items": [item]}),
        client.post("/v1/search", json={"text": "a", "collection": "shoes"}),
    ):
        assert answer.status_code == 404, answer.text
        assert "Name one of items" in answer.json()["hint"]


def test_a_text_never_names_a_file(serve, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(picture("red"))
    client = serve(items=[])
    for part in (str(secret), {"path": str(secret)}, {"path": "/etc/passwd"}, {"path": "\0"}):
        answer = client.post(ITEMS, json={"items": [{"id": "a", "parts": {"image": part}}]})
        assert answer.status_code == 422, part
    assert client.post("/v1/search", json={"image": {"path": str(secret)}}).status_code == 422


def test_a_path_is_taken_from_the_folders_that_are_named_alone(serve, tmp_path):
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "red.png").write_bytes(picture("red"))
    (tmp_path / "secret.png").write_bytes(picture("red"))
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    client = serve(items=[], server={"files": [str(folder)]})
    for path, status in (
        (folder / "red.png", 200),
        (folder / "link.png", 422),
        (f"{folder}/../secret.png", 422),
        (folder, 422),
    ):
        item = {"id": "a", "parts": {"image": {"path": str(path)}}}
        assert client.post(ITEMS, json={"items": [item]}).status_code == status, path


@pytest.fixture
def elsewhere():
    """A server on this machine that must only be asked for what is allowed."""
    asked = []

    class Answer(QuietHandler):
        def do_GET(self):
            asked.append(self.path)
            if self.path == "/pictures/moved":
                self.send_response(302)
                self.send_header("Location", "/secret")
                self.end_headers()
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(picture("red"))

    with served_by(Answer) as address:
        yield address, asked


def test_no_url_is_fetched_unless_it_is_allowed(serve, elsewhere):
    url, asked = elsewhere
    client = serve()
    answer = client.post("/v1/search", json={"image": {"url": f"{url}/pictures/a.png"}})
    assert answer.status_code == 422
    assert asked == []


def test_an_allowed_beginning_allows_nothing_beside_it(serve, elsewhere):
    url, asked = elsewhere
    client = serve(server={"fetch": [f"{url}/pictures/"]})
    good = client.post("/v1/search", json={"image": {"url": f"{url}/pictures/a.png"}})
    assert good.status_code == 200
    assert asked == ["/pictures/a.png"]
    host = url.removeprefix("http://")
    for other in (
        f"{url}/secret",
        f"{url}/pictures/../secret",
        f"{url}/pictures/%2e%2e/secret",
        f"{url}/picturesque",
        f"http://allowed@{host}/pictures/a",
        f"http://{host}@169.254.169.254/pictures/a",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:70/",
        f"{url}/pictures\\..\\secret",
        "http://[::1/",
    ):
        answer = client.post("/v1/search", json={"image": {"url": other}})
        assert answer.status_code == 422, other
    assert asked == ["/pictures/a.png"]
    moved = client.post("/v1/search", json={"image": {"url": f"{url}/pictures/moved"}})
    assert moved.status_code == 422
    assert asked[1:] == ["/pictures/moved"]


def test_pages_of_items_come_in_order_and_end(serve):
    client = serve(items=[])
    items = [
        {"id": f"i{n:03}", "parts": {"text": "red"}, "metadata": {"price": n}} for n in range(25)
    ]
    client.post(ITEMS, json={"items": items})
    seen, after = [], None
    while True:
        page = client.get(ITEMS, params={"limit": 10, **({"after": after} if after else {})}).json()
        seen += [item["id"] for item in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert seen == [item["id"] for item in items]
    few = client.get(ITEMS, params={"where": "price >= 20", "limit": 3}).json()
    assert [item["id"] for item in few["items"]] == ["i020", "i021", "i022"]
    assert client.get(ITEMS, params={"where": "prize"}).status_code == 422


def test_a_request_that_is_sent_again_is_done_once(serve):
    client = serve(items=[])
    body = {"items": [{"id": "a", "parts": {"text": "red"}}]}
    key = {"Idempotency-Key": "order-1"}
    first = client.post(ITEMS, json=body, headers=key)
    client.delete(f"{ITEMS}/a")
    again = client.post(ITEMS, json=body, headers=key)
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert client.get(f"{ITEMS}/a").status_code == 404
    other = {"items": [{"id": "b", "parts": {"text": "red"}}]}
    assert client.post(ITEMS, json=other, headers=key).status_code == 409


def test_what_cannot_be_used_is_left_out_where_that_is_wanted(serve):
    client = serve(items=[])
    items = [
        {"id": "good", "parts": {"text": "red"}},
        {"id": "empty", "parts": {"text": " "}},
        {"id": "broken", "parts": {"image": {"base64": "!"}}},
    ]
    assert client.post(ITEMS, json={"items": items}).status_code == 422
    assert client.get(f"{ITEMS}/good").status_code == 404
    report = client.post(ITEMS, json={"items": items, "skip": True}).json()
    assert report["added"] == 1
    assert sorted(one["where"] for one in report["skipped"]) == ["broken", "empty"]


def test_too_many_items_at_once_are_refused(serve):
    client = serve(items=[], server={"limits": {"items": 2}})
    items = [{"id": str(n), "parts": {"text": "red"}} for n in range(3)]
    assert client.post(ITEMS, json={"items": items}).status_code == 413


def test_a_picture_that_is_a_bomb_is_refused(serve):
    import struct
    import zlib

    def chunk(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(10_000_000)))
        + chunk(b"IEND", b"")
    )
    answer = serve().post("/v1/search", json={"image": encoded(bomb)})
    assert answer.status_code == 422
