"""`tiepoint bench recommend`: answers, events and memory of a service, on data made by code."""

from __future__ import annotations

import resource
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tiepoint.cli.json_file import json_option
from tiepoint_adapters.benchmarks.report import report

if TYPE_CHECKING:
    from tiepoint_recommendation.service import RecommendationService

_RANKERS = ("popularity", "item-item", "ease", "sequence", "fused")
_WARMING = 50
_CALLERS = 32
_MIB = 2**20


@click.command("recommend", epilog="Example: tiepoint bench recommend --users 1000 --items 500")
@click.option("--users", default=10_000, show_default=True, type=click.IntRange(10))
@click.option("--items", default=100_000, show_default=True, type=click.IntRange(100))
@click.option("--events", default=1_000_000, show_default=True, type=click.IntRange(100))
@click.option("--asks", default=2000, show_default=True, type=click.IntRange(10))
@json_option
def bench_recommend(users: int, items: int, events: int, asks: int, json_file: Path | None) -> None:
    """Milliseconds of an answer, events a second, and memory, from a store on this disk."""
    rows = measure(users, items, events, asks)
    report(
        rows,
        json_file,
        f"{users:,} users, {items:,} items, {events:,} events, answers of 10",
        apart=("what",),
    )


def measure(users: int, items: int, events: int, asks: int) -> list[dict[str, Any]]:
    """Return rows, each with what was measured under `what`.

    Args:
        users: Number of users.
        items: Size of the catalogue.
        events: Number of events; each user has as many.
        asks: Number of questions, each by itself.
    """
    from tiepoint.embedded import embedded_deployment
    from tiepoint_recommendation.live.settings import LiveSettings
    from tiepoint_recommendation.service import RecommendationService
    from tiepoint_recommendation.settings import FitSettings

    with tempfile.TemporaryDirectory(prefix="tiepoint-bench-") as name:
        store = Path(name)
        rows = _filled(store, users, items, events)
        deployment = embedded_deployment(store / "collection", "fast", None)
        service = RecommendationService(store, deployment, LiveSettings(), FitSettings())
        service.start()
        try:
            rows.append(_answers(service, users, asks))
            rows.append(_following(service, users, items, min(asks, 500)))
            rows += [
                _taking(service, users, items, size, callers)
                for size, callers in ((1, 1), (1, _CALLERS), (100, 1), (1000, 1))
            ]
        finally:
            service.stop()
    return rows


def _filled(store: Path, users: int, items: int, events: int) -> list[dict[str, Any]]:
    """Fill a store and fit a model; return what that took."""
    import numpy as np

    from tiepoint_recommendation.fitting import fit_model
    from tiepoint_recommendation.interactions import event_log
    from tiepoint_recommendation.item_space import item_space
    from tiepoint_recommendation.saving import save_model
    from tiepoint_recommendation.settings import BlendSettings, FitSettings
    from tiepoint_recommendation.storage.catalogue import CatalogueStore
    from tiepoint_recommendation.storage.database import FILE, Database
    from tiepoint_recommendation.storage.events import EventStore
    from tiepoint_recommendation.types import Product

    rng = np.random.default_rng(0)
    topics = rng.integers(0, 200, items)
    centres = rng.normal(size=(200, 128)).astype(np.float32)
    vectors = centres[topics] + rng.normal(size=(items, 128)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    products = [
        Product(
            f"i{number}",
            stock=int(number % 50),
            price=float(number % 97),
            brand=f"b{number % 300}",
            category=f"c{topics[number]}",
        )
        for number in range(items)
    ]
    made = _events(rng, users, topics, events)
    database = Database.of_store(store)
    CatalogueStore(database).put(products)
    started = time.perf_counter()
    for start in range(0, len(made), 10_000):
        EventStore(database).append(made[start : start + 10_000])
    loading_s = time.perf_counter() - started
    database.close()
    size = sum(file.stat().st_size for file in store.glob(f"{FILE}*"))

    settings = FitSettings(
        blend=BlendSettings(
            rankers={name: {} for name in _RANKERS}, weights=dict.fromkeys(_RANKERS, 1.0)
        )
    )
    before = _peak_mib()
    started = time.perf_counter()
    log, _ = event_log(
        ((one.user, one.item, one.kind, one.time_s, None) for one in made), settings.events
    )
    space = item_space(products, {"fused": vectors}, ())
    known = {id_: number for number, id_ in enumerate(space.ids)}
    numbers = np.array([known[id_] for id_ in log.items], np.int32)
    from dataclasses import replace

    log = replace(log, items=space.ids, item=numbers[log.item])
    model = replace(fit_model(log, space, settings), generation="1-bench")
    fit_s = time.perf_counter() - started
    grown = _peak_mib() - before
    save_model(model, store, {}, "bench")
    millions = events / 1e6
    return [
        {
            "what": "loading",
            "events_per_s": round(len(made) / loading_s),
            "database_mib_per_million_events": round(size / _MIB / millions, 1),
        },
        {
            "what": "fit",
            "seconds": round(fit_s, 1),
            "peak_mib": round(grown),
            "peak_mib_per_million_events": round(grown / millions),
        },
    ]


def _events(rng: Any, users: int, topics: Any, events: int) -> list[Any]:
    """Return events of users who each like a few topics, and what is popular in them."""
    import numpy as np

    from tiepoint_recommendation.types import Event

    each = max(events // users, 1)
    order = np.argsort(topics, kind="stable")
    starts = np.searchsorted(topics[order], np.arange(201))
    made = []
    for user in range(users):
        liked = rng.choice(200, 5, replace=False)
        sizes = np.maximum(starts[liked + 1] - starts[liked], 1)
        picks = rng.integers(0, 5, each)
        places = (rng.random(each) ** 3 * sizes[picks]).astype(int)
        chosen = order[np.minimum(starts[liked[picks]] + places, len(order) - 1)]
        times = 1.7e9 + np.sort(rng.uniform(0, 5e6, each))
        made += [
            Event(f"u{user}", f"i{item}", "view", float(when))
            for item, when in zip(chosen.tolist(), times, strict=True)
        ]
    return made


def _answers(service: RecommendationService, users: int, asks: int) -> dict[str, Any]:
    import numpy as np

    from tiepoint_recommendation.live.asks import Ask

    rng = np.random.default_rng(1)
    took = []
    for number in range(asks + _WARMING):
        ask = Ask(user=f"u{rng.integers(users)}", k=10)
        watch = _Watch()
        service.recommend(ask)
        if number >= _WARMING:
            took.append(watch.read())
    current = sum(
        file.stat().st_size for file in (service.models.store / "models").glob("*/*.safetensors")
    )
    return {"what": "answer", **_times(took), "model_mib": round(current / _MIB)}


def _following(service: RecommendationService, users: int, items: int, asks: int) -> dict[str, Any]:
    """Measure from an event to the answer that knows it, both in turn."""
    import numpy as np

    from tiepoint_recommendation.live.asks import Ask
    from tiepoint_recommendation.types import Event

    rng = np.random.default_rng(2)
    took = []
    for _ in range(asks):
        user = f"u{rng.integers(users)}"
        event = Event(user, f"i{rng.integers(items)}", "click", time.time())
        watch = _Watch()
        service.record_event(event)
        service.recommend(Ask(user=user, k=10))
        took.append(watch.read())
    return {"what": "event and answer", **_times(took)}


def _taking(
    service: RecommendationService, users: int, items: int, size: int, callers: int
) -> dict[str, Any]:
    """Measure durable events a second, so many in a call; processor time tells one core's."""
    import numpy as np

    from tiepoint_recommendation.types import Event

    rng = np.random.default_rng(3 + size + callers)
    count = 20_000 if size * callers > 1 else 1000
    batches = [
        [
            Event(f"u{rng.integers(users)}", f"i{rng.integers(items)}", "view", time.time() + n)
            for n in range(size)
        ]
        for _ in range(count // size)
    ]

    def tell(number: int) -> None:
        for batch in batches[number::callers]:
            service.record_events(batch)

    threads = [threading.Thread(target=tell, args=(number,)) for number in range(callers)]
    started, busy = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took_s, busy_s = time.perf_counter() - started, time.process_time() - busy
    return {
        "what": "events",
        "events_per_call": size,
        "callers": callers,
        "events_per_s": round(count / took_s),
        "events_per_core_s": round(count / busy_s),
    }


class _Watch:
    """Measures seconds, and of these the processor's, which others on the machine do not add to."""

    def __init__(self) -> None:
        self._began = time.perf_counter(), time.thread_time()

    def read(self) -> tuple[float, float]:
        """Return the seconds since the beginning, and those of this thread on a processor."""
        began, busy = self._began
        return time.perf_counter() - began, time.thread_time() - busy


def _times(took: list[tuple[float, float]]) -> dict[str, float]:
    import numpy as np

    seconds, busy = np.array(took).T
    p50, p95, p99 = np.percentile(seconds, [50, 95, 99]) * 1000
    cpu50, cpu99 = np.percentile(busy, [50, 99]) * 1000
    return {
        "p50_ms": round(float(p50), 2),
        "p95_ms": round(float(p95), 2),
        "p99_ms": round(float(p99), 2),
        "p50_cpu_ms": round(float(cpu50), 2),
        "p99_cpu_ms": round(float(cpu99), 2),
    }


def _peak_mib() -> float:
    """Return the most memory that this process has had so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (_MIB if sys.platform == "darwin" else 1024)
