"""`/healthz/` for load balancers and people, `/metrics` for Prometheus (interface.md, "Health")."""

from __future__ import annotations

import hmac
import ipaddress

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView
from prometheus_client import Gauge

from portal.addresses import FORWARDED, client_address
from syncengine.engine.health import oldest_due_age, site_health, workers_alive
from syncengine.engine.webhook_watch import silent_webhooks

OLDEST_DUE = Gauge("ledgerbridge_oldest_due_work_seconds", "Age of the oldest work that could be done now")
SILENT = Gauge("ledgerbridge_webhooks_silent", "Integrations whose webhook is silent while runs find approved invoices")
WORKERS = Gauge("ledgerbridge_workers_alive", "Workers that have shown themselves within half a minute")


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 also when degraded: workers that are away must not take the web down; 503 when the database is gone."""
    state = site_health(timezone.now())
    return JsonResponse(state, status=200 if state["database"]["ok"] else 503, headers={"Cache-Control": "no-store"})


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text for operators; 404 for everybody else."""
    if not _is_operator(request):
        return HttpResponse(status=404)
    now = timezone.now()
    OLDEST_DUE.set(oldest_due_age(now) or 0)
    WORKERS.set(workers_alive(now))
    SILENT.set(len(silent_webhooks(now)))
    return ExportToDjangoView(request)  # type: ignore[no-any-return]  # the library has no annotations


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
