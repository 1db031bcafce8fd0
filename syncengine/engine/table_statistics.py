"""What PostgreSQL knows of the tables that a run fills, kept near the truth.

Autovacuum looks once a minute. A first run puts down thousands of rows in that time, and until then every question is
planned as if the tables were empty: by any index that fits, through all the rows of the flow.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db import connection

from syncengine.models import Attempt, AttemptItem, Record
from tenants.row_security import unbound

LOOK_SECONDS = 1.0
FEW = 500
"""Rows that any plan is good enough for."""
GROWN = 2
"""How many times as many rows as were counted make a plan doubtful."""
_TABLES = [model._meta.db_table for model in (Record, Attempt, AttemptItem)]
_OUTGROWN = """
SELECT relid::regclass::text FROM pg_stat_user_tables JOIN pg_class ON pg_class.oid = relid
WHERE relid = ANY(%s::regclass[]) AND n_live_tup > greatest(reltuples * %s, %s)
"""


class TableStatistics:
    """Has PostgreSQL count tables anew that have outgrown what it knows of them; other databases are left alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._looked_at = float("-inf")

    def keep(self) -> None:
        """After each page, outside a transaction; looks once a second at most."""
        now = self._clock()
        if connection.vendor != "postgresql" or now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        with unbound(), connection.cursor() as cursor:  # only the owner of a table may have it counted
            cursor.execute(_OUTGROWN, [_TABLES, GROWN, FEW])
            if outgrown := ", ".join(table for (table,) in cursor.fetchall()):
                cursor.execute(f"ANALYZE (SKIP_LOCKED) {outgrown}")
