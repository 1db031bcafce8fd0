"""Writing audit events: always in the transaction of the deed that they tell of; hooks are told of it there too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from syncengine.hooks.publishing import publish_action, publish_records
from syncengine.models import AuditEvent, Record, Run
from tenants.models import Integration, Organization

SYSTEM = "system"


def record_event(
    organization: Organization,
    actor: str,
    action: str,
    message: str = "",
    *,
    integration: Integration | None = None,
    record: Record | None = None,
    run: Run | None = None,
    **data: Any,
) -> AuditEvent:
    """One event. `actor` is an e-mail address, `api-key:PREFIX` or `system`; `data` must hold no secrets."""
    publish_action(organization.pk, integration.pk if integration else None, action, message, record=record, run=run)
    return AuditEvent.objects.create(
        organization=organization,
        integration=integration,
        record=record,
        run=run,
        actor=actor,
        action=action,
        message=message,
        data=data,
        created_at=timezone.now(),
    )


def record_events(integration: Integration, action: str, rows: Iterable[tuple[Record, str]], **data: Any) -> None:
    """The same deed of the system on many records, in one insert: pairs of record and message."""
    now, rows = timezone.now(), list(rows)
    publish_records(integration.organization_id, integration.pk, action, rows)
    AuditEvent.objects.bulk_create(
        AuditEvent(
            organization_id=integration.organization_id,
            integration_id=integration.pk,
            record_id=record.pk,
            run_id=record.run_id,
            actor=SYSTEM,
            action=action,
            message=message,
            data=data,
            created_at=now,
        )
        for record, message in rows
    )
