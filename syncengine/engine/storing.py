"""Storing many records in one statement, new ones and known ones alike."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from syncengine.engine.records import dependencies_kept
from syncengine.models import Record

NEVER_CHANGED = {
    "id",
    "integration",
    "flow",
    "key",
    "created_at",
    "seen_run",
    "confirmed_fingerprint",
    "confirmed_target",
    "wishes",
}
CHANGED = [field.name for field in Record._meta.concrete_fields if field.name not in NEVER_CHANGED]
AT_ONCE = 200


@transaction.atomic
def store_records(records: Sequence[Record]) -> None:
    """Insert or update by (integration, flow, key); every record has its primary key afterwards."""
    with dependencies_kept(records):
        Record.objects.bulk_create(
            records,
            batch_size=AT_ONCE,
            update_conflicts=True,
            unique_fields=["integration", "flow", "key"],
            update_fields=CHANGED,
        )
