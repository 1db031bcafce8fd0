"""Replays that were asked for while a worker held the record: done as soon as it has let go of it.

A worker writes what it knows of a record, and its lease must not be taken from it in the middle of a write. So the
wish is kept in a column that workers never write, and whoever looks for due work makes a replay of it.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from syncengine.audit import record_event
from syncengine.engine.records import finish_if_settled
from syncengine.engine.replay import again, words_of_version
from syncengine.models import Record, RecordStatus

MOST_AT_ONCE = 200


def fulfil_due() -> None:
    """Replay what was asked for and can be done now."""
    free = Record.objects.filter(wishes__isnull=False).exclude(status=RecordStatus.IN_PROGRESS)
    for pk in list(free.values_list("pk", flat=True)[:MOST_AT_ONCE]):
        _fulfil(pk)


@transaction.atomic
def _fulfil(pk: int) -> None:
    """All wishes of a record are one replay, the last of them says with which mapping; each is in the trail."""
    rows = Record.objects.select_for_update(no_key=True, of=("self",)).select_related("integration__organization")
    record = rows.filter(pk=pk, wishes__isnull=False).exclude(status=RecordStatus.IN_PROGRESS).first()
    if record is None:
        return
    wishes, run_id = record.wishes or [], record.run_id
    again(record, wishes[-1]["version"])
    record.save()
    Record.objects.filter(pk=pk).update(wishes=None, updated_at=timezone.now())
    for wish in wishes:
        record_event(
            record.integration.organization,
            wish["actor"],
            "record.replayed",
            wish["reason"],
            integration=record.integration,
            record=record,
            remembered=True,
            **words_of_version(record, wish["version"]),
        )
    finish_if_settled(run_id)
