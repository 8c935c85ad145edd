"""What every store must do; subclass `StoreConformance` to test one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tiepoint.errors import FingerprintError, SchemaError
from tiepoint.index.base import CollectionSchema, Row, Store, TextAnalysis, VectorField

SCHEMA = CollectionSchema(
    name="items",
    vectors=(VectorField("image", 8, "image-encoder"), VectorField("text", 4, "text-encoder")),
    texts={"text": TextAnalysis()},
    metadata={
        "colour": "string",
        "count": "int",
        "price": "float",
        "new": "bool",
        "tags": "strings",
        "sizes": "ints",
        "weights": "floats",
    },
)
"""The collection that the suite fills."""


def make_row(item: str, seed: int = 0, *, image: bool = True, text: bool = True) -> Row:
    """Return a row of `SCHEMA` with vectors that follow from its id and `seed`.

    Args:
        item: Its id.
        seed: Another seed gives another vector, text and digest.
        image: Whether it has an image vector.
        text: Whether it has a text vector.
    """
    random = np.random.default_rng([seed, *item.encode()])
    vectors = {}
    for field in SCHEMA.vectors:
        if {"image": image, "text": text}[field.name]:
            vector = random.normal(size=field.dim).astype(np.float32)
            vectors[field.name] = vector / np.linalg.norm(vector)
    return Row(
        item, vectors, {"count": seed}, {"text": f"words of {item} {seed}"}, f"{item}-{seed}"
    )


def stored_rows(store: Store, after: int = 0) -> dict[str, Row | None]:
    """Return what a scan yields, by id; None for a tombstone."""
    found: dict[str, Row | None] = {}
    for batch in store.scan(SCHEMA.name, after):
        for _, content in batch:
            item, row = (content.id, content) if isinstance(content, Row) else (content, None)
            assert item not in found, f"{item} came twice"
            found[item] = row
    return found


def assert_same_row(found: Row | None, expected: Row) -> None:
    """Fail unless two rows are equal, vectors bit by bit."""
    assert found is not None
    assert (found.id, found.digest) == (expected.id, expected.digest)
    assert found.metadata == expected.metadata
    assert found.parts == expected.parts
    assert found.vectors.keys() == expected.vectors.keys()
    for name, vector in expected.vectors.items():
        np.testing.assert_array_equal(found.vectors[name], vector)
        assert found.vectors[name].dtype == np.float32


class StoreConformance(ABC):
    """Tests that a store keeps what the `Store` contract promises."""

    @abstractmethod
    def make_store(self, folder: Path) -> Store:
        """Return an unopened store whose data lie in `folder`; called again to reopen it."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        """An open store with an empty collection."""
        store = self.make_store(tmp_path / "store")
        store.open()
        store.create(SCHEMA)
        yield store
        store.close()

    def test_rows_come_back_as_they_were_written(self, store: Store) -> None:
        full = make_row("full")
        full.metadata.update(
            colour="grün",
            count=-(2**62),
            price=0.1,
            new=False,
            tags=["a", "b c", "北京"],
            sizes=[1, -2],
            weights=[0.5, 1e300],
        )
        odd = make_row("quote \" ' back \\ slash\n新")
        odd.parts["text"] = 'a "quoted"\nline\\ 𝄞'
        odd.metadata.update(tags=[], colour="")
        store.upsert(SCHEMA.name, [full, odd])
        found = stored_rows(store)
        assert found.keys() == {full.id, odd.id}
        assert_same_row(found[full.id], full)
        assert_same_row(found[odd.id], odd)

    def test_missing_parts_stay_missing(self, store: Store) -> None:
        rows = [make_row("text only", image=False), make_row("image only", text=False)]
        rows.append(replace(make_row("neither", image=False, text=False), metadata={}, parts={}))
        for row in rows:
            store.upsert(SCHEMA.name, [row])
        found = stored_rows(store)
        for row in rows:
            assert_same_row(found[row.id], row)

    def test_upsert_replaces_everything_of_an_item(self, store: Store) -> None:
        old = make_row("a")
        old.metadata["colour"] = "red"
        new = make_row("a", seed=1, image=False)
        store.upsert(SCHEMA.name, [old])
        store.upsert(SCHEMA.name, [new])
        assert store.count(SCHEMA.name) == 1
        assert_same_row(stored_rows(store)["a"], new)

    def test_sequence_grows_with_every_write(self, store: Store) -> None:
        seen = [store.last_sequence(SCHEMA.name)]
        seen.append(store.upsert(SCHEMA.name, [make_row("a"), make_row("b")]))
        seen.append(store.delete(SCHEMA.name, ["a"]))
        seen.append(store.upsert(SCHEMA.name, [make_row("a")]))
        assert seen == sorted(set(seen))
        assert store.last_sequence(SCHEMA.name) == seen[-1]

    def test_scan_yields_only_what_came_after(self, store: Store) -> None:
        store.upsert(SCHEMA.name, [make_row("a"), make_row("b")])
        sequence = store.upsert(SCHEMA.name, [make_row("c")])
        store.upsert(SCHEMA.name, [make_row("a", seed=1), make_row("d")])
        store.delete(SCHEMA.name, ["b"])
        found = stored_rows(store, after=sequence)
        assert found.keys() == {"a", "b", "d"}
        assert found["b"] is None

    def test_pages_of_a_scan_follow_each_other_in_order(self, store: Store) -> None:
        for start in range(0, 90, 30):
            store.upsert(SCHEMA.name, [make_row(str(i)) for i in range(start, start + 30)])
        store.upsert(SCHEMA.name, [make_row("5", seed=1)])
        pages = [[number for number, _ in page] for page in store.scan(SCHEMA.name, page=20)]
        assert len(pages) > 3
        assert sum(map(len, pages)) == 90
        for page, following in pairwise(pages):
            assert max(page) < min(following)

    def test_deleted_items_are_tombstones_until_purged(self, store: Store) -> None:
        store.upsert(SCHEMA.name, [make_row("a"), make_row("b"), make_row("c")])
        sequence = store.delete(SCHEMA.name, ["a"])
        store.delete(SCHEMA.name, ["b"])
        assert store.count(SCHEMA.name) == 1
        assert stored_rows(store)["a"] is None
        store.purge(SCHEMA.name, sequence)
        found = stored_rows(store)
        assert "a" not in found
        assert found["b"] is None
        assert store.count(SCHEMA.name) == 1

    def test_a_deleted_item_can_come_back(self, store: Store) -> None:
        store.upsert(SCHEMA.name, [make_row("a")])
        sequence = store.delete(SCHEMA.name, ["a"])
        store.upsert(SCHEMA.name, [make_row("a", seed=1)])
        store.purge(SCHEMA.name, sequence)
        assert store.count(SCHEMA.name) == 1
        assert_same_row(stored_rows(store)["a"], make_row("a", seed=1))

    def test_everything_survives_reopening(self, store: Store, tmp_path: Path) -> None:
        store.upsert(SCHEMA.name, [make_row("a"), make_row("b")])
        last = store.delete(SCHEMA.name, ["b"])
        store.purge(SCHEMA.name, last)
        identity = store.identity(SCHEMA.name)
        store.close()
        again = self.make_store(tmp_path / "store")
        again.open()
        try:
            again.create(SCHEMA)
            assert again.last_sequence(SCHEMA.name) == last
            assert again.count(SCHEMA.name) == 1
            assert again.identity(SCHEMA.name) == identity
            assert_same_row(stored_rows(again)["a"], make_row("a"))
            assert again.upsert(SCHEMA.name, [make_row("c")]) > last
        finally:
            again.close()

    def test_another_encoder_is_refused_by_field_and_name(self, store: Store) -> None:
        image, text = SCHEMA.vectors
        other = replace(SCHEMA, vectors=(image, replace(text, fingerprint="other-encoder")))
        with pytest.raises(FingerprintError, match=r"'text'.*text-encoder.*other-encoder"):
            store.create(other)

    def test_other_fields_or_metadata_are_refused(self, store: Store) -> None:
        with pytest.raises(SchemaError, match="metadata"):
            store.create(replace(SCHEMA, metadata={**SCHEMA.metadata, "count": "float"}))
        with pytest.raises(SchemaError, match="vector fields"):
            store.create(replace(SCHEMA, vectors=SCHEMA.vectors[:1]))
        with pytest.raises(SchemaError, match="word"):
            store.create(replace(SCHEMA, texts={}))
        with pytest.raises(SchemaError, match="word"):
            store.create(replace(SCHEMA, texts={"text": TextAnalysis(("german",))}))

    def test_collections_do_not_mix(self, store: Store) -> None:
        store.create(replace(SCHEMA, name="others"))
        store.upsert("others", [make_row("a")])
        assert store.count(SCHEMA.name) == 0
        assert store.count("others") == 1
        assert store.identity("others") != store.identity(SCHEMA.name)

    def test_many_rows_are_scanned_completely(self, store: Store) -> None:
        for start in range(0, 3000, 1000):
            store.upsert(SCHEMA.name, [make_row(str(i)) for i in range(start, start + 1000)])
        for _ in range(3):
            store.upsert(SCHEMA.name, [make_row(str(i), seed=1) for i in range(500)])
        assert stored_rows(store).keys() == {str(i) for i in range(3000)}

    def test_health_is_plain_data(self, store: Store) -> None:
        assert store.health()["status"] == "ok"
