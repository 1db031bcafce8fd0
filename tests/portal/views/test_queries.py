"""However much there is, a page asks the same number of questions, and never counts or skips through a table."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from syncengine.notices import Kind, raise_notice
from tests import factories

MOST_QUERIES = 17
# Each with the number that it may ask: who adds a question to a page says so here.
PAGES = {
    "": 19,
    "flows/": 10,
    "runs/": 8,
    "records/": 9,
    "records/?search=nordic&status=failed": 10,
    "webhook/": 15,
    "mappings/vendors/": 12,
    "connections/": 11,
    "start/": 14,
    "period-end/": 8,
    "repairs/": 12,
    "repairs/?state=resolved": 12,
}
ORGANIZATION_PAGES = {
    "": 11,
    "audit/": 7,
    "audit/?actor=anna&action=run&after_day=2026-05-01&before_day=2026-05-31": 9,
    "notices/": 8,
    "members/": 8,
    "api-keys/": 7,
    "search/?q=nordic": 11,
}


def fill(integration, count):
    organization = integration.organization
    for number in range(count):
        run = factories.RunFactory(integration=integration, status="succeeded", flow="projects")
        record = factories.FailedRecordFactory(integration=integration, run=run, error_code=f"code_{number}")
        factories.CallFactory(integration=integration, record=record)
        factories.NotificationFactory(integration=integration, document_id=record.key)
        factories.AuditEventFactory(organization=organization, integration=integration, record=record)
        factories.member(organization, "viewer", email=f"person{number}.{record.pk}@example.com")
        factories.api_key(organization, "viewer")
        raise_notice(integration, Kind.RUN_FAILED, f"{number}.{record.pk}", "The run failed.")


def queries_of(client, path):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(path).status_code == 200
    return [query["sql"] for query in captured]


def assert_constant(client, path, more, most=MOST_QUERIES):
    before = queries_of(client, path)
    more()
    after = queries_of(client, path)
    assert len(before) == len(after) <= most
    assert not [sql for sql in after if "OFFSET" in sql]
    return after


@pytest.mark.parametrize("page", PAGES)
def test_pages_of_an_integration_ask_a_constant_number(page, root, connected, people):
    fill(connected, 2)
    assert_constant(people["owner"], root + page, lambda: fill(connected, 12), PAGES[page])


@pytest.mark.parametrize("page", ORGANIZATION_PAGES)
def test_pages_of_an_organization_ask_a_constant_number(page, organization, connected, people):
    fill(connected, 2)
    factories.IntegrationFactory(organization=organization)
    most = ORGANIZATION_PAGES[page]
    assert_constant(people["owner"], f"/o/{organization.slug}/{page}", lambda: fill(connected, 12), most)


def test_a_record_with_a_long_trail_asks_no_more(organization, connected, people):
    record = factories.FailedRecordFactory(integration=connected)

    def live():
        for _ in range(10):
            factories.AuditEventFactory(organization=organization, integration=connected, record=record)
            factories.AttemptFactory(integration=connected, record=record)
            factories.sent_in_batch(record)

    live()
    assert_constant(people["owner"], f"/o/{organization.slug}/records/{record.pk}/", live)


def test_a_list_never_counts(root, connected, people):
    fill(connected, 3)
    assert not [sql for sql in queries_of(people["viewer"], f"{root}records/") if "COUNT" in sql]
    assert not [sql for sql in queries_of(people["viewer"], f"{root}runs/") if "COUNT" in sql]


def test_a_list_reads_no_payloads(root, connected, people):
    fill(connected, 3)
    listing = [sql for sql in queries_of(people["viewer"], f"{root}records/") if 'FROM "syncengine_record"' in sql]
    assert listing
    assert not [sql for sql in listing if '"source"' in sql or '"memo"' in sql]
