"""Pausing an integration whose log-in was refused, and letting it go on."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from syncengine.audit import record_event
from syncengine.engine.wake import wake
from tenants.models import Connection, Integration


def pause(integration: Integration, reason: str) -> None:
    """Stop remote calls until a person has mended it; the first reason stays."""
    with transaction.atomic():
        changed = Integration.objects.filter(pk=integration.pk, paused_since=None).update(
            paused_since=timezone.now(), paused_reason=reason[:500]
        )
        if changed:
            record_event(integration.organization, "system", "integration.paused", reason, integration=integration)


def resume(integration: Integration, actor: str) -> None:
    """End a pause and close the circuit of both connections."""
    with transaction.atomic():
        changed = (
            Integration.objects.filter(pk=integration.pk)
            .exclude(paused_since=None)
            .update(paused_since=None, paused_reason="")
        )
        Connection.objects.filter(integration=integration).update(retry_after=None, failures_in_a_row=0)
        if changed:
            record_event(integration.organization, actor, "integration.resumed", integration=integration)
        wake()
