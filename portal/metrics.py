"""`/metrics`: Prometheus text for operators (interface.md, "Health"); docs/operations.md tells what each metric means.

What is told of the product comes from the database and is the same whichever process answers. What is told of requests
is each process's own: gunicorn.conf.py has them added up.
"""

from __future__ import annotations

import hmac
import ipaddress
import os
from collections.abc import Iterator, Sequence
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from portal.addresses import FORWARDED, client_address
from portal.version import VERSION
from syncengine.engine import health, statistics, tallies
from syncengine.engine.webhook_watch import silent_webhooks


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """404 for everybody who is no operator."""
    if not _is_operator(request):
        return HttpResponse(status=404)
    text = generate_latest(_of_processes()) + generate_latest(Site())
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


def _of_processes() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library has no annotation there
    return registry


class Site:
    """What the database knows, in a dozen questions that indexes or small tables answer."""

    def collect(self) -> Iterator[Metric]:
        yield _gauge("info", "The version that runs", [((VERSION,), 1)], "version")
        try:
            found = [*_now(timezone.now()), *_counted()]
        except DatabaseError:
            yield _gauge("database_up", "Whether the database answers", [((), 0)])
            return
        yield _gauge("database_up", "Whether the database answers", [((), 1)])
        yield from found


def _now(now: datetime) -> Iterator[Metric]:
    """How things are at this moment."""
    yield _gauge("broker_up", "Whether the broker answers", [((), health.broker_answers())])
    yield _gauge(
        "workers_alive", "Workers that have shown themselves within half a minute", [((), health.workers_alive(now))]
    )
    yield _gauge(
        "oldest_due_work_seconds", "Age of the oldest work that could be done now",
        [((), health.oldest_due_age(now) or 0)],
    )  # fmt: skip
    yield _gauge(
        "webhook_oldest_unprocessed_seconds", "Age of the oldest notification that has not been worked on",
        [((), health.oldest_notification_age(now))],
    )  # fmt: skip
    yield _gauge(
        "webhooks_silent", "Integrations whose webhook is silent while runs find approved invoices",
        [((), len(silent_webhooks(now)))],
    )  # fmt: skip
    runs = [((status,), count) for status, count in health.open_runs().items()]
    yield _gauge("runs_open", "Runs that have not ended", runs, "status")
    healths = [((verdict,), count) for verdict, count in health.count_by_health().items()]
    yield _gauge("integrations", "Integrations by their health", healths, "health")
    records, counted_at = statistics.records_by_state()
    yield _gauge("records", "Records by state, counted once a minute", [*records.items()], "flow", "status")
    age = (now - counted_at).total_seconds() if counted_at else 0
    yield _gauge("records_counted_age_seconds", "How long ago the records were counted", [((), age)])


def _counted() -> Iterator[Metric]:
    """What has happened since the database was made."""
    for meter, samples in tallies.samples():
        if meter.bounds:
            histogram = HistogramMetricFamily(meter.name, meter.help, labels=meter.labels)
            for one in samples:
                histogram.add_metric(one.labels, buckets=list(one.buckets), sum_value=one.value)
            yield histogram
        else:
            counter = CounterMetricFamily(meter.name, meter.help, labels=meter.labels)
            for one in samples:
                counter.add_metric(one.labels, one.value)
            yield counter


def _gauge(name: str, text: str, samples: Sequence[tuple[tuple[str, ...], float]], *labels: str) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(f"ledgerbridge_{name}", text, labels=labels)
    for values, number in samples:
        gauge.add_metric(values, number)
    return gauge


def _is_operator(request: HttpRequest) -> bool:
    """The bearer of METRICS_TOKEN; without a token this machine itself, and not what a proxy on it passes on."""
    if settings.METRICS_TOKEN:
        expected = f"Bearer {settings.METRICS_TOKEN}"
        return hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected.encode())
    proxied = FORWARDED in request.headers and not settings.TRUSTED_PROXIES
    try:
        return not proxied and ipaddress.ip_address(client_address(request)).is_loopback
    except ValueError:
        return False
