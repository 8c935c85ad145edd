"""What the service tells of its work: Prometheus metrics, and a line for each request."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import Scope

from tiepoint_adapters.http.access import ANONYMOUS

log = logging.getLogger("tiepoint_adapters.http.requests")

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

Readings = Callable[[], dict[str, float]]


class Observer:
    """Counts and logs what is answered."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "tiepoint_http_requests",
            "Requests that were answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "tiepoint_http_request_seconds",
            "How long answers took.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.batches = Histogram(
            "tiepoint_search_batch_size",
            "Searches that were encoded together.",
            buckets=(1, 2, 4, 8, 16, 32, 64),
            registry=self.registry,
        )

    def show(self, readings: Readings) -> None:
        """Have a function read at each scrape: values by name, as gauges."""
        self.registry.register(_Gauges(readings))

    def text(self) -> bytes:
        """Return the metrics in Prometheus' text format, with those of the process."""
        return generate_latest(self.registry) + generate_latest(REGISTRY)

    def answered(self, scope: Scope, status: int, seconds: float) -> None:
        """Count and log an answer."""
        route = getattr(scope.get("route"), "path", "other")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)
        if log.isEnabledFor(logging.INFO):
            caller = scope.get("tiepoint.principal", ANONYMOUS)
            log.info(
                "%s %s %d in %.1f ms",
                scope["method"],
                scope["path"],
                status,
                seconds * 1e3,
                extra={
                    "method": scope["method"],
                    "path": scope["path"],
                    "status": status,
                    "ms": round(seconds * 1e3, 3),
                    "caller": caller.name,
                    "request": scope.get("tiepoint.request"),
                },
            )


class _Gauges(Collector):
    def __init__(self, readings: Readings) -> None:
        self._readings = readings

    def collect(self) -> Iterable[Metric]:
        families: dict[str, GaugeMetricFamily] = {}
        for name, value in self._readings().items():
            family, _, label = name.partition("{")
            if family not in families:
                labels = ("name",) if label else ()
                families[family] = GaugeMetricFamily(family, "Of the host.", labels=labels)
            families[family].add_metric([label.rstrip("}")] if label else [], value)
        yield from families.values()
