"""OpenTelemetry traces: one span for each request, with no word of what was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from starlette.types import Scope

from tiepoint.config.service import TelemetrySection
from tiepoint.errors import MissingDependencyError

Told = Callable[[int], None]
"""Told of an answer's status."""


class Tracing:
    """Sends spans to a collector, where the deployment names one.

    Args:
        section: Where to, and how many.

    Raises:
        MissingDependencyError: OpenTelemetry is not installed.
    """

    def __init__(self, section: TelemetrySection) -> None:
        self._provider: Any = None
        if section.traces is None:
            return
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
        except ImportError as error:
            raise MissingDependencyError(
                "OpenTelemetry is not installed",
                where="telemetry.traces",
                hint="pip install 'tiepoint[telemetry]'",
            ) from error
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": section.service}),
            sampler=ParentBased(TraceIdRatioBased(section.sampled)),
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(endpoint=section.traces))
        )

    @contextmanager
    def request(self, scope: Scope) -> Iterator[Told]:
        """Trace a request; the caller's own trace is gone on with."""
        if self._provider is None:
            yield _nobody
            return
        from opentelemetry.trace import SpanKind, StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        carried = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in scope["headers"]
            if name in (b"traceparent", b"tracestate")
        }
        tracer = self._provider.get_tracer("tiepoint")
        with tracer.start_as_current_span(
            scope.get("method", "WEBSOCKET"),
            context=TraceContextTextMapPropagator().extract(carried),
            kind=SpanKind.SERVER,
        ) as span:

            def told(status: int) -> None:
                route = getattr(scope.get("route"), "path", "other")
                method = scope.get("method", "WEBSOCKET")
                span.update_name(f"{method} {route}")
                span.set_attribute("http.request.method", method)
                span.set_attribute("http.route", route)
                span.set_attribute("http.response.status_code", status)
                if status >= 500:
                    span.set_status(StatusCode.ERROR)

            yield told

    def close(self) -> None:
        """Send what waits to be sent."""
        if self._provider is not None:
            self._provider.shutdown()


def _nobody(_: int) -> None:
    """Nothing is traced."""
