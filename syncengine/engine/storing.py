"""Storing many records in one statement, new ones and known ones alike."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from syncengine.engine.records import dependencies_kept
from syncengine.models import Record, RecordStatus

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


@transaction.atomic
def store_prints(records: Sequence[Record]) -> None:
    """Put down what these settled records are made of now; not for one that has come to send something else since."""
    rows = Record.objects.select_for_update(no_key=True).filter(
        pk__in=[record.pk for record in records], status=RecordStatus.DONE
    )
    still = dict(rows.values_list("pk", "fingerprint")) if records else {}
    same = [record for record in records if still.get(record.pk) == record.fingerprint]
    Record.objects.bulk_update(same, ["source_print"], batch_size=AT_ONCE)
