"""Encoders of small pictures and texts, pairs of both, and the command with these encoders.

python -m tests.integration.pair_encoders align fit ...
"""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from tests.small_encoders import unit
from tiepoint import registry
from tiepoint.encoders.base import Encoder
from tiepoint.errors import DecodeError


class MeanPixels(Encoder):
    """A 4 x 4 thumbnail, mixed by a fixed matrix."""

    modalities = ("image",)
    dim = 48
    fingerprint = "mean-pixels-1"
    encoded = 0

    def prepare(self, part, modality=None):
        if isinstance(part, np.ndarray):
            return np.asarray(Image.fromarray(part).resize((4, 4)), np.float32).ravel() / 255
        try:
            content = part if isinstance(part, bytes) else Path(part).read_bytes()
            with Image.open(io.BytesIO(content)) as opened:
                return np.asarray(opened.convert("RGB").resize((4, 4)), np.float32).ravel() / 255
        except OSError as error:
            raise DecodeError("not a picture") from error

    def infer(self, prepared, modality=None):
        MeanPixels.encoded += len(prepared)
        mix = np.random.default_rng(1).normal(size=(48, 48)).astype(np.float32)
        return unit(np.stack(prepared) @ mix + 0.01)


class WordCounts(Encoder):
    """Numbers of a text, mixed by a fixed matrix."""

    modalities = ("text",)
    dim = 32
    fingerprint = "word-counts-1"

    def prepare(self, part, modality=None):
        if not part.strip():
            raise DecodeError("the text is empty")
        return np.array([float(word) for word in part.split()[1:]], np.float32)

    def infer(self, prepared, modality=None):
        mix = np.random.default_rng(2).normal(size=(48, 32)).astype(np.float32)
        return unit(np.stack(prepared) @ mix + 0.01)


def register():
    """Register both encoders; returns a function that takes them away again."""
    undo = [
        registry.register(registry.ENCODERS, "mean-pixels", MeanPixels),
        registry.register(registry.ENCODERS, "word-counts", WordCounts),
    ]
    return lambda: [remove() for remove in undo]


def write_pairs(folder):
    """Write 150 pictures of 4 x 4 blocks with two texts each that name the blocks, with noise."""
    generator = np.random.default_rng(0)
    (folder / "images").mkdir()
    with (folder / "pairs.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "text", "lang", "split", "label"])
        for number in range(150):
            blocks = generator.integers(0, 256, (4, 4, 3), np.uint8)
            name = f"images/{number}.png"
            Image.fromarray(blocks.repeat(4, 0).repeat(4, 1)).save(folder / name)
            split = "train" if number < 100 else "val"
            for lang in ("en", "zh"):
                noisy = blocks.ravel() / 255 + generator.normal(0, 0.25, 48)
                words = " ".join(f"{value:.3f}" for value in noisy)
                writer.writerow([name, f"{lang} {words}", lang, split, f"class{number % 3}"])
    return folder / "pairs.csv"


def write_deployment(folder):
    """Write a deployment with both encoders."""
    path = folder / "deploy.yaml"
    path.write_text(
        """\
version: 1
encoders: {photo: {type: mean-pixels}, words: {type: word-counts}}
alignment: {type: ridge, encoders: {image: photo, text: words}}
store: {uri: ./store}
collections: {items: {fields: {image: {encoder: photo}, text: {encoder: words}}}}
"""
    )
    return path


if __name__ == "__main__":
    from tiepoint.cli.main import main

    register()
    sys.exit(main())
