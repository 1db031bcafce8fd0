"""Exchange rates: each foreign currency and day towards the company's own, never closed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from syncengine.connectors.outcomes import Rejected
from syncengine.flows.exchange_rates import ExchangeRates
from syncengine.flows.master import ReadWindow
from syncengine.models import Record
from tests.engine.world import World
from tests.flows.contract import Record as Row
from tests.flows.contract import build
from tests.flows.world import FakeSap, context

FLOW = ExchangeRates()
RATES = {("USD", "20261120"): Decimal("0.92"), ("USD", "20261119"): Decimal("0.91")}


class SapWithRates(FakeSap):
    """A rate table beside the currencies."""

    refusal = "Update the exchange rate  , 'SEK'"

    def service(self, name: str, body: Mapping[str, Any]) -> Any:
        assert name == "SBOBobService_GetCurrencyRate"
        rate = RATES.get((body["Currency"], body["Date"]))
        if rate is None:
            raise Rejected(self.refusal, code="sap_-5002")
        return {"value": rate}


def sap() -> SapWithRates:
    return SapWithRates(Currencies=[{"Code": code, "Name": code} for code in ("EUR", "SEK", "USD")])


def ctx(**settings: Any) -> Any:
    return context(today=date(2026, 11, 20), settings=settings)


def read(**settings: Any) -> list[Row]:
    return [row for page in FLOW.pages(sap(), ReadWindow(), ctx(**settings)) for row in page.records]


def test_a_rate_goes_field_by_field():
    (sent,) = build(FLOW, read()[-1], ctx()).payload["record"]
    assert sent == {
        "externalCode": "1000-FX-USD/20261120",
        "currencyCodeFrom": "USD",
        "currencyCodeTo": "EUR",
        "rate": Decimal("0.92"),
        "validFrom": "2026-11-20T00:00:00Z",
        "companies": [{"companyCode": "1000", "active": True}],
    }


def test_each_day_is_a_record_of_its_own_and_a_day_without_a_rate_is_none():
    assert [FLOW.key(row) for row in read()] == ["USD/20261119", "USD/20261120"]
    assert len({build(FLOW, row, ctx()).payload["record"][0]["externalCode"] for row in read()}) == 2
    assert [FLOW.key(row) for row in read(exchange_rate_days=1)] == ["USD/20261120"]


def test_any_other_refusal_is_not_taken_for_a_missing_rate(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(SapWithRates, "refusal", "You are not permitted to perform this action")
    with pytest.raises(Rejected):
        read()


@pytest.mark.parametrize(
    ("quotation", "rate"), [("company", "0.92"), ("direct", "0.92"), ("indirect", "1.08695652174")]
)
def test_a_rate_quoted_the_other_way_round_is_turned_over(quotation: str, rate: str):
    how = ctx(exchange_rate_quotation=quotation)
    assert build(FLOW, read()[-1], how).payload["record"][0]["rate"] == Decimal(rate)


def test_a_record_is_found_again_by_its_key():
    assert FLOW.by_keys(sap(), ["USD/20261119", "GBP/20261119"], ctx()) == read()[:1]


def test_the_rates_of_sap_come_to_basware_and_stay_there(world: World):
    world.integration.settings = {"optional_flows": ["exchange_rates"], "exchange_rate_days": 2}
    world.integration.save()
    assert world.run("exchange_rates").status == "succeeded"
    held = world.basware("exchangeRates")
    assert len(held) == len(world.records("exchange_rates")) > 2
    old = Record.objects.filter(flow="exchange_rates").order_by("key").first()
    assert old is not None
    world.integration.settings |= {"exchange_rate_days": 1}
    world.integration.save()
    run = world.run("exchange_rates", "full")
    assert (run.status, run.closed, run.sent) == ("succeeded", 0, 0)
    assert world.again(old).active
