"""Asks by sentence and by picture, with small encoders whose answers are known by hand."""

from __future__ import annotations

import io
import time

import pytest
from PIL import Image

from tests.small_encoders import COLOURS, ColourAligner, ColourEncoder, ColourWordEncoder
from tiepoint import registry
from tiepoint.config.models import Deployment
from tiepoint.errors import DecodeError, QueryError
from tiepoint_recommendation.fitting import fit
from tiepoint_recommendation.item_space import ProductEncoder
from tiepoint_recommendation.live.asks import Ask
from tiepoint_recommendation.service import RecommendationService
from tiepoint_recommendation.settings import FitSettings
from tiepoint_recommendation.types import Event, Product

NAMES = tuple(COLOURS)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    undo = [
        registry.register(registry.ENCODERS, "colour", ColourEncoder),
        registry.register(registry.ENCODERS, "colour-words", ColourWordEncoder),
        registry.register(registry.ALIGNERS, "colour", ColourAligner),
    ]
    folder = tmp_path_factory.mktemp("colours")
    content = {
        "version": 1,
        "encoders": {"photo": {"type": "colour"}, "words": {"type": "colour-words"}},
        "alignment": {"type": "colour", "encoders": {"image": "photo", "text": "words"}},
        "store": {"uri": str(folder / "collection")},
        "collections": {"items": {"fields": {"image": {"encoder": "photo"}}}},
    }
    deployment = Deployment.model_validate(content)
    service = RecommendationService(folder, deployment)
    service.open()
    products = []
    for number in range(30):
        colour = NAMES[number % 3]
        shade = tuple(max(part - 3 * number, 0) for part in COLOURS[colour])
        path = folder / f"{number}.png"
        Image.new("RGB", (8, 8), shade).save(path)
        has_text, has_image = number % 4 != 1, number % 4 != 2  # some have the one, some the other
        title = f"a {colour} thing of number {number}" if has_text else ""
        products.append(Product(f"{colour}-{number}", title, image=str(path) if has_image else ""))
    service.put_products(products)
    service.record_events(
        [
            Event(f"u{user}", products[(user + 3 * step) % 30].id, "view", 1.7e9 + step)
            for user in range(12)
            for step in range(6)
        ]
    )
    fit(service.database, folder, ProductEncoder(deployment, folder), FitSettings())
    yield service
    service.stop()
    for remove in undo:
        remove()


def colours(answered):
    return [one.id.partition("-")[0] for one in answered.items]


@pytest.mark.parametrize("colour", NAMES)
def test_a_sentence_finds_what_it_describes_by_text_and_by_picture(service, colour):
    assert set(colours(service.recommend(Ask(text=f"something {colour}", k=6)))) == {colour}


@pytest.mark.parametrize("colour", NAMES)
def test_a_picture_finds_what_looks_like_it_also_where_there_is_only_a_text(service, colour):
    picture = Image.new("RGB", (8, 8), COLOURS[colour])
    assert set(colours(service.recommend(Ask(image=picture, k=6)))) == {colour}


def test_a_sentence_and_a_user_count_both(service):
    for number in range(3):
        service.record_event(Event("ann", f"green-{1 + 3 * number}", "view", time.time() + number))
    plain = service.recommend(Ask(text="red", k=10))
    taste = service.recommend(Ask(text="red", user="ann", k=10))
    assert colours(taste)[0] == "red"
    assert {"query"} == set(plain.items[0].parts)
    assert len(taste.items[0].parts) > 1
    assert [one.id for one in taste.items] != [one.id for one in plain.items]


def test_a_file_that_is_no_picture_is_told(service):
    with pytest.raises(DecodeError):
        service.recommend(Ask(image=io.BytesIO(b"no picture").getvalue()))


def test_without_vectors_nothing_can_be_compared(open_service):
    plain = open_service()
    space = plain.models.shelf.model.space
    space.vectors.clear()
    from tiepoint_recommendation.live.queries import nearness

    with pytest.raises(QueryError, match="no item can be compared"):
        nearness(plain.models.shelf, "text", [1.0], [1.0])
