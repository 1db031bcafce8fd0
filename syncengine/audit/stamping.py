"""Giving new events their ids and digests before they are inserted: a digest covers the id too.

No lock is taken and nothing is read but the next ids, so writers do not wait for one another.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from django.db import connection

from syncengine.audit.digests import event_digest
from syncengine.audit.keys import audit_key
from syncengine.models import AuditEvent


def stamp(events: Sequence[AuditEvent]) -> None:
    """To be called in the transaction that inserts the events."""
    new = [event for event in events if event.id is None]
    for event, number in zip(new, _reserved_ids(len(new)), strict=True):
        event.id = number
    key = audit_key() if events else b""
    for event in events:
        if event.data:
            event.data = json.loads(json.dumps(event.data))  # as it will be read back
        event.digest = event_digest(key, _row(event))


def _row(event: AuditEvent) -> tuple[object, ...]:
    """The values of COLUMNS, spelled out: this runs for every event of every page."""
    return (
        event.id, event.organization_id, event.integration_id, event.record_id, event.run_id, event.actor,
        event.action, event.message, event.data, event.created_at,
    )  # fmt: skip


def _reserved_ids(count: int) -> Sequence[int]:
    """The ids of the next rows, which nobody else will get."""
    if not count:
        return ()
    table = AuditEvent._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count]
            )
            return [row[0] for row in cursor.fetchall()]
        # SQLite has one writer, and a transaction of ours is one from its beginning (transaction_mode IMMEDIATE).
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        row = cursor.fetchone()
        first = (row[0] if row else 0) + 1
        return range(first, first + count)
