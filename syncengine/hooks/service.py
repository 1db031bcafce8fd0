"""What people do with hooks: each deed with its audit event in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from syncengine.audit import record_event
from syncengine.connectors.guard import check_url
from syncengine.connectors.outcomes import Rejected
from syncengine.engine.connections import outbound_policy
from syncengine.engine.wake import wake
from syncengine.hooks.events import TEST, Event
from syncengine.hooks.publishing import delivery_of, message_of
from syncengine.hooks.signing import new_secret
from syncengine.models import Hook, HookDelivery
from tenants.errors import refuse
from tenants.models import Integration, Organization

BOTH_SIGN_FOR = timedelta(days=1)
MOST_HOOKS = 50
FIELDS = ("name", "url", "events", "enabled", "integration")


@transaction.atomic
def create(organization: Organization, values: Mapping[str, Any], actor: str) -> Hook:
    """A hook with a fresh secret. Refused names every bad field."""
    if Hook.objects.of(organization).count() >= MOST_HOOKS:
        raise refuse("", f"An organization has {MOST_HOOKS} webhooks at most.", "too_many")
    hook = Hook(organization=organization, secret={"value": new_secret()})
    _apply(hook, values)
    hook.save()
    _tell(hook, actor, "hook.created", fields=sorted(values))
    return hook


@transaction.atomic
def change(hook: Hook, values: Mapping[str, Any], actor: str) -> Hook:
    """Change what is named; `enabled: true` also takes up again what was given up."""
    hook = Hook.objects.select_for_update(of=("self",)).get(pk=hook.pk)
    _apply(hook, values)
    if values.get("enabled"):
        hook.stopped_at, hook.stopped_for = None, ""
        hook.failing_since, hook.failures_in_a_row, hook.retry_at = None, 0, None
        wake()
    hook.save()
    _tell(hook, actor, "hook.changed", fields=sorted(values))
    return hook


@transaction.atomic
def remove(hook: Hook, actor: str) -> None:
    """Forget it, with its deliveries and what waits."""
    _tell(hook, actor, "hook.removed")
    hook.delete()


@transaction.atomic
def rotate(hook: Hook, actor: str) -> Hook:
    """A fresh secret; for a day the one before it signs too, so that no message is lost on the way."""
    hook = Hook.objects.select_for_update(of=("self",)).get(pk=hook.pk)
    hook.secret = {"value": new_secret(), "before": hook.secret["value"]}
    hook.before_until = timezone.now() + BOTH_SIGN_FOR
    hook.save()
    _tell(hook, actor, "hook.secret_rotated")
    return hook


@transaction.atomic
def show_secret(hook: Hook, actor: str) -> str:
    """The secret in force, and a line in the trail that it was looked at."""
    _tell(hook, actor, "hook.secret_shown")
    secret: str = hook.secret["value"]
    return secret


@transaction.atomic
def test(hook: Hook, actor: str) -> HookDelivery:
    """A message of type `test`; Refused when the hook is off."""
    _must_be_on(hook)
    now = timezone.now()
    told = {"integration": hook.integration_id, "message": "A test from Ledgerbridge.", "asked_by": actor}
    delivery = delivery_of(hook, TEST, *message_of(TEST, told, now), now)
    delivery.save()
    _tell(hook, actor, "hook.tested")
    wake()
    return delivery


@transaction.atomic
def replay(delivery: HookDelivery, actor: str) -> HookDelivery:
    """Send the same message once more, under the id that it had."""
    _must_be_on(delivery.hook)
    again = delivery_of(delivery.hook, delivery.event, delivery.message_id, delivery.body, timezone.now())
    again.save()
    _tell(delivery.hook, actor, "hook.replayed", delivery=delivery.pk)
    wake()
    return again


def _must_be_on(hook: Hook) -> None:
    if not hook.enabled or hook.stopped_at:
        raise refuse("", "This webhook is off: switch it on first.", "off")


def _apply(hook: Hook, values: Mapping[str, Any]) -> None:
    if "url" in values:
        _check_url(values["url"])
    unknown = sorted({*values.get("events", [])} - {*Event})
    if unknown:
        raise refuse("events", f"There is no event {unknown[0]}: it is one of {', '.join(Event)}.", "unknown")
    for name in FIELDS:
        if name in values:
            setattr(hook, name, values[name])
    hook.events = sorted({*hook.events})
    if not hook.events:
        raise refuse("events", "Choose one event at least.", "required")
    if isinstance(hook.integration, Integration) and hook.integration.organization_id != hook.organization_id:
        raise refuse("integration", "There is no such integration.", "not_found")


def _check_url(url: str) -> None:
    try:
        check_url(url, outbound_policy())
    except Rejected as rejected:
        raise refuse("url", f"{rejected.message} {rejected.hint}".strip(), rejected.code) from None


def _tell(hook: Hook, actor: str, action: str, **data: Any) -> None:
    record_event(hook.organization, actor, action, hook.name, integration=hook.integration, hook=hook.pk, **data)
