"""Master data looked up once for many invoices, and never believed for long."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from syncengine.connectors.outcomes import Rejected
from syncengine.posting.lookups import MOST_AHEAD, SapFacts
from tests.flows.world import FakeSap

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ON = date(2026, 11, 20)


class Sap(FakeSap):
    """SAP's tables, with finance periods by category."""

    def __init__(self, periods: list[list[dict[str, Any]]] | None = None, **tables: list[dict[str, Any]]) -> None:
        super().__init__(**tables)
        self.periods = periods or []

    def by_keys(
        self, entity_set: str, key_name: str, keys: Iterable[str | int], select: Sequence[str]
    ) -> list[dict[str, Any]]:
        wanted = list(keys)
        found = super().by_keys(entity_set, key_name, wanted, select)
        self.asked[-1] = (entity_set, ",".join(map(str, wanted)))
        return found

    def pages(self, entity_set: str, *, key: str, select: Sequence[str], **more: Any) -> Iterator[list[dict[str, Any]]]:
        return super().pages(entity_set, key=key, select=select, **more)

    def find(self, entity_set: str, *, where: str, select: Any, top: int = 100, case_insensitive: bool = False) -> Any:
        return self._matching(entity_set, where, "DocEntry")

    def contains(self, field_name: str, text: str) -> str:
        return f"contains({field_name},'{text}')"

    def service(self, name: str, body: Any = None) -> Any:
        self.asked.append((name, str(body["PeriodCategoryParams"]["AbsoluteEntry"])))
        category = body["PeriodCategoryParams"]["AbsoluteEntry"]
        if category > len(self.periods):
            raise Rejected("no such category", code="sap_-2028")
        return {"value": self.periods[category - 1]}


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def facts(sap: Sap) -> tuple[SapFacts, Clock]:
    clock = Clock()
    return SapFacts(sap, clock), clock


ACCOUNTS = [{"Code": "6701", "ActiveAccount": "tYES"}, {"Code": "6702"}, {"Code": "6703"}]


def test_a_record_is_asked_for_once():
    sap = Sap(ChartOfAccounts=ACCOUNTS)
    known, _ = facts(sap)
    assert set(known.accounts(["6701", "6702", "6701", ""])) == {"6701", "6702"}
    assert set(known.accounts(["6702", "6703"])) == {"6702", "6703"}
    assert sap.asked == [("ChartOfAccounts", "6701,6702"), ("ChartOfAccounts", "6703")]


def test_it_is_asked_for_again_when_its_time_is_over():
    sap = Sap(ChartOfAccounts=ACCOUNTS)
    known, clock = facts(sap)
    known.accounts(["6701"])
    clock.now += timedelta(minutes=3)
    known.accounts(["6701"])
    assert len(sap.asked) == 2


def test_a_missing_record_is_asked_for_each_time():
    sap = Sap(ChartOfAccounts=[])
    known, _ = facts(sap)
    assert known.accounts(["6701"]) == {}
    sap.tables["ChartOfAccounts"] = ACCOUNTS
    assert set(known.accounts(["6701"])) == {"6701"}


def test_nothing_named_is_nothing_asked():
    sap = Sap()
    known, _ = facts(sap)
    assert known.accounts([]) == known.projects([""]) == {}
    assert sap.asked == []


def test_afresh_remembers_nothing():
    sap = Sap(ChartOfAccounts=ACCOUNTS)
    known, _ = facts(sap)
    known.accounts(["6701"])
    known.afresh().accounts(["6701"])
    assert len(sap.asked) == 2


def test_what_is_to_come_is_read_along_with_the_first():
    sap = Sap(ChartOfAccounts=ACCOUNTS)
    known, _ = facts(sap)
    known.expect("ChartOfAccounts", ["6702", "6703", "6702", ""])
    known.accounts(["6701"])
    known.accounts(["6702"])
    known.accounts(["6703"])
    assert sap.asked == [("ChartOfAccounts", "6701,6702,6703")]


def test_reading_ahead_is_bounded():
    sap = Sap(ChartOfAccounts=[])
    known, _ = facts(sap)
    known.expect("ChartOfAccounts", [str(number) for number in range(1000)])
    known.accounts(["a"])
    assert len(sap.asked[0][1].split(",")) == MOST_AHEAD + 1


def test_what_is_no_profit_center_may_be_a_distribution_rule():
    sap = Sap(ProfitCenters=[{"CenterCode": "ADM"}], DistributionRules=[{"FactorCode": "S-HQ"}])
    known, _ = facts(sap)
    assert set(known.cost_centers(["ADM", "S-HQ", "NONE"])) == {"ADM", "S-HQ"}


@pytest.mark.parametrize("code", ["NT30", "", "3x"])
def test_a_payment_term_that_is_no_number_is_none_of_sap_s(code: str):
    sap = Sap(PaymentTermsTypes=[{"GroupNumber": 3}])
    known, _ = facts(sap)
    assert known.payment_term(code) is None
    assert sap.asked == []


def test_small_tables_are_read_whole_and_once():
    sap = Sap(PaymentTermsTypes=[{"GroupNumber": -1}, {"GroupNumber": 3}], BusinessPlaces=[{"BPLID": 2}])
    known, _ = facts(sap)
    assert (known.payment_term("-1") or {})["GroupNumber"] == -1
    assert (known.payment_term("3") or {})["GroupNumber"] == 3
    assert known.payment_term("4") is None
    assert (known.branch("2") or {})["BPLID"] == 2
    assert known.branch("x") is None
    assert len(sap.asked) == 2


# Tax


def group(**more: Any) -> dict[str, Any]:
    rates = [
        {"Effectivefrom": "2024-09-01T00:00:00Z", "Rate": Decimal("25.5")},
        {"Effectivefrom": "2013-01-01T00:00:00Z", "Rate": Decimal(24)},
        {"Effectivefrom": "2027-01-01T00:00:00Z", "Rate": Decimal(26)},
    ]
    return {"Code": "I255", "Category": "bovcInputTax", "Inactive": "tNO", "VatGroups_Lines": rates} | more


@pytest.mark.parametrize(
    ("on", "rate"),
    [(date(2024, 8, 31), "24"), (date(2024, 9, 1), "25.5"), (date(2027, 5, 1), "26"), (date(2012, 1, 1), None)],
)
def test_the_rate_is_the_one_in_force_on_the_tax_date(on: date, rate: str | None):
    known, _ = facts(Sap(VatGroups=[group()]))
    assert known.taxes(["I255"], "VatGroup", on)["I255"].rate == (None if rate is None else Decimal(rate))


def test_a_tax_code_tells_what_it_is():
    known, _ = facts(
        Sap(
            VatGroups=[
                group(AcquisitionReverse="tYES", NonDeduct=Decimal(50), Category="bovcOutputTax", Inactive="tYES")
            ]
        )
    )
    found = known.taxes(["I255"], "VatGroup", ON)["I255"]
    assert (found.reverse, found.partly, found.purchasing, found.usable) == (True, True, False, False)


def test_sales_tax_companies_have_their_own_table():
    table = [{"Code": "CA", "Rate": Decimal("8.25"), "ValidForAP": "tYES", "Inactive": "tNO"}]
    known, _ = facts(Sap(SalesTaxCodes=table))
    found = known.taxes(["CA"], "TaxCode", ON)["CA"]
    assert (found.rate, found.purchasing, found.usable, found.reverse) == (Decimal("8.25"), True, True, False)


# Down payments


def test_down_payments_are_read_for_several_vendors_at_once_without_cancelled_ones():
    rows = [
        {"DocEntry": 1, "CardCode": "V1", "CancelStatus": "csNo"},
        {"DocEntry": 2, "CardCode": "V1", "CancelStatus": "csYes"},
        {"DocEntry": 3, "CardCode": "V2", "CancelStatus": "csNo"},
    ]
    sap = Sap(PurchaseDownPayments=rows)
    known, _ = facts(sap)
    known.expect("PurchaseDownPayments", ["V2", "V3"])
    found = {vendor: [row["DocEntry"] for row in known.down_payments(vendor)] for vendor in ("V1", "V2", "V3")}
    assert found == {"V1": [1], "V2": [3], "V3": []}
    assert len(sap.asked) == 1


# Periods


def period(month: int, status: str | None = "ltUnlocked", year: int = 2026) -> dict[str, Any]:
    return {
        "AbsoluteEntry": year * 100 + month,
        "PostingDateFrom": f"{year}-{month:02}-01",
        "PostingDateTo": f"{year}-{month:02}-28",
        "PeriodStatus": status,
    }


def test_an_open_period_is_open_and_asked_for_once():
    sap = Sap([[period(11)]])
    known, _ = facts(sap)
    assert known.period(ON).is_open
    assert known.period(ON).is_open
    assert len(sap.asked) == 1


@pytest.mark.parametrize(
    ("status", "is_open"),
    [
        ("ltUnlocked", True),
        ("ltUnlockedExceptSales", True),
        ("ltPeriodClosing", False),
        ("ltLocked", False),
        (None, True),
    ],
)
def test_the_status_decides_and_one_that_is_not_told_counts_as_open(status: str | None, is_open: bool):
    known, _ = facts(Sap([[period(11, status)]]))
    assert known.period(ON).is_open is is_open


def test_the_next_open_day_begins_the_first_open_period_after():
    years = [
        [period(10), period(11, "ltLocked")],
        [period(1, "ltLocked", 2027), period(2, year=2027), period(3, year=2027)],
    ]
    known, _ = facts(Sap(years))
    assert known.period(ON).next_open == date(2027, 2, 1)


def test_a_date_that_sap_tells_nothing_of_counts_as_open():
    known, _ = facts(Sap([[period(1)]]))
    found = known.period(ON)
    assert (found.known, found.is_open) == (False, True)


def test_a_server_that_answers_the_same_for_every_category_ends_the_search():
    sap = Sap([[period(1)]] * 90)
    known, _ = facts(sap)
    assert not known.period(ON).known
    assert len(sap.asked) == 2


def test_receipts_come_oldest_first():
    rows = [
        {
            "DocEntry": 1,
            "CardCode": "V1",
            "DocumentStatus": "bost_Open",
            "CancelStatus": "csNo",
            "DocDate": "2026-11-05",
        },
        {
            "DocEntry": 2,
            "CardCode": "V1",
            "DocumentStatus": "bost_Open",
            "CancelStatus": "csNo",
            "DocDate": "2026-11-01",
        },
        {
            "DocEntry": 3,
            "CardCode": "V1",
            "DocumentStatus": "bost_Close",
            "CancelStatus": "csNo",
            "DocDate": "2026-01-01",
        },
    ]
    known, _ = facts(Sap(PurchaseDeliveryNotes=rows))
    assert [row["DocEntry"] for row in known.receipts("V1")] == [2, 1]
