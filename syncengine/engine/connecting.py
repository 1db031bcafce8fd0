"""Saving a connection: checked as far as that goes without network, audited, and a pause ends with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from syncengine.audit import record_event
from syncengine.connectors.guard import check_url
from syncengine.connectors.outcomes import Rejected
from syncengine.engine.connections import outbound_policy
from syncengine.engine.pauses import resume
from syncengine.engine.ping_schedule import plan
from syncengine.engine.sandboxes import STAYS_IN_SANDBOX, address_of, in_sandbox
from tenants.connections import ConnectionForm, check_secret, parse, store
from tenants.errors import FieldError, Refused
from tenants.models import Connection, Integration


def save_connection(integration: Integration, system: str, data: Mapping[str, Any], actor: str) -> Connection:
    """Create or replace a connection from the fields of interface.md; Refused names every field that is wrong.

    A secret that is left out stays, unless it would be sent to another place than before.
    """
    form, secret = parse(system, data)
    _check_urls(form, integration)
    with transaction.atomic():
        stored = (
            Connection.objects.select_for_update(no_key=True).filter(integration=integration, system=system).first()
        )
        check_secret(form, secret, stored)
        connection = stored or Connection(integration=integration, system=system)
        changed = _changes(connection, form, secret)
        store(connection, form, secret, timezone.now())
        record_event(
            integration.organization, actor, "connection.saved", system, integration=integration, fields=changed
        )
        resume(integration, actor)
        plan(integration)
    return connection


def _check_urls(form: ConnectionForm, integration: Integration) -> None:
    policy = outbound_policy(integration.pk)
    errors = []
    if in_sandbox(integration) and address_of(getattr(form, "base_url", "")) not in policy.endpoints:
        errors.append(FieldError("base_url", STAYS_IN_SANDBOX, "sandbox"))
    for name in form.urls:
        try:
            if url := getattr(form, name):
                check_url(url, policy)
        except Rejected as refused:
            errors.append(FieldError(name, f"{refused.message} {refused.hint}".strip(), refused.code))
    if errors:
        raise Refused(errors)


def _changes(connection: Connection, form: ConnectionForm, secret: str | None) -> list[str]:
    """The names of the fields that change: what the trail keeps, never their values."""
    after = form.model_dump(mode="json", exclude_none=True)
    before = connection.settings
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return [*names, form.secret] if secret is not None else names
