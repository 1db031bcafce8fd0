"""Causes of failure by API: the same groups as in the fix-it inbox."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from syncengine.models import Repair
from tests import factories

CLOSED = "problems: G/L account 4010 is frozen in SAP."


@pytest.fixture
def failed(integration):
    def make(count=1, **fields):
        given = {"status": "failed", "cause": CLOSED, "failed_for": CLOSED, "failed_at": timezone.now(), **fields}
        return [factories.invoice(integration, amount=Decimal("100.10"), **given) for _ in range(count)]

    return make


@pytest.fixture
def path(integration):
    return f"integrations/{integration.pk}/causes/"


def test_open_causes_are_listed_with_their_money_and_cure(api, path, failed, integration, operator):
    failed(37)
    failed(1, currency="USD")
    Repair.objects.create(integration=integration, flow="invoices", cause=CLOSED, assignee=operator)
    (cause,) = api("viewer").get(path).json()["results"]
    assert cause.pop("newest_at")
    assert cause == {
        "flow": "invoices",
        "cause": CLOSED,
        "title": "Account 4010 is closed in SAP",
        "state": "open",
        "count": 38,
        "sums": [{"currency": "EUR", "amount": "3703.70"}, {"currency": "USD", "amount": "100.10"}],
        "cure": "Choose another account",
        "table": "accounts",
        "value": "4010",
        "assigned_to": operator.email,
        "snoozed_until": None,
    }


def test_a_state_is_asked_for_and_nonsense_refused(api, path, failed):
    failed(1, status="pending", cause="")
    failed(1, status="done", cause="", mended_at=timezone.now(), failed_for="problems: over")
    caller = api("viewer")
    assert caller.get(path).json() == {"next": None, "previous": None, "results": []}
    assert [cause["count"] for cause in caller.get(f"{path}?state=retrying").json()["results"]] == [1]
    resolved = caller.get(f"{path}?state=resolved&sort=newest").json()["results"]
    assert [cause["title"] for cause in resolved] == ["Over"]
    assert caller.get(f"{path}?state=somehow").status_code == 400
    assert caller.get(f"{path}?status=open").status_code == 400
