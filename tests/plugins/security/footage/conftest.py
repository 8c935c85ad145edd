"""A deployment whose encoders know colours by their names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.small_encoders import ColourAligner, ColourWordEncoder, PixelColourEncoder
from tiepoint import registry

DEPLOYMENT = """
version: 1
encoders:
  photo: {type: pixel-colour}
  clip: {type: video, frames: {type: pixel-colour}}
  words: {type: colour-words}
alignment: {type: colours, encoders: {image: photo, text: words}}
store: {uri: ./store}
collections:
  footage:
    fields: {video: {encoder: clip}, moving: {encoder: clip}}
    metadata: {camera: string, start_s: float, end_s: float, zones: strings, severity: int}
plugins:
  security:
    footage: {segment_s: 2}
"""


@pytest.fixture
def small_components() -> Iterator[None]:
    undo = [
        registry.register(registry.ENCODERS, "pixel-colour", PixelColourEncoder),
        registry.register(registry.ENCODERS, "colour-words", ColourWordEncoder),
        registry.register(registry.ALIGNERS, "colours", ColourAligner),
    ]
    yield
    for take_away in undo:
        take_away()


@pytest.fixture
def config(small_components, tmp_path) -> Path:
    file = tmp_path / "deploy.yaml"
    file.write_text(DEPLOYMENT)
    return file
