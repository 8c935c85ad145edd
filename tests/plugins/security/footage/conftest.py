"""A deployment whose encoders know colours by their names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.small_encoders import COLOUR_COMPONENTS, registered

DEPLOYMENT = """
version: 1
encoders:
  photo: {type: pixel-colour}
  clip: {type: video, frames: {type: pixel-colour}}
  words: {type: colour-words}
alignment: {type: colour, encoders: {image: photo, text: words}}
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
    with registered(*COLOUR_COMPONENTS):
        yield


@pytest.fixture
def config(small_components, tmp_path) -> Path:
    file = tmp_path / "deploy.yaml"
    file.write_text(DEPLOYMENT)
    return file
