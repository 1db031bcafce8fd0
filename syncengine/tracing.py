"""Traces by OpenTelemetry, where the setting TRACES_URL asks for them; otherwise every call here does nothing.

Requests, runs, batches, records and remote calls become spans with the ids that the logs have too. The packages are
the optional extra `tracing`; nothing else of the product imports them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.trace import Span, Tracer

Attribute = str | int | float | bool
MISSING = "TRACES_URL is set, but OpenTelemetry is not installed: pip install -r requirements-tracing.lock"
NANOSECONDS = 1_000_000_000
FLUSH_MILLISECONDS = 2000

_provider: TracerProvider | None = None
_tracer: Tracer | None = None


def start(url: str, version: str) -> None:
    """Send spans to the OTLP collector at that address (http://collector:4318/v1/traces)."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise ImproperlyConfigured(MISSING) from None
    send_to(BatchSpanProcessor(OTLPSpanExporter(endpoint=url)), version)


def send_to(processor: SpanProcessor, version: str = "") -> None:
    """Give the spans to this processor."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    global _provider, _tracer  # noqa: PLW0603  # one for the process, set at its start
    _provider = TracerProvider(resource=Resource.create({"service.name": "ledgerbridge", "service.version": version}))
    _provider.add_span_processor(processor)
    _tracer = _provider.get_tracer("ledgerbridge", version)


def stop() -> None:
    """Send what there is, then no more."""
    global _provider, _tracer  # noqa: PLW0603  # as above
    if _provider is not None:
        _provider.shutdown()
    _provider = _tracer = None


def flush() -> None:
    """Send what there is: for a process that may be ended without being asked."""
    if _provider is not None:
        _provider.force_flush(FLUSH_MILLISECONDS)


@contextmanager
def span(name: str, **attributes: Attribute | None) -> Iterator[Span | None]:
    """What happens inside the block, in this thread and in those that copy its context."""
    if _tracer is None:
        yield None
        return
    with _tracer.start_as_current_span(name, attributes=_known(attributes)) as current:
        yield current


def record_span(name: str, began: datetime, milliseconds: int, *, failed: bool, **attributes: Attribute | None) -> None:
    """What has happened already, within the span of the present context."""
    if _tracer is None:
        return
    from opentelemetry.trace import StatusCode

    start_time = int(began.timestamp() * NANOSECONDS)
    one = _tracer.start_span(name, attributes=_known(attributes), start_time=start_time)
    if failed:
        one.set_status(StatusCode.ERROR)
    one.end(start_time + milliseconds * 1_000_000)


def trace_id() -> str | None:
    """The trace that the present context belongs to, as the collector shows it."""
    if _tracer is None:
        return None
    from opentelemetry.trace import format_trace_id, get_current_span

    context = get_current_span().get_span_context()
    return format_trace_id(context.trace_id) if context.is_valid else None


def _known(attributes: dict[str, Attribute | None]) -> dict[str, Attribute]:
    return {f"ledgerbridge.{name}": value for name, value in attributes.items() if value is not None}
