"""However many records failed, causes are added up from an index alone: asked of PostgreSQL itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from syncengine.repairs import groups
from tenants.models import Integration
from tests import factories
from tests.postgres import create_database, moved_to, postgres_url

__all__ = ["postgres_url"]

RECORDS = 40_000
CAUSE = "problems: G/L account 20 is frozen in SAP."
COLUMNS = {
    "key": "'K' || n", "title": "'RE-' || n", "search": "''", "stage": "'checked'", "part": "''", "action": "''",
    "status": "CASE n % 4 WHEN 0 THEN 'failed' WHEN 1 THEN 'pending' ELSE 'done' END", "flow": "'invoices'",
    "flags": "'[]'", "notes": "'[]'", "problems": "'[]'", "decisions": "'[]'", "target_keys": "'{}'", "memo": "'{}'",
    "amount": "n % 1000", "currency": "'EUR'", "attempts": "0", "lease_owner": "''", "fingerprint": "''",
    "confirmed_fingerprint": "''", "reference": "''", "party": "''", "error_code": "'problems'", "error_message": "''",
    "error_hint": "''", "cause": "''", "mapping_version": "0", "active": "true", "resend_mark": "0",
    "created_at": "now()", "updated_at": "now()", "failed_at": "now()",
    "failed_for": "CASE WHEN n % 40 < 3 THEN 'problems: G/L account ' || (n % 240) || ' is frozen in SAP.' ELSE '' END",
    "mended_at": "CASE WHEN n % 40 = 2 THEN now() END",
}  # fmt: skip


@pytest.fixture
def many(postgres_url: str, django_db_blocker: pytest.FixtureRequest) -> Iterator[Integration]:
    """An integration with RECORDS invoices, some of which failed, are retried or came through."""
    url = create_database(postgres_url, "repairs")
    with django_db_blocker.unblock(), moved_to(url):
        integration = factories.IntegrationFactory()
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO syncengine_record (integration_id, {', '.join(COLUMNS)})"  # ours
                f" SELECT {integration.pk}, {', '.join(COLUMNS.values())} FROM generate_series(1, {RECORDS}) n"
            )
            cursor.execute("VACUUM ANALYZE syncengine_record")
        yield integration


def scans(ask) -> list[str]:
    """How PostgreSQL went through the records for it."""
    with CaptureQueriesContext(connection) as asked:
        ask()
    found = []
    for query in asked:
        if 'FROM "syncengine_record"' in query["sql"]:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {query['sql']}")
                found += [line for (line,) in cursor.fetchall() if "Scan" in line]
    return [re.sub(r"\s*->\s*|\s*\(cost.*", "", line).strip() for line in found]


def test_causes_are_counted_from_indexes_alone(many):
    for ask in (
        lambda: groups.of_integration(many, resolved=True),
        lambda: groups.one(many, "invoices", CAUSE),
        lambda: groups.failed_up_to(many, 100),
        lambda: list(groups.records_of(many, "invoices", CAUSE, "open").only("title").order_by("-pk")[:51]),
    ):
        found = scans(ask)
        assert found
        assert not [scan for scan in found if "Seq Scan" in scan], found
        assert {name for scan in found for name in re.findall(r"record_\w+", scan)} <= {
            "record_troubled", "record_mended", "record_waits",
        }, found  # fmt: skip
    assert any("Index Only Scan using record_troubled" in scan for scan in scans(lambda: groups.of_integration(many)))
