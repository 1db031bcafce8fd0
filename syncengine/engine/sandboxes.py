"""The built-in sandbox of an integration: asking for it, reaching it, and leaving it for the real systems.

The servers themselves are run by `sandbox_house`, in a process of the worker. Only the integration that they were
started for may call them, and it may call nothing else: what is tried out never meets what is real.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.db.models import CASCADE

from syncengine.audit import record_event
from syncengine.engine.runs import ActionRefused
from syncengine.models import (
    OPEN_RUN_STATUSES,
    FlowState,
    PostedDocument,
    Record,
    RecordStatus,
    Run,
    Sandbox,
)
from tenants.models import Connection, FieldMapping, Integration
from tenants.models.integration import opaque_id

LOOPBACK = "127.0.0.1"
MOST_SANDBOXES = 20
"""Each holds a small company in memory."""
STAYS_IN_SANDBOX = (
    "This integration works with the built-in sandbox. Leave the sandbox first, on the page First steps: "
    "what was tried out is removed then."
)
KEPT = (Integration, FieldMapping, FlowState)
"""What stays when the sandbox is left; a flow's state is set back instead."""


def in_sandbox(integration: Integration) -> bool:
    return Sandbox.objects.filter(integration=integration).exists()


def endpoints_of(integration_id: int) -> frozenset[tuple[str, int]]:
    """Host and port of each server that was started for the integration; none unless the operator wants sandboxes."""
    if not settings.SANDBOX:
        return frozenset()
    ports = Sandbox.objects.filter(integration=integration_id).values_list(*Sandbox.PORTS).first() or ()
    return frozenset((LOOPBACK, port) for port in ports if port is not None)


def address_of(url: str) -> tuple[str, int]:
    """Host and port of a URL that the guard has not looked at yet; a port that cannot be read is 0."""
    try:
        parts = urlsplit(url)
        return parts.hostname or "", parts.port or 0
    except ValueError:
        return "", 0


@transaction.atomic
def ask_for(integration: Integration, actor: str) -> Sandbox:
    """Connect both systems to sandbox servers of its own; they are there within seconds, when a worker runs.

    Raises ActionRefused for an integration that has been connected to real systems or has records of them.
    """
    if not settings.SANDBOX:
        raise ActionRefused("The operator of this portal does not offer the built-in sandbox (setting SANDBOX).")
    Integration.objects.select_for_update(no_key=True).get(pk=integration.pk)
    known = Sandbox.objects.filter(integration=integration).first()
    if known is not None:
        return known
    if Connection.objects.filter(integration=integration).exists() or _has_worked(integration):
        raise ActionRefused("This integration is connected to real systems. Make another one for the sandbox.")
    if Sandbox.objects.count() >= MOST_SANDBOXES:
        raise ActionRefused(f"All {MOST_SANDBOXES} sandboxes of this portal are in use. Try again later.")
    record_event(integration.organization, actor, "sandbox.entered", integration=integration)
    return Sandbox.objects.create(integration=integration, requested_by=actor)


def _has_worked(integration: Integration) -> bool:
    return Record.objects.filter(integration=integration).exists()


@transaction.atomic
def leave(integration: Integration, actor: str) -> None:
    """On to the real systems: forget what was tried out. Mapping, settings and the audit trail stay.

    Records and posted documents of the sandbox must go: a real document with the same number would count as done.
    The webhook gets a new address, and every flow reads from the beginning. Raises ActionRefused while work is open.
    """
    integration = Integration.objects.select_for_update(no_key=True).get(pk=integration.pk)
    if not in_sandbox(integration):
        raise ActionRefused("This integration does not work with the sandbox.")
    if _is_busy(integration):
        raise ActionRefused("A run is under way. Cancel it, or wait until it has ended; then leave the sandbox.")
    PostedDocument.objects.filter(integration=integration).delete()  # first: they protect their records
    for model in _belongings():
        model._default_manager.filter(integration=integration).delete()
    FlowState.objects.filter(integration=integration).update(
        watermark=None, last_run=None, schedule=None, full_schedule=None, next_due_at=None, next_full_due_at=None
    )
    Integration.objects.filter(pk=integration.pk).update(
        webhook_id=opaque_id(), paused_reason="", paused_since=None, enabled=True
    )
    record_event(integration.organization, actor, "sandbox.left", integration=integration)


def _is_busy(integration: Integration) -> bool:
    runs = Run.objects.filter(integration=integration, status__in=OPEN_RUN_STATUSES)
    held = Record.objects.filter(integration=integration, status=RecordStatus.IN_PROGRESS)
    return runs.exists() or held.exists()


def _belongings() -> Iterator[type[models.Model]]:
    """Every model whose rows belong to an integration and end with it; new ones are not forgotten."""
    for model in apps.get_models():
        key = next((field for field in model._meta.fields if field.name == "integration"), None)
        if getattr(key and key.remote_field, "on_delete", None) is CASCADE and model not in KEPT:
            yield model
