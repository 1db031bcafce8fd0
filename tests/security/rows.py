"""A row of any model for an organization, whatever the model asks for: new models are tried without being named."""

from __future__ import annotations

import secrets
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils import timezone

from tenants.encryption import SecretsField
from tenants.models import Organization, User
from tests import factories

SHARED = {User: factories.UserFactory}


def any_row(model: type[Any], organization: Organization) -> Any:
    """One row that belongs to the organization, and what it hangs on."""
    if model is Organization:
        return organization
    if model in SHARED:
        return SHARED[model]()
    if found := _of(model, organization):
        return found
    row = model(**{field.name: _value(field, organization) for field in _asked_for(model)})
    models.Model.save_base(row, raw=True, force_insert=True)
    return row


def _of(model: type[Any], organization: Organization) -> Any:
    path = getattr(model, "organization_path", "")
    return path and model._base_manager.filter(**{path: organization}).first()


def _asked_for(model: type[Any]) -> list[Any]:
    """The columns that have to be filled in."""
    fields = [field for field in model._meta.concrete_fields if not field.null and not field.has_default()]
    return [field for field in fields if not isinstance(field, models.AutoField) and not getattr(field, "auto_now", 0)]


def _value(field: Any, organization: Organization) -> Any:
    if isinstance(field, models.ForeignKey):
        return any_row(field.related_model, organization)
    for kind, value in _VALUES.items():
        if isinstance(field, kind):
            return value
    return secrets.token_hex(8)[: field.max_length or 16]


_VALUES: dict[Any, Any] = {
    SecretsField: {"value": "x"},
    models.DateTimeField: timezone.now(),
    models.DateField: date(2026, 5, 4),
    models.DecimalField: Decimal(1),
    models.FloatField: 1.0,
    models.IntegerField: 1,
    models.BooleanField: False,
    models.JSONField: {},
}


def copy_of(row: Any) -> None:
    """The same row once more, under a number of its own."""
    values = {
        field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if not field.primary_key
    }
    values |= {name: secrets.token_hex(8) for name in ("slug", "webhook_id") if name in values}
    models.Model.save_base(type(row)(**values), raw=True, force_insert=True)
