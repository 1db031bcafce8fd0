"""Deletion: state first, rows afterwards.

What is deleted is out of everybody's reach in the transaction that asks for it: its people, keys, secrets and
addresses end at once. Its rows, of which there may be millions, go in steps of one short transaction each, whenever a
worker has nothing better to do; a worker that dies leaves the rest to the next.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any, cast

import structlog
from django.db import models, transaction
from django.utils import timezone

from syncengine.engine import locks
from syncengine.engine.work import Deadline
from syncengine.models import Notice, NoticeDelivery, Record, Run, Sandbox
from syncengine.models.run import OPEN_RUN_STATUSES
from tenants.models import (
    ApiKey,
    Connection,
    Identity,
    IdentityProvider,
    Integration,
    Invitation,
    Membership,
    Organization,
    SlackWebhook,
    WebhookSecret,
)
from tenants.models.integration import opaque_id
from tenants.models.scoped import ScopedModel
from tenants.row_security import bound_to, unbound

log = structlog.get_logger(__name__)

STEP = 1_000
STEPS_AT_ONCE = 10  # then everything else that is due has its turn
LOCK_SECONDS = 60.0
# Who and what opens it, and what it would open elsewhere; deliveries hang on the members.
DOORS = (NoticeDelivery, Membership, ApiKey, Invitation, IdentityProvider, Identity, SlackWebhook)
SECRETS = (Connection, WebhookSecret, Sandbox)


@transaction.atomic
def delete_organization(organization: Organization) -> None:
    """From now on nobody belongs to it and nothing opens it; its short name is free again."""
    for model in DOORS:
        model._default_manager.filter(**{_path_of(model): organization}).delete()
    Organization.objects.filter(pk=organization.pk).update(slug=_no_slug(), deleted_at=timezone.now())
    for integration in Integration.objects.of(organization):
        _put_out_of_reach(integration, organization)


@transaction.atomic
def delete_integration(integration: Integration) -> None:
    """It leaves for an organization that nobody belongs to, and which is deleted."""
    with unbound():  # the database lets nobody who is bound to an organization give a row away
        nobodys = Organization.objects.create(name=integration.name, slug=_no_slug(), deleted_at=timezone.now())
        _put_out_of_reach(integration, nobodys)


def _no_slug() -> str:
    return f"deleted-{secrets.token_hex(12)}"


def _put_out_of_reach(integration: Integration, organization: Organization) -> None:
    """No call is made for it any more, none comes in, and its secrets are gone."""
    Run.objects.filter(integration=integration, status__in=OPEN_RUN_STATUSES).update(cancel_requested=True)
    for model in SECRETS:
        model._default_manager.filter(integration=integration).delete()
    Notice.objects.filter(integration=integration).update(organization=organization)
    Integration.objects.filter(pk=integration.pk).update(
        organization=organization,
        enabled=False,
        paused_since=timezone.now(),
        paused_reason="It is deleted.",
        webhook_id=opaque_id(),
    )


def _deleted(now: datetime) -> models.QuerySet[Organization]:
    """What is to be erased, except while a worker has yet to let go of something of it."""
    at_work = (
        Model.objects.filter(integration__organization=models.OuterRef("pk"), lease_expires_at__gt=now)
        for Model in (Run, Record)
    )
    deleted = Organization.objects.filter(deleted_at__isnull=False).order_by("deleted_at", "pk")
    return deleted.exclude(models.Exists(next(at_work))).exclude(models.Exists(next(at_work)))


def is_due(now: datetime) -> bool:
    return _deleted(now).exists()


def erase_due(_deadline: Deadline) -> bool:
    """Erase some more of what is deleted; False when there is nothing, or another worker is at it."""
    organization = _deleted(timezone.now()).first()
    if organization is None:
        return False
    try:
        with locks.held("erasing", seconds=LOCK_SECONDS, wait=0), bound_to(organization):
            for _ in islice(_steps(organization), STEPS_AT_ONCE):
                pass
    except locks.LockBusy:
        return False
    return True


def _steps(organization: Organization) -> Iterator[int]:
    """Rows of one table at a time, those first that point at others; at last the organization itself."""
    for model, path in tables():
        rows: Any = model._base_manager
        while pks := list(rows.filter(**{path: organization.pk}).values_list("pk", flat=True)[:STEP]):
            rows.filter(pk__in=pks).delete()
            yield len(pks)
    log.info("erased", organization=organization.pk)


def tables() -> list[tuple[type[models.Model], str]]:
    """Every table that ends with an organization, and the path of its rows to it. The audit trail does not end."""
    found: dict[type[models.Model], str] = {}

    def visit(model: type[models.Model], path: str) -> None:
        for field in _pointing_at(model):
            child = field.model
            if child not in found and child is not model:
                visit(child, _path_of(child) if issubclass(child, ScopedModel) else f"{field.name}__{path}")
        found[model] = path

    visit(Organization, "pk")
    return list(found.items())


def _pointing_at(model: type[models.Model]) -> Iterator[models.ForeignKey[Any, Any]]:
    for relation in model._meta.get_fields(include_hidden=True):
        on_delete = getattr(relation, "on_delete", None)
        if isinstance(relation, models.ForeignObjectRel) and on_delete in {models.CASCADE, models.PROTECT}:
            yield cast("models.ForeignKey[Any, Any]", relation.field)


def _path_of(model: type[ScopedModel]) -> str:
    return model.organization_path
