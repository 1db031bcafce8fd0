"""The exactly-once proof as a page: a period, totals, what wants a look, and the CSV."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from syncengine.connectors.outcomes import Unavailable
from syncengine.reconciliation import service
from syncengine.reconciliation.core import Outcome
from syncengine.reconciliation.payments import PaymentOutcome
from tests import factories
from tests.reconciliation.builders import payment, report, row

MAY = "reconciliation/?first_day=2026-05-01&last_day=2026-05-31"
HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)>"


@pytest.fixture
def found():
    """What the next reading finds; change it before."""
    missing = row(
        Outcome.MISSING, invoice_id="i2", invoice_number="INV-2", documents=(), detail="not in SAP", amount=Decimal("7")
    )
    return [report(row(), missing, payments=(payment(), payment(PaymentOutcome.NOT_CONFIRMED)))]


@pytest.fixture
def readings(monkeypatch, found):
    """The periods that were read."""
    periods = []

    def reconcile(_integration, first, last):
        periods.append((first, last))
        return found[0]

    monkeypatch.setattr(service, "reconcile", reconcile)
    return periods


def text_of(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_opening_the_page_reads_nothing_and_offers_this_month(root, people, readings):
    page = text_of(people["viewer"], f"{root}reconciliation/")
    assert 'type="date"' in page
    assert f'value="{date.today().replace(day=1):%Y-%m}' in page  # noqa: DTZ011  # the day does not matter
    assert readings == []


def test_a_period_shows_totals_and_first_what_wants_a_look(root, people, readings):
    page = text_of(people["viewer"], root + MAY)
    assert readings == [(date(2026, 5, 1), date(2026, 5, 31))]
    assert "1 of 2 invoices want a look" in page
    assert "INV-2" in page
    assert "not in SAP" in page
    assert "7.00 EUR" in page
    assert ">INV-1<" not in page.split('id="payments"')[0]
    assert "Not confirmed" in page


def test_filters_show_the_same_reading_again(root, people, readings):
    text_of(people["viewer"], root + MAY)
    assert "INV-1" in text_of(people["viewer"], f"{root}{MAY}&outcome=all")
    page = text_of(people["viewer"], f"{root}{MAY}&outcome=duplicate")
    assert "No invoice" in page
    assert len(readings) == 1


def test_compare_reads_both_systems_again(root, people, readings):
    text_of(people["viewer"], root + MAY)
    text_of(people["viewer"], f"{root}{MAY}&again=1")
    assert len(readings) == 2


def test_links_of_the_page_never_read_again_by_themselves(root, people, readings):
    page = text_of(people["viewer"], f"{root}{MAY}&again=1")
    links = [part.split('"')[0] for part in page.split('href="?')[1:]]
    assert any("outcome=missing" in link for link in links)
    assert any("format=csv" in link for link in links)
    assert not [link for link in links if "again" in link]


def test_a_clean_period_says_so(root, people, readings, found):
    found[0] = report(row())
    page = text_of(people["viewer"], root + MAY)
    assert "Every approved invoice is in SAP once" in page
    assert "INV-1" in page


def test_one_organization_s_reading_is_never_shown_to_another(root, people, readings, outsider, elsewhere, sign_in):
    text_of(people["viewer"], root + MAY)
    assert people["outsider"].get(root + MAY).status_code == 404
    theirs = factories.IntegrationFactory(organization=elsewhere)
    text_of(sign_in(outsider), f"/o/{elsewhere.slug}/integrations/{theirs.pk}/{MAY}")
    assert len(readings) == 2


def test_the_csv_is_a_download_of_every_row(root, people, readings):
    answer = people["viewer"].get(f"{root}{MAY}&format=csv")
    assert answer["Content-Disposition"] == 'attachment; filename="reconciliation-2026-05-01-2026-05-31.csv"'
    assert answer["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(StringIO(answer.content.decode())))
    assert [one["section"] for one in rows] == ["invoice", "invoice", "payment", "payment"]


def test_an_invoice_leads_to_its_record(root, connected, organization, people, readings):
    record = factories.invoice(connected, key="i2")
    assert f"/o/{organization.slug}/records/{record.pk}/" in text_of(people["viewer"], root + MAY)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("first_day=2026-05-02&last_day=2026-05-01", "before it begins"),
        ("first_day=2026-05-02", "required"),
        ("first_day=May&last_day=2026-05-01", "valid date"),
    ],
)
def test_a_bad_period_is_said_and_nothing_is_read(query, words, root, people, readings):
    assert words in text_of(people["viewer"], f"{root}reconciliation/?{query}")
    assert readings == []


def test_a_system_that_is_away_is_said_with_what_to_do(root, people, monkeypatch):
    def away(*_period):
        raise Unavailable("SAP does not answer.", code="unreachable", hint="Is the Service Layer up?")

    monkeypatch.setattr(service, "reconcile", away)
    answer = people["viewer"].get(root + MAY)
    assert answer.status_code == 502
    assert "SAP does not answer." in answer.content.decode()
    assert "Is the Service Layer up?" in answer.content.decode()


def test_without_connections_the_page_says_so(organization, people):
    bare = factories.IntegrationFactory(organization=organization)
    answer = people["viewer"].get(f"/o/{organization.slug}/integrations/{bare.pk}/{MAY}")
    assert answer.status_code == 409
    assert "not set up" in answer.content.decode()


def test_hostile_text_from_outside_is_shown_and_never_run(root, people, readings, found):
    hostile = {"invoice_number": HOSTILE, "vendor": HOSTILE, "detail": HOSTILE}
    found[0] = report(row(Outcome.MISSING, **hostile), payments=(payment(**hostile),))
    page = text_of(people["viewer"], root + MAY)
    assert "alert(1)" in page
    assert "<img src=x" not in page
    assert "<script>alert" not in page


def test_many_rows_are_cut_on_the_page_and_cost_no_more_queries(root, people, readings, found):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            text = text_of(people["viewer"], f"{root}{MAY}&again=1")
        return len(captured), text

    few = queries()[0]
    found[0] = report(*(row(Outcome.MISSING, invoice_id=f"i{number}") for number in range(1200)))
    many, page = queries()
    assert many == few <= 16
    assert "700 more are in the CSV" in page
    assert page.count("<tr>") < 520


def test_the_pdf_is_the_report_on_the_screen(root, people, readings):
    text_of(people["viewer"], f"{root}{MAY}")
    answer = people["viewer"].get(f"{root}{MAY}&format=pdf")
    assert answer["Content-Type"] == "application/pdf"
    assert 'filename="reconciliation-2026-05-01-2026-05-31.pdf"' in answer["Content-Disposition"]
    assert answer.content.startswith(b"%PDF-")
    assert len(readings) == 1


def test_the_page_offers_both_files(root, people, readings):
    page = text_of(people["viewer"], f"{root}{MAY}")
    assert "PDF for the auditor" in page
    assert "format=pdf" in page
