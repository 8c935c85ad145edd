"""Layout: what a collection stores, and how a query reaches it."""

from __future__ import annotations

import pytest

from tests.small_encoders import ColourAligner, ColourEncoder, ColourWordEncoder
from tiepoint.config.collections import CollectionSection
from tiepoint.errors import ConfigError
from tiepoint.routes import Layout


def layout(fields, aligned=True, **encoders):
    encoders = encoders or {"photo": ColourEncoder(), "words": ColourWordEncoder()}
    aligner = ColourAligner({e.modalities[0]: e for e in encoders.values()}) if aligned else None
    section = CollectionSection.model_validate({"fields": fields})
    return Layout("items", section, encoders, aligner)


BOTH = {"image": {"encoder": "photo"}, "text": {"encoder": "words", "words": True}}


def names(layout, modality):
    return {route.name: route.field for route in layout.routes.get(modality, ())}


def test_each_field_is_stored_in_its_own_space_and_in_the_joint_one():
    stored = [vector.name for vector in layout(BOTH).schema.vectors]
    assert stored == ["image", "image_joint", "text", "text_joint"]


def test_a_query_uses_the_encoders_own_space_where_it_can_and_the_joint_one_elsewhere():
    assert names(layout(BOTH), "image") == {"image->image": "image", "image->text": "text_joint"}
    assert names(layout(BOTH), "text") == {"text->image": "image_joint", "text->text": "text"}


def test_without_an_alignment_there_is_no_route_across_modalities():
    assert names(layout(BOTH, aligned=False), "text") == {"text->text": "text"}


def test_an_aligner_made_for_another_encoder_is_not_used():
    encoders = {"photo": ColourEncoder(1), "other": ColourEncoder(2)}
    aligner = ColourAligner({"image": encoders["other"]})
    section = CollectionSection.model_validate({"fields": {"image": {"encoder": "photo"}}})
    made = Layout("items", section, encoders, aligner)
    assert [vector.name for vector in made.schema.vectors] == ["image"]


def test_given_vectors_have_a_field_and_no_route():
    made = layout({"signal": {"dimensions": 7}}, aligned=False)
    assert [(v.name, v.dim, v.fingerprint) for v in made.schema.vectors] == [("signal", 7, "given")]
    assert not any(made.routes.values())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"x": {"encoder": "photo", "dimensions": 3}}, "either an encoder or given vectors"),
        ({"x": {"encoder": "photo", "modality": "text"}}, "does not take text"),
        ({"x": {"encoder": "photo", "words": True}}, "only text has words"),
        ({"x": {"encoder": "photo"}, "x_joint": {"dimensions": 3}}, "need the name 'x_joint'"),
    ],
)
def test_impossible_fields_are_refused_with_their_place(fields, message):
    with pytest.raises(ConfigError, match=message) as caught:
        layout(fields)
    assert caught.value.where.startswith("collections.items.fields")
