"""Tax codes as default-mapping.md has them, sentence by sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from syncengine.flows.master import ReadWindow
from syncengine.flows.tax_codes import TaxCodes, codes_sent, rate_on
from tests.flows.contract import MasterDataContract, body, build
from tests.flows.world import FACTS, TODAY, FakeSap, context, vat_group

FLOW = TaxCodes()
SALES_TAX = {"Code": "NY", "Name": "New York", "Rate": Decimal("8.875"), "ValidForAP": "tYES", "Inactive": "tNO"}
IN_AMERICA = context(facts=replace(FACTS, tax_field="TaxCode"))


def rates(*entries: tuple[str | None, Any]) -> list[dict[str, Any]]:
    return [{"Effectivefrom": since, "Rate": rate} for since, rate in entries]


class TestTaxCodesKeepTheContract(MasterDataContract):
    flow = FLOW
    sources = [
        vat_group(),
        vat_group(Code="I0", Name="0", VatGroups_Lines=rates(("2000-01-01", 0))),
        vat_group(Code="RC", AcquisitionReverse="tYES"),
        vat_group(Code="ND", NonDeduct=Decimal(50)),
        vat_group(Code="NEW", VatGroups_Lines=rates(("2027-01-01", 26))),
    ]


def test_a_tax_code_goes_field_by_field():
    assert body(FLOW, vat_group()) == {
        "externalCode": "1000-TX-I255",
        "taxCode": "I255",
        "taxCodeNames": [{"language": "en-US", "translation": "Input 25.5 %"}],
        "taxPercentage": Decimal("25.5"),
        "companies": [{"companyCode": "1000", "inherit": True, "active": True}],
    }


@pytest.mark.parametrize(
    ("today", "rate"),
    [
        (date(2024, 8, 31), "24.0"),
        (date(2024, 9, 1), "25.5"),
        (TODAY, "25.5"),
        (date(2013, 1, 1), "24.0"),
    ],
)
def test_the_rate_is_the_latest_that_is_in_force_today(today: date, rate: str):
    assert rate_on(vat_group(), today) == (Decimal(rate), True)


def test_the_order_of_the_rates_does_not_matter():
    group = vat_group(VatGroups_Lines=list(reversed(vat_group()["VatGroups_Lines"])))
    assert rate_on(group, TODAY) == (Decimal("25.5"), True)


def test_a_rate_without_a_date_has_always_been():
    assert rate_on(vat_group(VatGroups_Lines=rates((None, 10))), TODAY) == (Decimal(10), True)


def test_a_code_without_a_rate_in_force_goes_inactive_with_the_first_future_rate():
    group = vat_group(VatGroups_Lines=rates(("2028-01-01", 27), ("2027-01-01", 26)))
    built = build(FLOW, group)
    sent = built.payload["record"][0]
    assert sent["taxPercentage"] == 26
    assert sent["companies"][0]["active"] is False
    assert built.notes == ("no rate is in force yet: sent as inactive with the first future one",)


@pytest.mark.parametrize("lines", [None, [], rates(("2020-01-01", None))])
def test_a_code_without_any_rate_is_a_problem(lines: Any):
    problems = build(FLOW, vat_group(VatGroups_Lines=lines)).problems
    assert [problem.path for problem in problems] == ["taxPercentage"]


def test_a_rate_of_zero_is_a_rate():
    assert body(FLOW, vat_group(VatGroups_Lines=rates(("2020-01-01", Decimal(0)))))["taxPercentage"] == 0


def test_a_reverse_charge_code_has_its_rate_as_the_second_one():
    sent = body(FLOW, vat_group(AcquisitionReverse="tYES"))
    assert (sent["taxPercentage"], sent["taxPercentage2"]) == (0, Decimal("25.5"))


def test_a_partly_deductible_code_has_the_part_not_deducted_as_the_second_rate():
    sent = body(FLOW, vat_group(NonDeduct=Decimal("50.0")))
    assert (sent["taxPercentage"], sent["taxPercentage2"]) == (Decimal("25.5"), Decimal(50))


def test_the_rate_of_a_reverse_charge_code_is_what_invoices_are_checked_by():
    sent = body(FLOW, vat_group(AcquisitionReverse="tYES", NonDeduct=Decimal(50)))
    assert sent["taxPercentage2"] == Decimal("25.5")


def test_an_inactive_group_goes_as_inactive():
    assert body(FLOW, vat_group(Inactive="tYES"))["companies"][0]["active"] is False


def test_only_input_tax_is_in_scope():
    assert not FLOW.in_scope(vat_group(Category="bovcOutputTax"), context())


def test_output_tax_is_not_even_asked_for():
    sap = FakeSap(VatGroups=[vat_group(), vat_group(Code="O1", Category="bovcOutputTax")])
    (page,) = FLOW.pages(sap, ReadWindow(), context())
    assert [record["Code"] for record in page.records] == ["I255"]


def test_a_group_that_became_output_tax_is_still_found_by_its_key():
    sap = FakeSap(VatGroups=[vat_group(Category="bovcOutputTax")])
    (found,) = FLOW.by_keys(sap, ["I255"], context())
    assert not FLOW.in_scope(found, context())


def test_a_company_with_tax_codes_sends_those_valid_for_purchases():
    sap = FakeSap(SalesTaxCodes=[SALES_TAX, {**SALES_TAX, "Code": "AR", "ValidForAP": "tNO"}])
    (page,) = FLOW.pages(sap, ReadWindow(), IN_AMERICA)
    sent = body(FLOW, page.records[0], IN_AMERICA)
    assert [record["Code"] for record in page.records] == ["NY"]
    assert (sent["taxCode"], sent["taxPercentage"]) == ("NY", Decimal("8.875"))
    assert FLOW.by_keys(sap, ["NY"], IN_AMERICA) == page.records


def test_the_codes_sent_include_inactive_ones():
    sap = FakeSap(VatGroups=[vat_group(), vat_group(Code="OLD", Inactive="tYES"), vat_group(Code="O", Category="x")])
    assert codes_sent(sap, context()) == {"I255", "OLD"}


def test_a_new_rate_is_an_edge_at_which_the_code_changes():
    assert FLOW.edges(vat_group()) == [date(2013, 1, 1), date(2024, 9, 1)]
    assert FLOW.edges(SALES_TAX) == []
