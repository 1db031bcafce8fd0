"""What people do with hooks: each deed with its audit event in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from cryptography.fernet import InvalidToken
from django.db import transaction
from django.utils import timezone

from syncengine.audit import record_event
from syncengine.connectors.guard import check_url
from syncengine.connectors.outcomes import Rejected
from syncengine.connectors.redaction import shown_url
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
FIELDS = ("name", "events", "enabled", "integration")
UNREADABLE = "Its secret cannot be decrypted: enter the address again, and give the tool the new secret."


@transaction.atomic
def create(organization: Organization, values: Mapping[str, Any], actor: str) -> Hook:
    """A hook with a fresh secret. Refused names every bad field."""
    if Hook.objects.of(organization).count() >= MOST_HOOKS:
        raise refuse("", f"An organization has {MOST_HOOKS} webhooks at most.", "too_many")
    hook = Hook(organization=organization)
    _apply(hook, values)
    hook.save()
    _tell(hook, actor, "hook.created", fields=sorted(values))
    return hook


@transaction.atomic
def change(hook: Hook, values: Mapping[str, Any], actor: str) -> Hook:
    """Change what is named; `enabled: true` also takes up again what was given up."""
    hook = _locked(hook)
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
    hook = _locked(hook)
    kept = _kept(hook)
    if not kept:
        raise refuse("", UNREADABLE, "secret_unreadable")
    hook.secret = {**kept, "value": new_secret(), "before": kept["value"]}
    hook.before_until = timezone.now() + BOTH_SIGN_FOR
    hook.save()
    _tell(hook, actor, "hook.secret_rotated")
    return hook


@transaction.atomic
def show_secret(hook: Hook, actor: str) -> str:
    """The secret in force, and a line in the trail that it was looked at. Refused when it cannot be decrypted."""
    kept = _kept(hook)
    if not kept:
        raise refuse("", UNREADABLE, "secret_unreadable")
    _tell(hook, actor, "hook.secret_shown")
    secret: str = kept["value"]
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
        _move(hook, values["url"])
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


def _move(hook: Hook, url: str) -> None:
    """Take another address; what is shown of the present one stands for all of it."""
    kept = _kept(hook)
    if hook.pk and url == hook.url:
        if "url" not in kept:
            raise refuse("url", UNREADABLE, "secret_unreadable")
        return
    _check_url(url)
    hook.secret = {"value": new_secret(), **kept, "url": url}
    hook.url = shown_url(url)


def _kept(hook: Hook) -> dict[str, str]:
    """What is kept encrypted; nothing when FERNET_KEYS do not open it."""
    try:
        return dict(hook.secret or {})
    except InvalidToken:
        return {}


def _locked(hook: Hook) -> Hook:
    return Hook.objects.select_for_update(of=("self",)).defer("secret").get(pk=hook.pk)


def _check_url(url: str) -> None:
    try:
        check_url(url, outbound_policy())
    except Rejected as rejected:
        raise refuse("url", f"{rejected.message} {rejected.hint}".strip(), rejected.code) from None


def _tell(hook: Hook, actor: str, action: str, **data: Any) -> None:
    record_event(hook.organization, actor, action, hook.name, integration=hook.integration, hook=hook.pk, **data)
