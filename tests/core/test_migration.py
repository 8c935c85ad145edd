"""A store brought to other encoders or another aligner: the old one serves, nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image

from tests.small_encoders import (
    COLOUR_COMPONENTS,
    COLOURS,
    ColourAligner,
    ColourEncoder,
    registered,
)
from tiepoint import Host, Item, registry
from tiepoint.assembly import Assembly
from tiepoint.config.models import Deployment
from tiepoint.errors import (
    FingerprintError,
    InputError,
    SchemaError,
    StoreError,
    StoreOwnedError,
)
from tiepoint.migration.migration import MissingItemsError, migrate
from tiepoint.migration.plan import check_space, plan_of
from tiepoint.plugin import API_VERSION, Plugin

ENCODED: list[int] = []


class SwappedEncoder(ColourEncoder):
    """Another encoder: its vectors name the colours in another order, so that they do not mix."""

    def infer(self, prepared, modality=None):
        ENCODED.append(len(prepared))
        time.sleep(0.002 * len(prepared))
        return np.ascontiguousarray(super().infer(prepared)[:, [1, 2, 0, 3]])


class OtherAligner(ColourAligner):
    """The same encoders, and a joint space with its axes in the encoders' order."""

    def __init__(self, encoders):
        super().__init__(encoders)
        self.fingerprint = self.fingerprint.replace("aligner", "other-aligner")

    def transform(self, modality, x):
        return np.ascontiguousarray(x)


class SwappedAligner(OtherAligner):
    """Brings words to the order of the swapped encoder."""

    def transform(self, modality, x):
        return np.ascontiguousarray(x if modality == "image" else x[:, [1, 2, 0, 3]])


@pytest.fixture(autouse=True)
def own_components(tmp_path, monkeypatch):
    monkeypatch.setenv("TIEPOINT_CACHE", str(tmp_path / "cache"))
    ENCODED.clear()
    with registered(
        *COLOUR_COMPONENTS,
        (registry.ENCODERS, "swapped", SwappedEncoder),
        (registry.ALIGNERS, "other", OtherAligner),
        (registry.ALIGNERS, "swapped", SwappedAligner),
    ):
        yield


def deployment(tmp_path, encoder="colour", aligner="colour", **changes):
    photo = {"type": encoder} if encoder == "colour" else {"type": encoder, "version": 2}
    fields = {"image": {"encoder": "photo"}, "text": {"encoder": "words", "words": True}}
    content = {
        "version": 1,
        "encoders": {"photo": photo, "words": {"type": "colour-words"}},
        "alignment": {"type": aligner, "encoders": {"image": "photo", "text": "words"}},
        "store": {"uri": str(tmp_path / "store")},
        "collections": {"items": {"fields": fields, "metadata": {"price": "float"}}},
    }
    return Deployment.model_validate(content | changes)


def old(tmp_path):
    return deployment(tmp_path)


def new(tmp_path):
    return deployment(tmp_path, "swapped", "swapped")


def picture(tmp_path, name, colour):
    file = tmp_path / f"{name}.png"
    Image.new("RGB", (4, 4), COLOURS[colour]).save(file)
    return str(file)


def colours(tmp_path):
    return [
        Item(c, image=picture(tmp_path, c, c), text=f"a {c} thing", metadata={"price": n})
        for n, c in enumerate(COLOURS)
    ]


@pytest.fixture
def filled(tmp_path):
    """A store with a picture and a text of each colour; closed."""
    with Host(old(tmp_path)) as host:
        host.add(colours(tmp_path))
    return tmp_path


def by_image(host, text):
    """Return the items by their similarity to a text in the joint space, best first."""
    hits = host.search(text=text, explain=False)
    similarity = {
        hit.id: c.similarity for hit in hits for c in hit.contributions if c.route == "text->image"
    }
    return sorted(similarity, key=lambda item: -similarity[item])


def test_what_is_stored_is_refused_by_other_encoders_with_the_way_out(filled):
    with pytest.raises(FingerprintError, match="image") as caught, Host(new(filled)):
        pass
    assert "--migrate" in caught.value.hint


def test_another_aligner_takes_over_the_vectors_and_encodes_nothing(filled):
    for file in filled.glob("*.png"):
        file.unlink()
    report = migrate(deployment(filled, "colour", "other"))
    [done] = report.collections
    assert (report.switched, done.encoded, done.cached, done.reused) == (True, 0, 0, 6)
    with Host(deployment(filled, "colour", "other")) as host:
        assert by_image(host, "blue")[0] == "blue"
        assert host.collection().get(["red"])["red"][0] == {"price": 0.0}


def test_another_encoder_reads_the_parts_again_where_they_were_indexed(filled):
    report = migrate(new(filled))
    [done] = report.collections
    assert (done.items, done.encoded, done.reused) == (3, 3, 3)
    with Host(new(filled)) as host:
        for colour in COLOURS:
            assert by_image(host, f"{colour}")[0] == colour
        assert host.search(text="thing", where="price > 1.5")[0].id == "blue"
        assert host.add(colours(filled)).unchanged == 3
    with pytest.raises(FingerprintError), Host(old(filled)):
        pass


def test_vectors_that_were_encoded_before_come_from_the_cache(filled):
    migrate(new(filled))
    [done] = migrate(old(filled)).collections
    assert (done.encoded, done.cached) == (0, 3)


def test_a_store_as_it_should_be_is_left_alone(filled):
    report = migrate(old(filled))
    assert (report.switched, report.collections) == (False, [])
    assert not (filled / "store" / "generations").exists()


def test_superseded_data_are_removed(filled):
    migrate(new(filled))
    assert not (filled / "store" / "milvus").exists()
    migrate(old(filled))
    assert [folder.name for folder in (filled / "store" / "generations").iterdir()] == ["2"]


def test_a_lost_file_refuses_the_migration_before_anything_is_encoded(filled):
    (filled / "red.png").unlink()
    with pytest.raises(MissingItemsError, match=r"red\.png: no such file") as caught:
        migrate(new(filled))
    assert [one.where for one in caught.value.missing] == ["red"]
    assert ENCODED == []
    with Host(old(filled)) as host:
        assert by_image(host, "red")[0] == "red"


def test_a_file_that_is_broken_now_refuses_the_switch(filled):
    (filled / "red.png").write_bytes(b"no picture")
    with pytest.raises(MissingItemsError, match="item red"):
        migrate(new(filled))
    with Host(old(filled)) as host:
        assert len(host.collection()) == 3
    picture(filled, "red", "red")
    ENCODED.clear()
    report = migrate(new(filled))
    assert (report.collections[0].resumed, sum(ENCODED)) == (2, 1)


def test_items_without_their_file_can_be_kept_without_that_vector(filled):
    (filled / "red.png").unlink()
    report = migrate(new(filled), missing="keep")
    assert [one.where for one in report.missing] == ["red"]
    assert report.collections[0].kept_without == 1
    with Host(new(filled)) as host:
        assert len(host.collection()) == 3
        assert "red" not in by_image(host, "red")
        assert host.search(text="red")[0].id == "red"
        again = host.add(colours(filled))
        assert (again.added, again.unchanged) == (1, 2)
        assert by_image(host, "red")[0] == "red"


def test_items_without_their_file_can_be_dropped(filled):
    (filled / "red.png").unlink()
    report = migrate(new(filled), missing="drop")
    assert (report.collections[0].dropped, report.collections[0].items) == (1, 2)
    assert [one.where for one in report.missing] == ["red"]
    with Host(new(filled)) as host:
        assert sorted(host.collection().ids()) == ["blue", "green"]


def test_pictures_given_in_memory_are_told_and_never_lost_silently(tmp_path):
    with Host(old(tmp_path)) as host:
        host.add([Item("m", image=Image.new("RGB", (4, 4), COLOURS["red"]))])
    with pytest.raises(MissingItemsError, match="given in memory"):
        migrate(new(tmp_path))
    report = migrate(deployment(tmp_path, "colour", "other"))
    assert report.collections[0].reused == 1


def test_what_has_no_place_in_the_deployment_is_refused(filled):
    fields = {"image": {"encoder": "photo"}, "text": {"encoder": "words", "words": True}}
    wanted = {
        "the metadata": ({"items": {"fields": fields}}, "metadata 'price'"),
        "a field": (
            {"items": {"fields": {"text": fields["text"]}, "metadata": {"price": "float"}}},
            "field 'image'",
        ),
        "a collection": ({"things": {"fields": fields}}, "collection 'items'"),
    }
    for collections, told in wanted.values():
        with pytest.raises(SchemaError, match=told):
            migrate(deployment(filled, "swapped", "swapped", collections=collections))
    with Host(old(filled)) as host:
        assert len(host.collection()) == 3


def test_fields_and_metadata_can_be_added(filled):
    fields = {
        "image": {"encoder": "photo"},
        "text": {"encoder": "words", "words": True},
        "mark": {"dimensions": 3},
    }
    metadata = {"price": "float", "shelf": "string"}
    wanted = deployment(filled, collections={"items": {"fields": fields, "metadata": metadata}})
    report = migrate(wanted)
    assert (report.collections[0].encoded, report.collections[0].reused) == (0, 6)
    with Host(wanted) as host:
        host.add([Item("n", parts={"mark": np.ones(3)}, metadata={"shelf": "a"})])
        assert len(host.collection()) == 4


def test_given_vectors_are_taken_over(tmp_path):
    fields = {"image": {"encoder": "photo"}, "mark": {"dimensions": 3}}
    collections = {"items": {"fields": fields}}
    mark = np.array([0.6, 0.0, 0.8], np.float32)
    with Host(deployment(tmp_path, collections=collections)) as host:
        host.add([Item("r", image=picture(tmp_path, "r", "red"), parts={"mark": mark})])
    wanted = deployment(tmp_path, "swapped", "swapped", collections=collections)
    migrate(wanted)
    with Host(wanted) as host:
        assert host.search(vector={"mark": mark})[0].score == pytest.approx(1, abs=1e-6)
    fields = {**fields, "mark": {"dimensions": 4}}
    with pytest.raises(SchemaError, match="were given"):
        migrate(
            deployment(tmp_path, "swapped", "swapped", collections={"items": {"fields": fields}})
        )


def test_a_disk_that_is_too_small_is_told_first(filled):
    layouts = Assembly(old(filled)).layouts
    with Host(old(filled)) as host:
        plans = plan_of(host.store.stored(), layouts, reencode=True)
    check_space(filled, plans, {"items": 3})
    with pytest.raises(StoreError, match=r"need about .* GiB .* are free"):
        check_space(filled, plans, {"items": 10**12})


def test_servers_and_absent_stores_are_refused(tmp_path):
    with pytest.raises(InputError, match="no store to migrate"):
        migrate(old(tmp_path))
    with pytest.raises(InputError, match="server"):
        migrate(deployment(tmp_path, store={"uri": "http://localhost:1"}))


# While another host serves


def many(tmp_path, count):
    names = list(COLOURS)
    generator = np.random.default_rng(3)
    for n in range(count):
        file = tmp_path / f"{n}.png"  # of its own content, so that each is encoded
        pixels = np.full((4, 4, 3), COLOURS[names[n % 3]], np.uint8)
        pixels[0, 0] = generator.integers(0, 255, 3)
        Image.fromarray(pixels).save(file)
        yield Item(f"{names[n % 3]}-{n}", image=str(file), text=f"a {names[n % 3]} thing")


def test_the_old_data_serve_until_the_switch_and_writes_are_followed(tmp_path):
    answers: list[tuple[str, str]] = []
    problems: list[BaseException] = []
    ended = threading.Event()

    def ask(host):
        try:
            while not ended.is_set():
                best = host.search(text="blue", k=1)[0]
                answers.append((best.id.partition("-")[0], host.deployment.encoders["photo"].type))
        except BaseException as error:
            problems.append(error)
            raise

    with Host(old(tmp_path)) as host:
        host.add(many(tmp_path, 300))
        asker = threading.Thread(target=ask, args=(host,))
        asker.start()
        steps: list[int] = []

        def write_meanwhile(done, total):
            steps.append(done)
            if len(steps) == 1:
                host.add([Item("late", text="a green thing"), Item("blue-2", text="now red")])
                host.delete(["red-0", "red-3"])
                host.collection().snapshot()  # which purges the tombstones

        try:
            report = migrate(new(tmp_path), progress=write_meanwhile)
            time.sleep(0.05)
        finally:
            ended.set()
            asker.join()
        assert problems == []
        assert report.switched
        assert {colour for colour, _ in answers} == {"blue"}
        served = [encoder for _, encoder in answers]
        assert served == sorted(served)
        assert set(served) == {"colour", "swapped"}
        found = set(host.collection().ids())
        assert len(found) == len(host.collection()) == 299
        assert "late" in found
        assert not {"red-0", "red-3"} & found
        assert "blue-2" not in by_image(host, "blue")
        host.add([Item("after", text="a red thing")])
    with Host(new(tmp_path)) as again:
        assert len(again.collection()) == 300


SEEN: list[object] = []


class CountingPlugin(Plugin):
    """Looks at its host whenever it is started."""

    name, version, api_version = "counting", "1", API_VERSION

    def start(self, host):
        SEEN.append((host.deployment.encoders["photo"].type, len(host.collection())))

    def stop(self):
        SEEN.append("stopped")


def test_a_plugin_meets_the_migrated_collections(filled):
    SEEN.clear()
    remove = registry.register(registry.PLUGINS, "counting", CountingPlugin)
    try:
        with Host(deployment(filled, plugins={"counting": {}})) as host:
            host.start()
            migrate(new(filled))
            assert SEEN == [("colour", 3), "stopped", ("swapped", 3)]
    finally:
        remove()


def test_data_that_the_owner_cannot_use_leave_it_with_the_old_ones(tmp_path, monkeypatch):
    with Host(old(tmp_path)) as host:
        host.add(colours(tmp_path))
        monkeypatch.setattr(SwappedAligner, "warm_up", _unusable)
        with pytest.raises(InputError, match="weights are gone"):
            migrate(new(tmp_path))
        assert by_image(host, "blue")[0] == "blue"
        host.add([Item("more", text="green")])
        monkeypatch.undo()
        monkeypatch.setenv("TIEPOINT_CACHE", str(tmp_path / "cache"))
        assert migrate(new(tmp_path)).collections[0].resumed == 3
        assert len(host.collection()) == 4


def _unusable(self):
    raise InputError("the weights are gone")


HOLDER = """
import sys, time
from pathlib import Path
from tiepoint.index.ownership import StoreLock
StoreLock(Path(sys.argv[1])).acquire()
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(filled):
    """Another process that holds the store and takes no calls."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(filled / "store")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_an_owner_that_cannot_be_reached_is_named(filled, holder):
    with pytest.raises(StoreOwnedError, match=f"process {holder.pid} .*takes no calls"):
        migrate(new(filled))


def test_two_migrations_of_one_store_exclude_each_other(tmp_path):
    with Host(old(tmp_path)) as host:
        host.add(many(tmp_path, 80))
        refused = []

        def another(done, total):
            if not refused:
                with pytest.raises(StoreOwnedError, match="being migrated already") as caught:
                    migrate(new(tmp_path))
                refused.append(caught.value)

        assert migrate(new(tmp_path), progress=another).switched
        assert refused


def test_a_migration_that_was_begun_to_something_else_is_given_up(filled):
    (filled / "red.png").write_bytes(b"no picture")
    with pytest.raises(MissingItemsError):
        migrate(new(filled))
    report = migrate(deployment(filled, "colour", "other"))
    assert (report.collections[0].resumed, report.collections[0].reused) == (0, 6)


def test_the_state_of_a_store_says_which_generation_counts(filled):
    assert json.loads((filled / "store" / "store.json").read_text())["generation"] == 0
    migrate(new(filled))
    assert json.loads((filled / "store" / "store.json").read_text())["generation"] == 1
