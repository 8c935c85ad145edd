"""Search and indexing through a host, on a real embedded store with small encoders."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from PIL import Image

from tests.small_encoders import COLOUR_COMPONENTS, COLOURS, colour_deployment, registered
from tiepoint import Host, Item
from tiepoint.errors import (
    ConfigError,
    DecodeError,
    FilterError,
    FingerprintError,
    InputError,
    QueryError,
    SchemaError,
    StoreError,
    TiepointError,
)
from tiepoint.indexing import BATCH


@pytest.fixture(autouse=True)
def small_components(tmp_path, monkeypatch):
    monkeypatch.setenv("TIEPOINT_CACHE", str(tmp_path / "cache"))
    with registered(*COLOUR_COMPONENTS):
        yield


def deployment(tmp_path, **changes):
    metadata = {"price": "float", "shelf": "string", "tags": "strings"}
    return colour_deployment(tmp_path / "store", metadata, **changes)


def picture(colour):
    return Image.new("RGB", (8, 8), COLOURS[colour])


@pytest.fixture
def host(tmp_path):
    with Host(deployment(tmp_path)) as host:
        host.add(
            [
                Item(id="r", image=picture("red"), metadata={"price": 1.0, "shelf": "a"}),
                Item(id="g", image=picture("green"), text="a green leaf", metadata={"price": 2.0}),
                Item(id="b", text="the blue sea", metadata={"price": 3.0, "tags": ["x", "y"]}),
            ]
        )
        yield host


def ids(hits):
    return [hit.id for hit in hits]


def test_a_text_finds_a_picture_that_has_no_text(host):
    assert ids(host.search(text="red"))[0] == "r"


def test_a_picture_finds_a_text_that_has_no_picture(host):
    assert ids(host.search(image=picture("blue")))[0] == "b"


def test_a_picture_finds_its_like(host):
    assert ids(host.search(image=Image.new("RGB", (4, 4), (250, 10, 5))))[0] == "r"


def test_every_hits_contributions_sum_to_its_score(host):
    hits = host.search(text="green leaf", explain=True)
    assert len(hits) == 3
    for hit in hits:
        assert hit.score == pytest.approx(sum(c.value for c in hit.contributions))
        assert hit.explanation.count("->") == len(hit.contributions)
    assert {c.route for c in hits[0].contributions} == {"text->image", "text->text", "words->text"}
    assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)


def test_a_single_routes_score_is_its_cosine(host):
    query = {"image": [1.0, 0.0, 0.0, 0.1]}
    hit = host.search(vector=query, k=1)[0]
    assert hit.id == "r"
    assert hit.score == pytest.approx(1.0, abs=1e-4)


def test_embedded_parts_are_what_is_stored_and_asked(host):
    joint = host.embed(text=["red"])
    assert joint.shape == (1, 4)
    assert ids(host.search(vector=joint[0]))[0] == "r"


def test_a_hit_brings_the_items_metadata_and_text(host):
    hit = host.search(text="blue")[0]
    assert hit.metadata == {"price": 3.0, "tags": ["x", "y"]}
    assert hit.parts == {"text": "the blue sea"}


def test_filters_and_exclusions_narrow_the_answer(host):
    assert set(ids(host.search(text="red", where="price >= 2"))) == {"g", "b"}
    assert ids(host.search(text="red", where='tags contains "x"')) == ["b"]
    assert "r" not in ids(host.search(text="red", exclude=["r"]))
    assert host.search(text="red", where="price > 100") == []


def test_boosts_are_a_contribution_of_their_own(tmp_path):
    boosts = {"cheap": {"where": "price < 2", "value": 50.0}}
    changed = deployment(tmp_path, fusion={"type": "weighted", "boosts": boosts})
    with Host(changed) as host:
        host.add([Item(id="x", text="blue blue", metadata={"price": 9.0})])
        host.add([Item(id="y", text="red", metadata={"price": 1.0})])
        first = host.search(text="blue")[0]
    assert first.id == "y"
    assert first.contributions[-1].route == "boost:cheap"
    assert first.score == pytest.approx(sum(c.value for c in first.contributions))


def test_rank_fusion_answers_the_same_question(tmp_path):
    with Host(deployment(tmp_path, fusion={"type": "rrf"})) as host:
        host.add([Item(id="x", text="the blue sea"), Item(id="y", text="red")])
        hits = host.search(text="blue")
    assert hits[0].id == "x"
    assert all(0 < c.standardised < 1 for c in hits[0].contributions)


def test_an_item_of_a_known_id_is_replaced(host):
    report = host.add([Item(id="r", text="blue blue")])
    assert (report.added, report.unchanged) == (1, 0)
    hit = next(h for h in host.search(text="blue") if h.id == "r")
    assert hit.metadata == {}
    assert {c.route for c in hit.contributions} <= {"text->text", "words->text"}
    assert len(host.collection()) == 3


def test_an_unchanged_item_is_not_written_again(host):
    item = Item(id="b", text="the blue sea", metadata={"price": 3.0, "tags": ["x", "y"]})
    assert (host.add([item]).added, host.add([item]).unchanged) == (0, 1)


def test_deleted_items_are_gone_also_after_reopening(host, tmp_path):
    assert host.delete(["r", "never there"]) == 1
    assert "r" not in ids(host.search(text="red"))
    host.close()
    with Host(deployment(tmp_path)) as again:
        assert sorted(ids(again.search(text="red"))) == ["b", "g"]


def test_what_is_added_is_found_after_reopening(host, tmp_path):
    before = [(h.id, pytest.approx(h.score)) for h in host.search(text="green")]
    host.close()
    with Host(deployment(tmp_path)) as again:
        assert [(h.id, h.score) for h in again.search(text="green")] == before


def test_a_store_of_another_encoder_is_refused(host, tmp_path):
    host.close()
    other = {"photo": {"type": "colour", "version": 2}, "words": {"type": "colour-words"}}
    with pytest.raises(FingerprintError, match="image"):
        Host(deployment(tmp_path, encoders=other)).open()


def test_the_same_id_twice_writes_nothing(host):
    with pytest.raises(SchemaError, match="twice"):
        host.add([Item(id="n", text="red"), Item(id="n", text="blue")])
    assert len(host.collection()) == 3


def test_a_broken_part_raises_and_writes_nothing_of_its_batch(host, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    items = [Item(id="n1", text="red"), Item(id="n2", image=broken)]
    with pytest.raises(DecodeError):
        host.add(items)
    assert len(host.collection()) == 3
    report = host.add(items, strict=False)
    assert report.added == 1
    assert [s.where for s in report.skipped] == ["n2"]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (Item(id="n", text="red", metadata={"price": "much"}), "price"),
        (Item(id="n", text="red", metadata={"colour": "red"}), "colour"),
        (Item(id="n", text="red", metadata={"price": float("nan")}), "price"),
        (Item(id="n", parts={"sound": b"x"}), "sound"),
        (Item(id="n", text=5), "text"),
        (Item(id="n", text="  "), "text"),
    ],
)
def test_an_item_that_does_not_fit_is_refused_by_name(host, item, message):
    with pytest.raises(TiepointError, match=message) as caught:
        host.add([item])
    assert caught.value.exit_code == 2
    assert "n" in str(caught.value)
    assert len(host.collection()) == 3


@pytest.mark.parametrize(
    ("query", "error", "message"),
    [
        ({}, QueryError, "nothing to search for"),
        ({"text": "red", "k": 0}, QueryError, "k is 0"),
        ({"text": "red", "k": 1_000_000}, QueryError, "16384"),
        ({"text": "red", "k": 2.5}, QueryError, "k is 2.5"),
        ({"text": "red", "exclude": "abc"}, QueryError, "one string"),
        ({"parts": [1]}, QueryError, "dictionary"),
        ({"vector": [1j, 0, 0, 0]}, QueryError, "not made of numbers"),
        ({"text": "red", "k": True}, QueryError, "k is True"),
        ({"audio": b"x"}, QueryError, "no route"),
        ({"vector": [float("nan")] * 4}, QueryError, "not finite"),
        ({"vector": [0.0] * 4}, QueryError, "zero"),
        ({"vector": [1.0] * 5}, QueryError, "5 values"),
        ({"vector": "text"}, QueryError, "not made of numbers"),
        ({"vector": {"nope": [1.0]}}, QueryError, "no vector field"),
        ({"text": "red", "where": "prize < 3"}, FilterError, "price"),
        ({"text": "red", "where": "price <"}, FilterError, "too early"),
        ({"text": "red", "collection": "nope"}, QueryError, "no collection"),
        ({"text": ""}, DecodeError, "empty"),
        ({"text": "a \ud800"}, DecodeError, "text"),
    ],
)
def test_a_bad_query_is_one_clear_line(host, query, error, message):
    with pytest.raises(error, match=message) as caught:
        host.search(**query)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


def test_given_vectors_are_searched_without_any_model(tmp_path):
    fields = {"signal": {"dimensions": 8}}
    changed = deployment(tmp_path, alignment=None, collections={"items": {"fields": fields}})
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(50, 8)).astype(np.float32)
    with Host(changed) as host:
        host.add([Item(id=str(i), parts={"signal": v}) for i, v in enumerate(vectors)])
        assert host.search(vector=vectors[17], k=1)[0].id == "17"
        with pytest.raises(SchemaError, match="not finite"):
            host.add([Item(id="n", parts={"signal": np.full(8, np.inf)})])


def test_health_names_the_store_and_its_collections(host):
    health = host.health()
    assert health["collections"]["items"]["items"] == 3
    assert health["store"]["status"] == "ok"
    assert health["cache"]["status"] == "ok"
    assert health["plugins"] == {}


def test_without_a_cache_a_host_works_and_says_so_in_its_health(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("TIEPOINT_CACHE", str(tmp_path / "file"))
    with Host(deployment(tmp_path)) as host:
        assert host.add([Item(id="a", parts={"text": "red"})]).added == 1
        assert host.health()["cache"]["status"] == "degraded"


def test_a_store_path_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "store").write_text("not a folder")
    with pytest.raises(TiepointError) as caught:
        Host(deployment(tmp_path)).open()
    assert caught.value.exit_code == 2
    assert not isinstance(caught.value, StoreError)


def test_one_string_is_not_taken_for_a_list_of_ids_or_parts(host):
    with pytest.raises(QueryError, match="one string"):
        host.delete("rgb")
    with pytest.raises(QueryError, match="one part"):
        host.embed(text="red")
    assert len(host.collection()) == 3


def test_numbers_of_numpy_and_vectors_of_any_scale_are_fine(host):
    assert len(host.search(text="red", k=np.int64(2))) == 2
    small = host.search(vector={"image": [1e-30, 0, 0, 0]}, k=1)
    large = host.search(vector={"image": [1e30, 0, 0, 0]}, k=1)
    assert small[0].id == large[0].id == "r"


@pytest.mark.parametrize("items", ["abc", [{"id": "a"}], Item(id="a", text="x"), {"id": "a"}, 3])
@pytest.mark.parametrize("strict", [True, False])
def test_what_is_no_list_of_items_is_refused(host, items, strict):
    with pytest.raises(SchemaError, match="Give a list of Item"):
        host.add(items, strict=strict)


def test_items_that_write_while_they_are_made_are_told_so(host):
    def items():
        yield Item(id="n1", text="red")
        host.add([Item(id="n2", text="blue")])

    with pytest.raises(InputError, match="writing already"):
        host.add(items())


def test_what_was_encoded_before_a_generator_failed_is_kept(host):
    def items():
        for i in range(BATCH + 5):
            yield Item(id=f"n{i}", text=f"red {i}")
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="source broke"):
        host.add(items())
    assert len(host.collection()) == 3 + BATCH


def test_a_closed_host_does_not_open_by_itself(host, tmp_path):
    host.close()
    host.close()
    with pytest.raises(InputError, match="closed"):
        host.search(text="red")
    with host:
        assert len(host.search(text="red")) == 3


def test_an_inner_with_leaves_the_host_open(host):
    with host:
        pass
    assert len(host.search(text="red")) == 3


def test_closing_waits_for_a_write_in_another_thread(host, tmp_path):
    begun = threading.Event()

    def items():
        for i in range(300):
            begun.set()
            yield Item(id=f"n{i}", text=f"blue {i}")

    writer = threading.Thread(target=host.add, args=(items(),))
    writer.start()
    begun.wait()
    host.close()
    writer.join()
    with Host(deployment(tmp_path)) as again:
        assert len(again.collection()) == 303


def test_metadata_of_an_unknown_type_are_refused_with_their_place(tmp_path):
    with pytest.raises(ConfigError, match=r"metadata\.day"):
        Host.embedded(tmp_path / "x", metadata={"day": "date"})


def test_a_collection_of_words_alone_is_searched_without_any_model(tmp_path):
    fields = {"text": {"words": True}}
    changed = deployment(tmp_path, alignment=None, collections={"items": {"fields": fields}})
    with Host(changed) as host:
        host.add([Item(id="a", text="a red leaf"), Item(id="b", text="the sea")])
        assert ids(host.search(text="LEAF")) == ["a"]
        with pytest.raises(DecodeError):
            host.search(text="a \ud800")
        with pytest.raises(QueryError, match="asked by text"):
            host.search(image=picture("red"))
