"""Products by the web API: put, replaced, removed, and what is refused of them."""

from __future__ import annotations

import base64
import io

import httpx
import pytest
from PIL import Image

from tests.adapters.http.conftest import deployment, served
from tests.plugins.recommendation.shops import copied
from tests.small_encoders import COLOUR_COMPONENTS, registered
from tiepoint import Host
from tiepoint_adapters.http.keys import KeyFile

ROUTE = "/v1/recommendation/products"


@pytest.fixture(autouse=True, scope="module")
def _small_components():
    with registered(*COLOUR_COMPONENTS):
        yield


@pytest.fixture
def client(filled, tmp_path):
    """A service whose callers may name files in `pictures`."""
    (tmp_path / "pictures").mkdir()
    store = copied(filled, tmp_path / "shop")
    made = deployment(
        tmp_path,
        plugins={"recommendation": {"store": str(store)}},
        server={"files": [str(tmp_path / "pictures")]},
    )
    with served(Host(made)) as opened:
        yield opened


def put(client, *products) -> httpx.Response:
    return client.post(ROUTE, json={"products": list(products)})


def answered(client, **ask) -> dict[str, dict]:
    found = client.post("/v1/recommendation/recommend", json={"k": 200, **ask})
    assert found.status_code == 200, found.text
    return {one["id"]: one["product"] for one in found.json()["items"]}


def picture(client, item: str) -> int:
    return client.get("/v1/recommendation/picture", params={"id": item}).status_code


def red_square() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (80, 80), "red").save(made, "PNG")
    return made.getvalue()


def test_a_product_is_changed_at_once_and_removed_at_once(client):
    item = next(iter(answered(client, user="u0003")))
    changed = {"id": item, "title": "Now a bargain", "price": 0.25, "stock": 2, "tags": ["sale"]}
    done = put(client, changed, {"id": "brand-new", "title": "A thing"})
    assert (done.status_code, done.json()) == (200, {"added": 1, "replaced": 1})
    cheap = answered(client, user="u0003", filters={"most_price": 0.25})
    assert cheap[item]["price"] == 0.25
    assert "brand-new" not in answered(client, user="u0003")  # no model knows it yet
    assert client.delete(f"{ROUTE}/{item}").json() == {"deleted": True}
    assert client.delete(f"{ROUTE}/{item}").json() == {"deleted": False}
    assert item not in answered(client, user="u0003")


def test_nothing_that_was_removed_is_offered_where_nothing_is_left(client):
    items = list(answered(client, user="nobody"))
    while items:
        for item in items:
            client.delete(f"{ROUTE}/{item}")
        items = list(answered(client, user="nobody"))
    # Sold-out products are in no answer, and may come back with what is put next.
    put(client, {"id": "i0001", "stock": 1})
    assert list(answered(client, user="nobody")) == ["i0001"]


def test_a_picture_comes_as_bytes_or_from_a_named_folder_and_stays(client, tmp_path):
    inside, outside = tmp_path / "pictures" / "red.png", tmp_path / "secret.png"
    for path in (inside, outside):
        path.write_bytes(red_square())
    sent = base64.b64encode(red_square()).decode()
    assert put(client, {"id": "a", "image": {"base64": sent}}).status_code == 200
    assert put(client, {"id": "b", "image": {"path": str(inside)}}).status_code == 200
    assert (picture(client, "a"), picture(client, "b")) == (200, 200)
    assert put(client, {"id": "a", "price": 2}).status_code == 200
    assert picture(client, "a") == 200  # not given, so it stays
    assert put(client, {"id": "a", "image": None}).status_code == 200
    assert picture(client, "a") == 404
    climbing = str(tmp_path / "pictures" / ".." / "secret.png")
    (tmp_path / "pictures" / "link.png").symlink_to(outside)
    linked = str(tmp_path / "pictures" / "link.png")
    for path in (str(outside), climbing, linked, "/etc/passwd", "\x00"):
        refused = put(client, {"id": "c", "image": {"path": path}})
        assert (refused.status_code, "not in a folder" in refused.text) == (422, True), path
    url = put(client, {"id": "c", "image": {"url": "http://127.0.0.1:9/x.png"}})
    assert url.status_code == 422
    assert picture(client, "c") == 404


@pytest.mark.parametrize(
    "product",
    [
        {"id": ""},
        {"id": "a\nb"},
        {"id": "x" * 513},
        {"id": "a", "price": "dear"},
        {"id": "a", "stock": 1.5},
        {"id": "a", "added_s": -1},
        {"id": "a", "title": "a\x00b"},
        {"id": "a", "prize": 3},
        {"id": "a", "image": {}},
        {"id": "a", "image": {"base64": "bm8gcGljdHVyZQ=="}},
        {"id": "a", "image": {"base64": base64.b64encode(b"\xff\xd8\xff damaged").decode()}},
    ],
)
def test_what_cannot_be_used_is_refused_and_nothing_of_the_call_is_kept(client, product):
    refused = put(client, {"id": "good", "image": None}, product)
    assert refused.status_code == 422, refused.text
    assert client.delete(f"{ROUTE}/good").json() == {"deleted": False}


def test_an_id_that_is_given_twice_and_too_many_products_are_refused(client):
    twice = put(client, {"id": "a", "title": "one"}, {"id": "a", "title": "two"})
    assert (twice.status_code, "given twice" in twice.text) == (422, True)
    many = put(client, *({"id": str(number)} for number in range(1001)))
    assert many.status_code == 422


def test_who_may_only_read_puts_and_removes_nothing(filled, tmp_path):
    keys = KeyFile(tmp_path / "keys.json")
    _, text = keys.create("reader", ["recommendation:read"])
    made = deployment(
        tmp_path,
        plugins={"recommendation": {"store": str(copied(filled, tmp_path / "shop"))}},
        auth={"keys": str(keys.path)},
    )
    with served(Host(made)) as client:
        client.headers["Authorization"] = f"Bearer {text}"
        assert client.get("/v1/recommendation/rules").status_code == 200
        for answer in (put(client, {"id": "a"}), client.delete(f"{ROUTE}/a")):
            assert answer.status_code == 403


def test_the_description_has_an_example_that_is_taken(client):
    document = client.get("/v1/openapi.json").json()
    [example] = document["components"]["schemas"]["ProductBody"]["examples"]
    assert put(client, {**example, "image": None}).json() == {"added": 1, "replaced": 0}
    assert document["paths"][ROUTE]["post"]["summary"]
