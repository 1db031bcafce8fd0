"""All that an organization owns, as JSON lines in a zip: for its people to keep, or to take elsewhere. No secrets."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from fernet_fields import EncryptedField

from syncengine.audit.verification import snapshot
from syncengine.engine.erasing import tables
from syncengine.models import AuditEvent, AuditSeal
from tenants.models import Organization, User

# What proves somebody's right, though it is no secret any more by itself.
_WITHHELD = ("key_hash", "token_hash")
PAGE = 500
Table = tuple[type[models.Model], str]


def export_organization(organization: Organization, place: Path) -> dict[str, int]:
    """One file a table, of one state of the database; how many rows each has. Raises OSError."""
    counts: dict[str, int] = {}
    owned: list[Table] = [*tables(), (AuditEvent, "organization"), (AuditSeal, "organization")]
    with snapshot(), zipfile.ZipFile(place, "x", zipfile.ZIP_DEFLATED) as archive:
        for model, path in sorted(owned, key=lambda one: _name(one[0])):
            with archive.open(f"{_name(model)}.jsonl", "w") as file:
                counts[_name(model)] = 0
                for row in _rows(model, path, organization):
                    file.write(json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False).encode() + b"\n")
                    counts[_name(model)] += 1
        about = {"organization": organization.slug, "exported_at": timezone.now(), "rows": counts}
        archive.writestr("about.json", json.dumps(about, cls=DjangoJSONEncoder, indent=1))
    return counts


def _name(model: type[models.Model]) -> str:
    return f"{model._meta.app_label}.{model._meta.model_name}"


def _rows(model: type[models.Model], path: str, organization: Organization) -> Iterator[dict[str, Any]]:
    fields = [field for field in model._meta.concrete_fields if not _is_withheld(field)]
    columns = {field.attname: field.attname for field in fields}
    # People are nobody's property: of those who belong here their address is told, by which all know them.
    columns |= {f"{field.name}_email": f"{field.name}__email" for field in fields if field.related_model is User}
    rows = model._base_manager.filter(**{path: organization.pk}).order_by("pk").values_list(*columns.values())
    for row in rows.iterator(chunk_size=PAGE):
        yield dict(zip(columns, row, strict=True))


def _is_withheld(field: models.Field[Any, Any]) -> bool:
    return isinstance(field, EncryptedField) or field.name in _WITHHELD
