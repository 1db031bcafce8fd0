"""GET integrations/{id}/reconciliation/: the answer's shape, bad periods, and systems that are away."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from syncengine.connectors.outcomes import Unavailable
from syncengine.reconciliation import service
from syncengine.reconciliation.core import Outcome
from syncengine.reconciliation.payments import PaymentOutcome
from tests import factories
from tests.conftest import Api
from tests.engine.world import quick, running_sandboxes, sandboxes, world
from tests.reconciliation.books import make_books
from tests.reconciliation.builders import payment, report, row

__all__ = ["quick", "running_sandboxes", "sandboxes", "world"]

MAY = "reconciliation/?from=2026-05-01&to=2026-05-31"


@pytest.fixture
def path(connected):
    return f"integrations/{connected.pk}/"


@pytest.fixture
def asked(monkeypatch):
    """The periods that were asked for; the answer has one of each kind of row."""
    periods = []

    def reconcile(integration, first, last):
        periods.append((integration.pk, first, last))
        missing = row(Outcome.MISSING, invoice_id="i2", documents=(), detail="not in SAP", amount=Decimal("7"))
        return report(row(), missing, payments=(payment(PaymentOutcome.NOT_CONFIRMED, paid_in_basware=Decimal(0)),))

    monkeypatch.setattr(service, "reconcile", reconcile)
    return periods


def test_it_answers_totals_and_rows_as_decimal_strings(path, asked, api, connected):
    shown = api("viewer").get(path + MAY).json()
    assert asked == [(connected.pk, date(2026, 5, 1), date(2026, 5, 31))]
    assert (shown["from"], shown["to"]) == ("2026-05-01", "2026-05-31")
    assert {name: shown["totals"][name] for name in ("posted_once", "missing", "duplicate")} == {
        "posted_once": 1, "missing": 1, "duplicate": 0
    }  # fmt: skip
    assert shown["totals"]["amounts"]["missing"] == {"EUR": "7.00"}
    assert shown["rows"][1] == {
        "invoice_id": "i2",
        "invoice_number": "INV-1",
        "vendor": "V1",
        "amount": "7.00",
        "currency": "EUR",
        "outcome": "missing",
        "documents": [],
        "detail": "not in SAP",
    }
    assert shown["rows"][0]["documents"][0]["total"] == "125.50"
    assert shown["payments"]["rows"][0]["paid_in_sap"] == "100.00"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "from"),
        ("?from=2026-05-01", "to"),
        ("?to=2026-05-01", "from"),
        ("?from=May&to=2026-05-31", "from"),
        ("?from=2026-05-01&to=2026-02-30", "to"),
        ("?from=2026-05-02&to=2026-05-01", "to"),
    ],
)
def test_a_bad_period_is_400_and_names_the_field_before_anything_is_read(query, field, path, asked, api):
    answer = api("viewer").get(f"{path}reconciliation/{query}")
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert field in {error["field"] for error in answer.json()["errors"]}
    assert asked == []


def test_a_system_that_is_away_is_502_with_a_hint(path, api, monkeypatch):
    def away(*_period):
        raise Unavailable("SAP does not answer.", code="unreachable", hint="Is the Service Layer up?")

    monkeypatch.setattr(service, "reconcile", away)
    answer = api("viewer").get(path + MAY)
    assert answer.status_code == 502
    problem = answer.json()
    assert (problem["detail"], problem["code"], problem["hint"]) == (
        "SAP does not answer.", "unreachable", "Is the Service Layer up?"
    )  # fmt: skip


def test_without_a_connection_it_is_409(integration, api):
    answer = api("viewer").get(f"integrations/{integration.pk}/{MAY}")
    assert answer.status_code == 409
    assert answer.json()["code"] == "not_configured"


def test_an_outsider_sees_404_and_nothing_is_read(path, asked, outsider_api):
    assert outsider_api.get(path + MAY).status_code == 404
    assert asked == []


def test_it_reads_both_systems_themselves(world):
    books = make_books(world)
    books.drop(0)
    key = factories.api_key(world.integration.organization, "viewer")
    caller = Api({"Authorization": f"Api-Key {key}"})
    shown = caller.get(f"integrations/{world.integration.pk}/reconciliation/?from=2000-01-01&to=2100-01-01")
    assert shown.status_code == 200
    totals = shown.json()["totals"]
    assert (totals["posted_once"], totals["missing"]) == (9, 1)
    assert [one["invoice_id"] for one in shown.json()["rows"] if one["outcome"] == "missing"] == [books.id(0)]


def test_the_auditor_s_pdf_comes_from_the_same_address(path, asked, api):
    answer = api("viewer").get(f"{path}{MAY}&format=pdf")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")


def test_another_format_is_named_as_wrong(path, asked, api):
    answer = api("viewer").get(f"{path}{MAY}&format=xls")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "format"
    assert asked == []
