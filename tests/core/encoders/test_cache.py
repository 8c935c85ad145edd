"""Embeddings are remembered by content and encoder, across processes and kills, within a bound."""

from __future__ import annotations

import io
import os
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tiepoint.encoders.cache import EmbeddingCache, digest
from tiepoint.errors import DecodeError


def vector(value: float, dim: int = 8) -> np.ndarray:
    return np.full(dim, value, np.float32)


def test_vector_is_found_by_content_modality_and_encoder(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    cache.put({"a": vector(1), "b": vector(2)}, "image", "one")
    found = cache.get(["b", "c", "a"], "image", "one")
    assert [None if v is None else float(v[0]) for v in found] == [2, None, 1]
    assert found[0] is not None
    assert found[0].dtype == np.float32
    assert cache.get(["a"], "text", "one") == [None]
    assert cache.get(["a"], "image", "two") == [None]
    assert cache.get([], "image", "one") == []
    cache.close()


def test_least_recently_used_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1_000_000.0]
    monkeypatch.setattr("tiepoint.encoders.cache.time.time", lambda: clock[0])
    cache = EmbeddingCache(tmp_path, max_bytes=20 * 32)
    for value in range(20):
        clock[0] += 10_000
        cache.put({str(value): vector(value)}, "image", "one")
    clock[0] += 10_000
    assert cache.get(["0"], "image", "one")[0] is not None
    clock[0] += 10_000
    cache.put({"new": vector(9)}, "image", "one")
    kept = cache.get(["0", "1", "19", "new"], "image", "one")
    assert [v is not None for v in kept] == [True, False, True, True]
    found = cache.get([*map(str, range(20)), "new"], "image", "one")
    assert sum(v is not None for v in found) <= 20
    cache.close()


def test_many_keys_and_threads(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    names = [str(i) for i in range(2000)]
    cache.put({name: vector(float(name)) for name in names}, "image", "one")
    with ThreadPoolExecutor(4) as threads:
        for found in threads.map(lambda _: cache.get(names, "image", "one"), range(4)):
            assert [float(v[0]) for v in found if v is not None] == [float(n) for n in names]
    cache.close()


WRITER = """
import sys, numpy as np
from pathlib import Path
from tiepoint.encoders.cache import EmbeddingCache
cache = EmbeddingCache(Path(sys.argv[1]))
start, count = int(sys.argv[2]), int(sys.argv[3])
for i in range(start, start + count):
    cache.put({str(i): np.full(64, i, np.float32)}, "image", "one")
    print(i, flush=True)
"""


def test_processes_share_the_cache(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(start), "60"])
        for start in (0, 60)
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    cache = EmbeddingCache(tmp_path)
    assert all(v is not None for v in cache.get([str(i) for i in range(120)], "image", "one"))
    cache.close()


def test_kill_leaves_the_cache_whole(tmp_path: Path) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path), "0", "100000"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    for _ in range(25):
        last = int(writer.stdout.readline())
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    cache = EmbeddingCache(tmp_path)
    found = cache.get([str(i) for i in range(last + 1)], "image", "one")
    assert [float(v[0]) for v in found if v is not None] == list(range(last + 1))
    cache.put({"next": vector(1)}, "image", "one")
    cache.close()
    with sqlite3.connect(tmp_path / "vectors.sqlite3") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_damaged_file_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "vectors.sqlite3").write_bytes(b"this is not a database" * 500)
    cache = EmbeddingCache(tmp_path)
    cache.put({"a": vector(1)}, "image", "one")
    assert cache.get(["a"], "image", "one")[0] is not None
    cache.close()


def test_folder_that_cannot_be_used_is_told_once_and_keeps_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TIEPOINT_CACHE", str(tmp_path))
    for _ in range(2):
        cache = EmbeddingCache(tmp_path / "nowhere")
        cache.put({"a": vector(1)}, "image", "one")
        assert cache.get(["a"], "image", "one") == [None]
        health = cache.health()
        assert (health["status"], health["reason"]) == ("degraded", "unable to open database file")
        cache.close()
    [record] = caplog.records
    assert "the cache cannot be used" in record.getMessage()


def test_full_disk_ends_the_cache_but_not_the_work(small_disk: Path) -> None:
    cache = EmbeddingCache(small_disk)
    assert cache.health()["status"] == "ok"
    for start in range(0, 2000, 100):
        some = {str(i): vector(i, 512) for i in range(start, start + 100)}
        cache.put(some, "image", "one")
    health = cache.health()
    assert (health["status"], health["reason"]) == ("degraded", "database or disk is full")
    cache.close()


def test_digest_is_that_of_the_content(tmp_path: Path) -> None:
    file, copy = tmp_path / "a.bin", tmp_path / "b.bin"
    file.write_bytes(b"content")
    copy.write_bytes(b"content")
    same = [file, str(copy), b"content", bytearray(b"content"), io.BytesIO(b"content")]
    assert len({digest(part, "image") for part in same}) == 1
    assert digest("content") == digest(b"content", "image")
    assert digest(str(file)) != digest(str(file), "image")
    with pytest.raises(DecodeError):
        digest(tmp_path / "nothing", "image")


def test_digest_tells_pictures_and_arrays_apart() -> None:
    array = np.zeros((4, 6, 3), np.uint8)
    turned = Image.new("RGB", (6, 4))
    turned.getexif()[0x0112] = 6
    parts = [
        array,
        array.reshape(6, 4, 3),
        array.astype(np.float32),
        Image.new("RGB", (6, 4)),
        Image.new("RGB", (4, 6)),
        Image.new("HSV", (6, 4)),
        turned,
    ]
    assert len({digest(part, "image") for part in parts}) == len(parts)
    assert digest(array, "image") == digest(array.copy(order="F"), "image")
