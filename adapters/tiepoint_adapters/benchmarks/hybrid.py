"""`tiepoint bench hybrid`: vectors, words, filters and what else a search may ask, together.

Items are vectors in clusters, texts of 12 words whose frequencies follow Zipf's law, and a
number to filter on. Every query has a vector, words and a filter of its own, so that no answer
and no filter is remembered. The kinds of queries take turns, one query at a time.
"""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from tiepoint.cli.json_file import json_option
from tiepoint.cli.output import say
from tiepoint.config.models import Deployment
from tiepoint.errors import InputError
from tiepoint.host import Host
from tiepoint.types import Item
from tiepoint_adapters.benchmarks.report import report
from tiepoint_adapters.benchmarks.vectors import clustered

_COLLECTION = "items"
_VOCABULARY = 20_000
_TEXT_WORDS = 12
_QUERY_WORDS = 3
_ROUNDS = 5
_SHARES = (0.5, 0.1, 0.01, 0.001)

Question = Callable[[int], dict[str, Any]]


@click.command("hybrid", epilog="Example: tiepoint bench hybrid --n 20000")
@click.option("--n", "count", default=100_000, show_default=True, help="Items to search in.")
@click.option("--dim", default=256, show_default=True, help="Length of the vectors.")
@click.option("--k", default=10, show_default=True, help="Hits to find.")
@click.option("--queries", default=200, show_default=True, help="Queries of each kind.")
@json_option
def bench_hybrid(count: int, dim: int, k: int, queries: int, json_file: Path | None) -> None:
    """Searches by vector, words and filter at once, fused."""
    if not 1 <= k <= 100 or count < 1000 or dim < 24 or queries < _ROUNDS:
        raise InputError(
            f"n={count}, dim={dim}, k={k}, queries={queries} is no sensible search",
            hint=f"Use n of at least 1000, dim of at least 24, k to 100, {_ROUNDS} queries.",
        )
    vectors = clustered(count + queries, dim)
    texts = zipf_texts(count + queries)
    with (
        tempfile.TemporaryDirectory(prefix="tiepoint-bench-") as folder,
        _host(folder, dim) as host,
    ):
        say(f"adding {count:,} items")
        host.add(_items(vectors[:count], texts[:count]))
        kinds = _kinds(vectors[count:], [_words(text) for text in texts[count:]], count)
        say("timing")
        timings = _timings(host, kinds, queries, k)
    rows = [
        {"query": name, "p50_ms": _percentile(taken, 50), "p99_ms": _percentile(taken, 99)}
        for name, taken in timings.items()
    ]
    report(rows, json_file, f"The {k} best of {count:,} items")


def zipf_texts(count: int) -> list[str]:
    """Return texts whose words have frequencies after Zipf's law."""
    rng = np.random.default_rng(1)
    ranks: NDArray[np.int64] = rng.zipf(1.1, (count, 3 * _TEXT_WORDS))
    return [
        " ".join(f"word{rank}" for rank in row[row <= _VOCABULARY][:_TEXT_WORDS].tolist())
        for row in ranks
    ]


def _host(folder: str, dim: int) -> Host:
    return Host(
        Deployment.model_validate(
            {
                "version": 1,
                "store": {"uri": folder},
                "collections": {
                    _COLLECTION: {
                        "fields": {"vector": {"dimensions": dim}, "text": {"words": True}},
                        "metadata": {"number": "int", "group": "int"},
                    }
                },
            }
        )
    )


def _items(vectors: NDArray[np.float32], texts: list[str]) -> Iterator[Item]:
    for number, (vector, text) in enumerate(zip(vectors, texts, strict=True)):
        metadata = {"number": number, "group": number % 1000}
        parts = {"vector": vector, **({"text": text} if text else {})}
        yield Item(str(number), parts=parts, metadata=metadata)


def _words(text: str) -> str:
    return " ".join(text.split()[:_QUERY_WORDS]) or "word1"


def _kinds(vectors: NDArray[np.float32], words: list[str], count: int) -> dict[str, Question]:
    def vector(number: int) -> dict[str, Any]:
        return {"vector": {"vector": vectors[number]}}

    def both(number: int) -> dict[str, Any]:
        return {**vector(number), "text": words[number]}

    def filtered(share: float) -> Question:
        width = max(1, round(share * count))
        starts = np.random.default_rng(2).integers(0, count - width + 1, len(vectors)).tolist()

        def ask(number: int) -> dict[str, Any]:
            first = starts[number]
            return {**both(number), "where": f"number >= {first} and number < {first + width}"}

        return ask

    def more(**options: Any) -> Question:
        return lambda number: {**both(number), **options}

    decay = {"field": "number", "origin": count // 2, "scale": count // 10}
    return {
        "vector": vector,
        "words": lambda number: {"text": words[number]},
        "vector + words": both,
        **{f"vector + words + filter ({share:.1%})": filtered(share) for share in _SHARES},
        "vector + words - words": lambda number: {
            **both(number),
            "negative": words[number - 1],
        },
        "vector + words, decay": more(boosts={"near": {"value": 2.0, "decay": decay}}),
        "vector + words, groups": more(group_by="group"),
        "vector + words, diversity": more(diversity=0.3),
        "vector + words, more like two": more(like=["1", "2"]),
    }


def _timings(
    host: Host, kinds: dict[str, Question], queries: int, k: int
) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = defaultdict(list)
    for ask in kinds.values():
        host.search(**ask(0), k=k)
    for turn in np.array_split(np.arange(queries), _ROUNDS):
        for name, ask in kinds.items():
            for number in turn.tolist():
                question = ask(number)
                started = time.perf_counter()
                host.search(**question, k=k)
                taken[name].append(time.perf_counter() - started)
    return taken


def _percentile(seconds: list[float], percent: int) -> float:
    return round(float(np.percentile(seconds, percent)) * 1000, 3)
