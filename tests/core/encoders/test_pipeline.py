"""Many parts: in order, each content once, known ones from the cache, failures set apart."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.encoders.cache import EmbeddingCache, digest
from tiepoint.encoders.images import read_image
from tiepoint.encoders.pipeline import encode_parts
from tiepoint.types import IMAGE, Modality


class MeanColour(Encoder):
    """The mean colour of a picture, as a unit vector; it notes what it does."""

    modalities = (IMAGE,)
    dim = 3
    fingerprint = "mean colour"
    batch_size = 8

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.threads: set[str] = set()

    def prepare(self, part: Any, modality: Modality | None = None) -> Vectors:
        self.threads.add(threading.current_thread().name)
        return np.asarray(read_image(part).mean((0, 1)), np.float32)

    def infer(self, prepared: Sequence[Vectors], modality: Modality | None = None) -> Vectors:
        self.batches.append(len(prepared))
        stacked = np.stack(prepared) + 1
        return np.asarray(stacked / np.linalg.norm(stacked, axis=1, keepdims=True), np.float32)


def colours(folder: Path, count: int) -> list[Path]:
    files = [folder / f"{i}.png" for i in range(count)]
    for i, file in enumerate(files):
        Image.new("RGB", (4, 4), (5 * i % 256, 80, 255 - 3 * i % 256)).save(file)
    return files


def test_vectors_are_those_of_encode_in_order(tmp_path: Path) -> None:
    encoder, files = MeanColour(), colours(tmp_path, 50)
    result = encode_parts(encoder, files)
    assert encoder.batches == [8] * 6 + [2]
    np.testing.assert_array_equal(result.vectors, MeanColour().encode(files))
    assert result.digests == [digest(file, IMAGE) for file in files]
    assert (result.encoded, result.cached, result.errors) == (50, 0, {})
    assert all(name.startswith("tiepoint-prepare") for name in encoder.threads)


def test_broken_parts_are_set_apart_and_named(tmp_path: Path) -> None:
    files: list[Any] = list(colours(tmp_path, 20))
    files[3].write_bytes(b"")
    files[7].write_bytes(b"some text")
    files[11] = tmp_path / "missing.png"
    files[12] = b"\x89PNG broken"
    result = encode_parts(MeanColour(), files)
    assert sorted(result.errors) == [3, 7, 11, 12]
    assert [result.errors[i].where for i in (3, 7, 11, 12)] == [*map(str, files[3:12:4]), None]
    assert np.isnan(result.vectors[[3, 7, 11, 12]]).all()
    good = [i for i in range(20) if i not in result.errors]
    np.testing.assert_array_equal(
        result.vectors[good], MeanColour().encode([files[i] for i in good])
    )
    assert (result.encoded, result.cached) == (16, 0)


def test_equal_contents_are_encoded_once(tmp_path: Path) -> None:
    files = colours(tmp_path, 3)
    (tmp_path / "broken.png").write_bytes(b"text")
    (tmp_path / "also broken.png").write_bytes(b"text")
    broken = [tmp_path / "broken.png", tmp_path / "also broken.png"]
    parts = [*files, *broken, files[1].read_bytes(), str(files[0])]
    encoder = MeanColour()
    result = encode_parts(encoder, parts * 4)
    assert sum(encoder.batches) == 3 == result.encoded
    assert result.cached == 4 * 5 - 3
    np.testing.assert_array_equal(result.vectors[[5, 6]], result.vectors[[1, 0]])
    assert [str(result.errors[i].where) for i in (3, 4)] == [str(path) for path in broken]


def test_known_contents_come_from_the_cache(tmp_path: Path) -> None:
    files = colours(tmp_path, 30)
    cache = EmbeddingCache(tmp_path)
    first = encode_parts(MeanColour(), files[:20], cache=cache)
    encoder = MeanColour()
    second = encode_parts(encoder, files, cache=cache)
    assert (first.encoded, second.encoded, second.cached) == (20, 10, 20)
    assert sum(encoder.batches) == 10
    np.testing.assert_array_equal(second.vectors, MeanColour().encode(files))
    Image.new("RGB", (4, 4), (1, 2, 3)).save(files[0])
    assert encode_parts(MeanColour(), files, cache=cache).encoded == 1
    other = MeanColour()
    other.fingerprint = "another encoder"
    assert encode_parts(other, files, cache=cache).encoded == 30
    cache.close()


def test_progress_counts_up_to_all_parts(tmp_path: Path) -> None:
    seen: list[int] = []
    encode_parts(MeanColour(), colours(tmp_path, 40), progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 40


def test_no_parts_give_no_vectors() -> None:
    result = encode_parts(MeanColour(), [])
    assert result.vectors.shape == (0, 3)
    assert (result.encoded, result.cached, result.digests) == (0, 0, [])


def test_interruption_leaves_no_work_behind(tmp_path: Path) -> None:
    class Interrupted(MeanColour):
        def infer(self, prepared: Sequence[Vectors], modality: Modality | None = None) -> Vectors:
            raise KeyboardInterrupt

    encoder = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        encode_parts(encoder, colours(tmp_path, 400))
    result = encode_parts(MeanColour(), colours(tmp_path, 2))
    assert result.encoded == 2
