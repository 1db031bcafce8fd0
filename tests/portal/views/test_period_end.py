"""The month-end guard as a page: nothing is read by opening it, every check has its number and its way there."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from syncengine.connectors.outcomes import Unavailable
from syncengine.models import PeriodEnd
from syncengine.period_end import service
from syncengine.period_end.core import as_document
from tests.period_end.test_core import JUNE, MAY, WELL, YEAR, invoice, report, right

HTMX = {"HX-Request": "true"}


@pytest.fixture
def may(connected):
    """May, read on its last day with one invoice under way."""
    return remembered(connected, [invoice()])


def remembered(integration, invoices, rows=()):
    found = as_document(MAY, YEAR, "SBO · 1000", report(right(), *rows), invoices, WELL, next_open_day=True)
    row, _ = PeriodEnd.objects.update_or_create(
        integration=integration,
        first=MAY.first,
        last=MAY.last,
        defaults={"report": found, "read_at": datetime(2026, 6, 1, 12, tzinfo=UTC), "read_by": "anna@example.com"},
    )
    return row


@pytest.fixture
def read(monkeypatch, connected):
    """The days that were read for."""
    days = []

    def fake(integration, day, actor):
        days.append((day, actor))
        return remembered(integration, [])

    monkeypatch.setattr(service, "read", fake)
    return days


def text_of(client, path):
    return client.get(path).content.decode()


def test_opening_the_page_reads_nothing(root, people, read):
    text = text_of(people["viewer"], f"{root}period-end/")
    assert "No period has been read yet" in text
    assert "Somebody with the role operator" in text
    assert read == []


def test_the_button_reads_and_shows_the_green_light(root, people, read):
    answer = people["operator"].post(f"{root}period-end/", {"day": "2026-05-01"}, follow=True)
    assert "Green light: 2026-05 is complete." in answer.content.decode()
    assert read == [(date(2026, 5, 1), "operator@nordic-paper.example.com")]


def test_htmx_gets_the_reading_alone(root, people, read):
    text = people["operator"].post(f"{root}period-end/", {"day": "2026-05-01"}, headers=HTMX).content.decode()
    assert "Green light" in text
    assert "<html" not in text


def test_what_is_open_is_counted_and_leads_to_where_it_is_mended(root, people, may):
    text = text_of(people["viewer"], f"{root}period-end/")
    assert "Not yet: 1 of" in text
    assert f'href="{root}records/?flow=invoices"' in text
    assert f'href="{root}reconciliation/?first_day=2026-05-01&amp;last_day=2026-05-31"' in text
    assert "10.50 EUR" in text
    assert "1 Jun 2026, 12:00" in text


def test_totals_that_differ_stand_out_in_words(root, people, connected):
    remembered(connected, [], [right(expected=Decimal("7"), branch="2", documents=())])
    text = text_of(people["viewer"], f"{root}period-end/")
    assert "-7.00 EUR" in text
    assert "whole company" in text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Unavailable("SAP does not answer.", code="away", hint="Ask its operator."), 502),
        (service.NoSuchPeriod("SAP has no posting period for 1 May 2050."), 409),
    ],
)
def test_a_reading_that_fails_says_why_and_keeps_what_was_known(root, people, may, monkeypatch, error, status):
    def fail(*_):
        raise error

    monkeypatch.setattr(service, "read", fail)
    answer = people["operator"].post(f"{root}period-end/", {"day": "2026-05-01"})
    assert answer.status_code == status
    assert str(error) in answer.content.decode()
    assert "Not yet: 1 of" in answer.content.decode()
    part = people["operator"].post(f"{root}period-end/", {"day": "2026-05-01"}, headers=HTMX)
    assert (part.status_code, str(error) in part.content.decode()) == (200, True)


@pytest.mark.parametrize("day", ["", "yesterday", "2026-13-01"])
def test_a_day_that_is_none_is_not_found(root, people, read, day):
    assert people["operator"].post(f"{root}period-end/", {"day": day}).status_code == 404
    assert read == []


def test_an_admin_chooses_the_cutoff_of_a_period(root, people, may):
    path = f"{root}period-end/{may.pk}/cutoff/"
    text = people["admin"].post(path, {"cutoff": "2026-06-02"}, follow=True).content.decode()
    assert "Tuesday, 2 Jun 2026" in text
    assert "chosen for this period" in text
    assert "must be a day" in people["admin"].post(path, {"cutoff": "soon"}, follow=True).content.decode()
    assert "as usual after" in people["admin"].post(path, {"cutoff": ""}, follow=True).content.decode()


def test_a_period_of_another_integration_has_no_cutoff_here(root, people, outsider, may):
    PeriodEnd.objects.filter(pk=may.pk).delete()
    assert people["admin"].post(f"{root}period-end/{may.pk}/cutoff/", {}).status_code == 404


def test_a_period_that_was_read_is_shown_by_its_address(root, people, may, connected):
    PeriodEnd.objects.create(
        integration=connected,
        first=JUNE.first,
        last=JUNE.last,
        report={**may.report, "period": {"name": "2026-06", "first": "2026-06-01", "last": "2026-06-30"}},
        read_at=datetime(2026, 7, 1, tzinfo=UTC),
    )
    assert "checks of 2026-06" in text_of(people["viewer"], f"{root}period-end/")
    assert "checks of 2026-05" in text_of(people["viewer"], f"{root}period-end/?first=2026-05-01")
