"""Two collections with small encoders: a few colours, and some hundred given vectors."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.small_encoders import COLOUR_COMPONENTS, COLOURS, colour_deployment, registered
from tiepoint import Host, Item
from tiepoint.config.models import Deployment

SHELVES = ("a", "b", "c")


@pytest.fixture(autouse=True, scope="module")
def small_components():
    with registered(*COLOUR_COMPONENTS):
        yield


def dated_deployment(uri, **changes) -> Deployment:
    metadata = {"price": "float", "day": "string", "shelf": "string"}
    return colour_deployment(uri, metadata, **changes)


def picture(colour) -> Image.Image:
    return Image.new("RGB", (8, 8), COLOURS[colour])


def colour_items() -> list[Item]:
    return [
        Item(id="red", image=picture("red"), metadata={"price": 1.0, "day": "2026-01-01"}),
        Item(id="green", image=picture("green"), metadata={"price": 2.0, "day": "2026-01-08"}),
        Item(id="blue", image=picture("blue"), metadata={"price": 3.0, "day": "2026-01-15"}),
        Item(id="leaf", text="a green leaf", metadata={"price": 4.0, "shelf": "a"}),
        Item(id="sea", text="the blue sea", metadata={"price": 5.0, "shelf": "a"}),
        Item(id="flag", text="red and green flag", metadata={"price": 6.0, "shelf": "b"}),
        Item(id="poster", text="red and blue poster", image=picture("red"), metadata={}),
    ]


@pytest.fixture(scope="module")
def colours(tmp_path_factory, small_components):
    with Host(dated_deployment(tmp_path_factory.mktemp("colours") / "store")) as host:
        host.add(colour_items())
        yield host


def numbers_deployment(uri) -> Deployment:
    return Deployment.model_validate(
        {
            "version": 1,
            "store": {"uri": str(uri)},
            "collections": {
                "items": {
                    "fields": {"signal": {"dimensions": 16}, "text": {"words": True}},
                    "metadata": {"number": "int", "shelf": "string", "tags": "strings"},
                }
            },
        }
    )


def number_items(count: int) -> list[Item]:
    """Items whose vectors and words go with their number."""
    random = np.random.default_rng(0)
    vectors = random.normal(size=(count, 16)).astype(np.float32)
    words = ["apple", "banana", "cherry", "date", "elder"]
    return [
        Item(
            id=f"n{number:04d}",
            parts={"signal": vectors[number]},
            text=" ".join(words[: 1 + number % 5] * (1 + number % 3)),
            metadata={
                "number": number,
                **({"shelf": SHELVES[number % 4]} if number % 4 < 3 else {}),
            },
        )
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    with Host(numbers_deployment(tmp_path_factory.mktemp("numbers") / "store")) as host:
        host.add(number_items(600))
        yield host


def ids(hits) -> list[str]:
    return [hit.id for hit in hits]


def assert_explained(hits) -> None:
    """Every hit's contributions sum to its score, to the precision of floats."""
    assert hits
    for hit in hits:
        assert hit.score == sum(share.value for share in hit.contributions)
        for share in hit.contributions:
            assert share.value == pytest.approx(share.weight * share.standardised, abs=1e-12)
