"""Items and errors say what is wrong with them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tiepoint import Contribution, Hit, Item
from tiepoint.errors import DecodeError, SchemaError, StoreError


def test_an_item_keeps_the_parts_it_has():
    item = Item(id="a", text="x", parts={"thermal": b"1"}, metadata={"price": 1.5})
    assert item.parts == {"text": "x", "thermal": b"1"}
    assert item.metadata == {"price": 1.5}


@pytest.mark.parametrize("bad", ["", None, 5, "x" * 513, "é" * 300, "\ud800"])
def test_an_item_without_a_usable_id_is_refused(bad):
    with pytest.raises(SchemaError, match="item id"):
        Item(id=bad, text="x")


@pytest.mark.parametrize("bad", ["a\0b", "a\nb", "\t", "a\x7f", "a\x9b"])
def test_an_id_with_a_control_character_is_refused(bad):
    with pytest.raises(SchemaError, match="has a control character") as refused:
        Item(id=bad, text="x")
    assert len(str(refused.value).splitlines()) == 1


def test_an_item_without_parts_is_refused_by_name():
    with pytest.raises(SchemaError, match=r"^a17: the item has no part"):
        Item(id="a17")


def test_an_error_is_one_line_with_what_where_and_what_to_do():
    error = DecodeError("broken\nstream", where="a.jpg", hint="Replace it.")
    assert str(error) == "a.jpg: broken stream. Replace it."
    assert error.exit_code == 2
    assert StoreError("x").exit_code == 1


def test_a_hit_as_data_has_the_documented_keys():
    hit = Hit("a", 1.0, None, (Contribution("text->image", 0.2, 2.0, 0.5, 1.0),))
    assert set(hit.as_dict()) == {
        "id", "score", "probability", "contributions", "metadata", "parts", "explanation",
    }  # fmt: skip
    assert hit.as_dict()["contributions"][0]["value"] == 1.0


def test_importing_the_package_imports_no_heavy_library():
    heavy = ("torch", "transformers", "numpy", "pymilvus", "faiss", "openvino", "pydantic")
    code = f"import sys, tiepoint; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("wrong", [{"metadata": ["a"]}, {"parts": ["a"]}, {"metadata": "a"}])
def test_metadata_and_parts_must_be_named(wrong):
    with pytest.raises(SchemaError, match="dictionary"):
        Item(id="a", text="x", **wrong)
