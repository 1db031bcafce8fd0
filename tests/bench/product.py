"""The product's side, in a process of its own that stands for a worker:

    python -m tests.bench.product prepare ADDRESSES.json FLOW …    an integration that these flows were run for
    python -m tests.bench.product subscribe                        an integration that takes notifications
    python -m tests.bench.product run FLOW MODE [TAPE]             a run until it is settled, and what it took

With a TAPE every call that goes over the wire is written down, for the wire loop to make again.
"""

# ruff: noqa: E402  # only after the set-up can models be imported
from __future__ import annotations

import json
import secrets
import sys
import threading
from pathlib import Path
from typing import Any

import django

django.setup()

from datetime import timedelta

from django.core.management import call_command
from django.utils import timezone

from syncengine.connectors.calls import Request, Response
from syncengine.connectors.wire import Wire
from syncengine.engine import due, observing
from syncengine.engine.connecting import save_connection
from syncengine.engine.runs import request_runs
from syncengine.engine.work import Deadline
from syncengine.models import Call, Run
from tenants.models import Integration, Organization, WebhookSecret
from tests.bench.processes import Stopwatch

A_YEAR = 365 * 86400.0
SECRETS = {"cookie", "authorization"}


def prepare(addresses: str, *flows: str) -> dict[str, Any]:
    call_command("migrate", verbosity=0)
    organization = Organization.objects.create(name="Bench", slug="bench")
    integration = Integration.objects.create(organization=organization, name="Bench")
    known = json.loads(Path(addresses).read_text(encoding="utf-8"))
    for system in ("sap_b1", "basware"):
        save_connection(integration, system, known[system], "bench@example.com")
    Integration.objects.update(sweep_due_at=timezone.now() + timedelta(seconds=A_YEAR))
    for flow in flows:
        for asked in request_runs(integration, flow, "incremental", trigger="command", actor="bench"):
            _finish(asked)
    return {}


def subscribe() -> dict[str, Any]:
    call_command("migrate", verbosity=0)
    organization = Organization.objects.create(name="Bench", slug="bench")
    integration = Integration.objects.create(organization=organization, name="Bench")
    secret = secrets.token_urlsafe(48)
    WebhookSecret.objects.create(integration=integration, secret={"value": secret})
    return {"webhook_id": integration.webhook_id, "secret": secret}


def run(flow: str, mode: str, tape: str = "") -> dict[str, Any]:
    integration = Integration.objects.get()
    if tape:
        _record(Path(tape))
    calls = Call.objects.count()
    watch = Stopwatch()
    found = _finish(request_runs(integration, flow, mode, trigger="command", actor="bench")[0])
    measured = watch.read()
    measured["about"] = {"status": found.status, **found.counts, "calls": Call.objects.count() - calls}
    return measured


def _finish(wanted: Run) -> Run:
    while True:
        due.work_off(Deadline(3600))
        wanted = Run.objects.get(pk=wanted.pk)
        if wanted.is_final:
            return wanted
        due.wait_for_next(0.1)


def _record(path: Path) -> None:
    """Write each exchange down: what was asked, for which record or batch, and the names that the answer gave."""
    exchange, lock, tape = Wire.exchange, threading.Lock(), path.open("w", encoding="utf-8")

    def recorded(wire: Wire, request: Request) -> Response:
        purpose = observing._purpose.get()
        response = exchange(wire, request)
        entry = {
            "method": request.method,
            "url": request.url,
            "headers": {name: text for name, text in request.headers.items() if name.lower() not in SECRETS},
            "body": (request.body or b"").decode(),
            "lane": purpose.record_id or purpose.attempt_id,
            "status": response.status,
            "answer": response.text if request.method == "POST" else "",
        }
        with lock:
            tape.write(json.dumps(entry) + "\n")
            tape.flush()
        return response

    Wire.exchange = recorded  # type: ignore[method-assign]


if __name__ == "__main__":
    command = {"prepare": prepare, "subscribe": subscribe, "run": run}[sys.argv[1]]
    sys.stdout.write(json.dumps(command(*sys.argv[2:]), default=str) + "\n")
