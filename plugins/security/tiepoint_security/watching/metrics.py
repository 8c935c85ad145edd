"""The figures of a process for Prometheus, read from its health when it is asked for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tiepoint.errors import InputError
from tiepoint_security.watching.settings import MetricsSettings

_CAMERA_GAUGES = {
    "fps": ("fps", "Analysed frames a second."),
    "decoded_fps": ("decoded_fps", "Decoded frames a second."),
    "lag_s": ("lag_seconds", "How far the stream lies behind."),
    "last_frame_age_s": ("last_frame_age_seconds", "Seconds since the last frame."),
}
_CAMERA_COUNTERS = {
    "frames": ("frames", "Frames that were taken."),
    "dropped": ("dropped_frames", "Frames that nobody took in time."),
    "still": ("still_frames", "Frames in which nothing moved."),
    "undecodable": ("undecodable_frames", "Frames that could not be converted."),
    "connections": ("connections", "Connections that were made."),
    "clock_jumps": ("clock_jumps", "Jumps of the camera's clock."),
}


class HealthCollector(Collector):
    """Turns the plugin's health into metrics.

    Args:
        health: Returns it.
    """

    def __init__(self, health: Callable[[], dict[str, Any]]) -> None:
        self._health = health

    def collect(self) -> Iterable[Metric]:
        health = self._health()
        yield from _of_cameras(health.get("cameras", {}))
        yield from _of_analysis(health.get("analysis"))
        yield from _of_alerts(health)


def serve(settings: MetricsSettings, health: Callable[[], dict[str, Any]]) -> Callable[[], None]:
    """Answer Prometheus on a port; return what ends it.

    Raises:
        InputError: The port cannot be listened on.
    """
    registry = CollectorRegistry()
    registry.register(HealthCollector(health))
    try:
        server, thread = start_http_server(settings.port, settings.address, registry)
    except OSError as error:
        raise InputError(
            f"metrics cannot be served ({error.strerror})",
            where=f"{settings.address}:{settings.port}",
            hint="Give another `plugins.security.metrics.port`.",
        ) from error

    def end() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return end


def _of_cameras(cameras: dict[str, dict[str, Any]]) -> Iterable[Metric]:
    up = GaugeMetricFamily(
        "tiepoint_camera_up", "Whether the camera shows its scene.", labels=["camera"]
    )
    for name, camera in cameras.items():
        up.add_metric([name], float(camera["status"] == "ok"))
    yield up
    for key, (name, what) in _CAMERA_GAUGES.items():
        gauge = GaugeMetricFamily(f"tiepoint_camera_{name}", what, labels=["camera"])
        for camera_name, camera in cameras.items():
            if camera[key] is not None:
                gauge.add_metric([camera_name], camera[key])
        yield gauge
    for key, (name, what) in _CAMERA_COUNTERS.items():
        counter = CounterMetricFamily(f"tiepoint_camera_{name}", what, labels=["camera"])
        for camera_name, camera in cameras.items():
            counter.add_metric([camera_name], camera[key])
        yield counter


def _of_analysis(analysis: dict[str, Any] | None) -> Iterable[Metric]:
    if analysis is None:
        return
    latency = GaugeMetricFamily(
        "tiepoint_analysis_latency_seconds",
        "From a frame's arrival to the desk of alerts, over the latest frames.",
        labels=["quantile"],
    )
    for quantile, key in (("0.5", "p50"), ("0.95", "p95")):
        latency.add_metric([quantile], analysis["latency_ms"][key] / 1000)
    yield latency
    yield CounterMetricFamily(
        "tiepoint_analysis_looks", "Pictures that went through the encoder.", analysis["looks"]
    )
    yield CounterMetricFamily(
        "tiepoint_analysis_failures", "Frames that could not be analysed.", analysis["failures"]
    )
    yield CounterMetricFamily(
        "tiepoint_evidence_lost",
        "Evidence that could not be written.",
        analysis["evidence"]["lost"],
    )


def _of_alerts(health: dict[str, Any]) -> Iterable[Metric]:
    desk = health.get("desk", {})
    for key, what in (
        ("active", "Alerts that go on."),
        ("held", "Alerts that are held back."),
        ("unrecorded", "Changes of alerts that wait for the database."),
    ):
        yield GaugeMetricFamily(f"tiepoint_alerts_{key}", what, desk.get(key, 0))
    waiting = GaugeMetricFamily(
        "tiepoint_sink_waiting", "Messages that wait for a sink.", labels=["sink"]
    )
    dead = GaugeMetricFamily("tiepoint_sink_dead", "Messages that were given up.", labels=["sink"])
    for name, sink in health.get("sinks", {}).items():
        waiting.add_metric([name], sink["waiting"])
        dead.add_metric([name], sink["dead"])
    yield from (waiting, dead)
