"""The catalogue in a collection of the core, on an embedded store and on a Milvus server."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from tests.milvus_server import MilvusServer
from tests.plugins.recommendation.running import run
from tests.small_encoders import COLOURS, ColourEncoder
from tiepoint import registry
from tiepoint_recommendation.storage.catalogue import CatalogueStore
from tiepoint_recommendation.storage.database import Database
from tiepoint_recommendation.types import Product

FILE = """\
version: 1
encoders: {{colours: {{type: colours}}}}
store: {{uri: "{uri}"}}
collections:
  products:
    fields:
      image: {{encoder: colours}}
      text: {{words: true}}
    metadata: {{brand: string, price: float, added_s: float, season: string}}
sources:
  shop: {{type: catalogue, store: "{store}", collection: products}}
"""


@pytest.fixture(autouse=True, scope="module")
def colours(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIEPOINT_CACHE", str(tmp_path_factory.mktemp("cache")))
        undo = registry.register(registry.ENCODERS, "colours", ColourEncoder)
        yield
        undo()


@pytest.fixture(params=["embedded", "server"])
def uri(request, tmp_path):
    if request.param == "embedded":
        yield tmp_path / "items"
        return
    server = MilvusServer(tmp_path / "milvus")
    server.start()
    yield server.uri
    server.process.terminate()
    server.process.wait()


def products(folder):
    made = [Product("nothing")]
    for name, colour in COLOURS.items():
        path = folder / f"{name}.png"
        Image.new("RGB", (8, 8), colour).save(path)
        made.append(
            Product(
                name,
                f"A {name} lamp",
                tags=("home",),
                image=str(path),
                price=10.0 + len(name),
                brand="Lux",
                metadata={"season": "winter"},
            )
        )
    return made


def test_products_are_found_by_picture_words_and_price(uri, tmp_path):
    store, config = tmp_path / "shop", tmp_path / "shop.yaml"
    config.write_text(FILE.format(uri=uri, store=store))
    database = Database.of_store(store)
    CatalogueStore(database).put(products(tmp_path))
    database.close()
    done = run("index", config, "--json")
    assert done.code == 0, done.err
    [told] = json.loads(done.out)["sources"]
    assert (told["added"], [one["where"] for one in told["skipped"]]) == (3, ["nothing"])
    hits = json.loads(run("search", config, "--image", tmp_path / "blue.png", "--json").out)["hits"]
    assert hits[0]["id"] == "blue"
    assert hits[0]["metadata"] == {"brand": "Lux", "price": 14.0, "season": "winter"}
    found = run("search", config, "--text", "lamp", "--filter", "price < 14", "--json")
    assert [one["id"] for one in json.loads(found.out)["hits"]] == ["red"]


def test_prune_removes_what_has_left_the_catalogue_and_nothing_else(tmp_path):
    store, config = tmp_path / "shop", tmp_path / "shop.yaml"
    things = tmp_path / "things.csv"
    things.write_text("id,text\nred,another red one\nthing,of a table\n")
    table = f"  table: {{{{type: table, path: {things}, collection: products}}}}\n"
    config.write_text((FILE + table).format(uri=tmp_path / "items", store=store))
    database = Database.of_store(store)
    catalogue = CatalogueStore(database)
    catalogue.put(products(tmp_path))
    assert run("index", config, "--source", "shop").code == 0
    assert run("index", config, "--source", "table").code == 0

    def removed():
        done = run("index", config, "--source", "shop", "--prune", "--json")
        assert done.code == 0, done.err
        return json.loads(done.out)["sources"][0]["removed"]

    assert removed() == 0
    catalogue.remove(["blue"])
    assert removed() == 1
    catalogue.put([one for one in products(tmp_path) if one.id == "blue"])
    assert removed() == 0  # it is back
    catalogue.keep_only([])
    database.close()
    done = run("index", config, "--source", "shop", "--prune")
    assert (done.code, "there is no catalogue" in done.err) == (2, True)
    found = json.loads(run("search", config, "--text", "lamp table", "--json").out)["hits"]
    assert {one["id"] for one in found} == {*COLOURS, "thing"}


def test_a_store_without_a_catalogue_is_told(tmp_path):
    config = tmp_path / "shop.yaml"
    config.write_text(FILE.format(uri=tmp_path / "items", store=tmp_path / "none"))
    done = run("index", config)
    assert done.code == 2
    assert "there is no catalogue" in done.err
    assert not (tmp_path / "none").exists()
