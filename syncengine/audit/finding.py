"""Finding events among millions: what a filter implies is said too, where an index can answer that.

None of it changes which events fit. Ids are given out as events are written, and an event is committed within
LATE_COMMITS of that: so ids and times rise together, but for so much, and a time is found among them by halving.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from syncengine.audit.events import SYSTEM
from syncengine.audit.sealing import LATE_COMMITS
from syncengine.models import AuditEvent
from syncengine.models.audit import ROUTINE
from tenants.models import Organization

MARGIN = 4 * LATE_COMMITS  # clocks of several machines
_YEARS = range(1970, 9000)
"""Any other is before or after all events, and some of them no database could compare."""

# Between `low`, written by then, and `high`, written later, until nothing is between them.
_HALVE = """
WITH RECURSIVE half(low, high) AS (
    SELECT COALESCE(MIN(id), 1) - 1, COALESCE(MAX(id), 0) + 1 FROM {table} WHERE organization_id = %(organization)s
    UNION ALL
    SELECT COALESCE({written}, low), CASE WHEN {written} IS NULL THEN (low + high - 1) / 2 + 1 ELSE high END
    FROM half WHERE high - low > 1
)
SELECT MAX(low), MIN(high) FROM half
"""
# The first one above the middle, if it was written by then.
_WRITTEN = """
(SELECT CASE WHEN created_at <= %(at)s THEN id END FROM {table}
 WHERE organization_id = %(organization)s AND id > (low + high - 1) / 2 AND id < high ORDER BY id LIMIT 1)
"""


def narrowed(
    events: QuerySet[AuditEvent],
    organization: Organization,
    *,
    actor: str = "",
    action: str = "",
    after: datetime | None = None,
    before: datetime | None = None,
) -> QuerySet[AuditEvent]:
    """The same events as filtered by an actor or a piece of one, an action or the beginning of one, and by time."""
    if actor and actor.lower() not in SYSTEM:
        events = events.exclude(actor=SYSTEM)
    if action and not any(one.startswith(action) for one in ROUTINE):
        events = events.exclude(action__in=ROUTINE)
    if after is not None and after.year in _YEARS:
        events = events.filter(pk__gt=_around(organization, after, -1)[0])
    if before is not None and before.year in _YEARS:
        events = events.filter(pk__lt=_around(organization, before, 1)[1])
    return events


def _around(organization: Organization, at: datetime, side: int) -> tuple[int, int]:
    """The last id below and the first above that time, MARGIN to that side of it."""
    wanted: Any = connection.ops.adapt_datetimefield_value(at + side * MARGIN)
    table = connection.ops.quote_name(AuditEvent._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            _HALVE.format(table=table, written=_WRITTEN.format(table=table)),
            {"organization": organization.pk, "at": wanted},
        )
        low, high = cursor.fetchone()
    return int(low), int(high)
