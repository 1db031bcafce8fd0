"""Storing many records in one statement, new ones and known ones alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.db import transaction

from syncengine.engine.records import dependencies_kept
from syncengine.models import Record, RecordStatus, bulk

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
UNIQUE = ("integration", "flow", "key")
CHANGED = {field.name for field in Record._meta.concrete_fields} - NEVER_CHANGED
AT_ONCE = 200


@transaction.atomic
def store_records(records: Sequence[Record]) -> None:
    """Insert or update by (integration, flow, key); every record has its primary key afterwards."""
    if not records:
        return
    with dependencies_kept(records):
        bulk.insert(records, unique=UNIQUE, changed=CHANGED)
        _name([record for record in records if record.pk is None])


def _name(inserted: Sequence[Record]) -> None:
    """Give new records the keys that the database has given them, and who saw the row where it was there before."""
    of_flow: dict[tuple[int, str], dict[str, Record]] = defaultdict(dict)
    for record in inserted:
        of_flow[record.integration_id, record.flow][record.key] = record
    for (integration, flow), by_key in of_flow.items():
        rows = Record.objects.filter(integration=integration, flow=flow, key__in=by_key)
        for pk, key, seen_run in rows.values_list("pk", "key", "seen_run"):
            by_key[key].pk, by_key[key].seen_run = pk, seen_run


@transaction.atomic
def store_prints(records: Sequence[Record]) -> None:
    """Put down what these settled records are made of now; not for one that has come to send something else since."""
    if not records:
        return
    rows = Record.objects.select_for_update(no_key=True).filter(
        pk__in=[record.pk for record in records], status=RecordStatus.DONE
    )
    still = dict(rows.values_list("pk", "fingerprint"))
    same = [record for record in records if still.get(record.pk) == record.fingerprint]
    Record.objects.bulk_update(same, ["source_print"], batch_size=AT_ONCE)
