"""Changed pictures: within the bounds that were asked for, and the same every time."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.small_encoders import ColourEncoder
from tiepoint.encoders.augmentation import Augmentation, AugmentedEncoder
from tiepoint.encoders.cache import EmbeddingCache
from tiepoint.encoders.pipeline import encode_parts

STILL = {"crop": 1.0, "flip": False, "colour": 0.0}


def numbered(height=40, width=60):
    """A picture whose pixels say where they are: red is the column, green the row."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 0] = np.arange(width)
    picture[..., 1] = np.arange(height)[:, None]
    return picture


def many(picture, **options):
    augmentation = Augmentation(**{**STILL, **options})
    return [augmentation(picture, np.random.default_rng(seed)) for seed in range(60)]


def test_nothing_is_changed_where_nothing_is_asked_for():
    for changed in many(numbered()):
        np.testing.assert_array_equal(changed, numbered())


def test_a_crop_is_a_piece_of_the_picture_with_at_least_the_share():
    shares = []
    for piece in many(numbered(), crop=0.4):
        top, left = piece[0, 0, 1], piece[0, 0, 0]
        height, width = piece.shape[:2]
        np.testing.assert_array_equal(piece, numbered()[top : top + height, left : left + width])
        shares.append(height * width / (40 * 60))
        assert 0.6 <= (width / height) / (60 / 40) <= 1.67
    assert 0.37 <= min(shares) < 0.5
    assert max(shares) > 0.9


def test_half_of_the_pictures_are_mirrored():
    mirrored = [np.array_equal(one, numbered()[:, ::-1]) for one in many(numbered(), flip=True)]
    assert 15 < sum(mirrored) < 45


def test_colours_change_by_no_more_than_the_share():
    grey = np.full((8, 8, 3), 100, np.uint8)
    values = [one[0, 0] for one in many(grey, colour=0.2)]
    assert all(np.ptp(value) <= 1 for value in values), "grey stays grey"
    assert 79 <= min(value[0] for value in values) < 90
    assert 110 < max(value[0] for value in values) <= 121
    coloured = np.full((8, 8, 3), (200, 100, 50), np.uint8)
    assert len({tuple(one[0, 0]) for one in many(coloured, colour=0.2)}) > 40


def test_extreme_pictures_keep_a_pixel():
    for shape in ((1, 1), (1, 300), (300, 1)):
        for piece in many(numbered(*shape), crop=0.05, flip=True, colour=0.9):
            assert piece.size


def photograph(seed):
    pixels = np.random.default_rng(seed).integers(0, 255, (4, 6, 3), np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).resize((60, 40)).save(content, "PNG")
    return content.getvalue()


class Pixels(ColourEncoder):
    def prepare(self, part, modality=None):
        assert isinstance(part, np.ndarray)
        return super().prepare(Image.fromarray(part), modality)


@pytest.fixture
def cache(tmp_path):
    opened = EmbeddingCache(tmp_path)
    yield opened
    opened.close()


def test_a_view_is_found_in_the_cache_and_never_taken_for_another(cache):
    photographs = [photograph(seed) for seed in range(5)]
    made = {}
    for view in (0, 1, 0):
        encoder = AugmentedEncoder(Pixels(), Augmentation(), view)
        encoded = encode_parts(encoder, photographs, "image", cache)
        assert (encoded.encoded, encoded.cached) == ((0, 5) if view in made else (5, 0))
        np.testing.assert_array_equal(encoded.vectors, made.setdefault(view, encoded.vectors))
    assert np.abs(made[0] - made[1]).max() > 0.01
    stronger = AugmentedEncoder(Pixels(), Augmentation(colour=0.5), 0)
    assert encode_parts(stronger, photographs, "image", cache).encoded == 5
