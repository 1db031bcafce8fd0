"""Everything that keeps an invoice from being posted, and where it can be mended (default-mapping.md)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from syncengine.posting.findings import Period
from syncengine.posting.problems import BASWARE_CODES, all_named, mendable_in_basware
from tests.posting.builders import (
    Document,
    account,
    base,
    document,
    findings,
    order_row,
    problems,
    row,
    tax,
    terms,
    vendor,
    with_order,
)


def test_a_good_invoice_has_no_problems():
    assert problems(document()) == []


# One thing wrong at a time: (document, SAP, terms) → code and a word of the message


VENDORS: list[tuple[Any, str]] = [
    (None, "vendor V10012 does not exist"),
    (vendor(CardType="cCustomer"), "is not a supplier"),
    (vendor(Frozen="tYES"), "vendor V10012 is frozen"),
    (vendor(Frozen="tYES", FrozenFrom="2026-11-01", FrozenTo="2026-11-30"), "is frozen"),
    (vendor(Valid="tYES", ValidTo="2026-10-31"), "is not active in SAP on 2026-11-19"),
]


@pytest.mark.parametrize(("held", "words"), VENDORS)
def test_an_unusable_vendor_is_a_problem(held: Any, words: str):
    (problem,) = problems(document(), findings(vendor=held))
    assert words in problem.message
    assert problem.code == "vendor"


@pytest.mark.parametrize(
    "held",
    [
        vendor(Frozen="tYES", FrozenFrom="2026-12-01"),
        vendor(Frozen="tYES", FrozenTo="2026-11-18"),
        vendor(Valid="tNO", ValidTo="2020-01-01"),
        vendor(Valid="tYES", ValidFrom="2020-01-01"),
    ],
)
def test_a_vendor_usable_on_the_posting_date_is_none(held: Any):
    assert problems(document(), findings(vendor=held)) == []


def test_a_vendor_of_another_source_system_is_a_problem():
    (problem,) = problems(document(supplierSourceSystemId="SAPECC"))
    assert "source system SAPECC" in problem.message


def test_no_source_system_given_is_fine():
    assert problems(document(supplierSourceSystemId=None)) == []


ACCOUNTS: list[tuple[Any, str]] = [
    (None, "does not exist"),
    (account(ActiveAccount="tNO"), "is a title"),
    (account(LockManualTransaction="tYES"), "is a control account"),
    (account(BlockManualPosting="tYES"), "is blocked for manual posting"),
    (account(FrozenFor="tYES"), "is frozen"),
    (account(ValidFor="tYES", ValidTo="2026-10-31"), "is not valid"),
]


@pytest.mark.parametrize(("held", "words"), ACCOUNTS)
def test_an_unusable_account_is_a_problem_that_names_code_and_row(held: Any, words: str):
    found = findings(accounts={} if held is None else {"6701": held})
    (problem,) = problems(document(), found)
    assert problem.message.startswith("G/L account 6701 of coding row 1")
    assert words in problem.message
    assert (problem.code, problem.path) == ("account", "codingRows[0].accountCode")


def test_a_row_without_an_account_is_a_problem():
    (problem,) = problems(document([row(accountCode=None)]))
    assert problem.message == "coding row 1 has no account"


def test_the_account_of_an_item_row_is_the_base_s_and_not_checked():
    assert problems(document([order_row(accountCode="none")]), with_order(base())) == []


def test_the_account_of_a_freight_row_is_only_looked_up():
    source = document([order_row(), row(2, accountCode="6400")])
    assert problems(source, with_order(base()), terms(lookups={"charges": {"6400": "1"}})) == []


CENTERS: list[tuple[Any, str]] = [
    (None, "does not exist"),
    ({"InWhichDimension": 2, "Active": "tYES"}, "belongs to dimension 2"),
    ({"InWhichDimension": 1, "Active": "tNO"}, "is not active"),
    ({"InWhichDimension": 1, "Active": "tYES", "EffectiveTo": "2026-11-18"}, "is not in effect"),
]


@pytest.mark.parametrize(("held", "words"), CENTERS)
def test_an_unusable_cost_center_is_a_problem(held: Any, words: str):
    (problem,) = problems(document(), findings(cost_centers={} if held is None else {"ADM": held}))
    assert problem.message.startswith("cost center ADM of coding row 1")
    assert words in problem.message


@pytest.mark.parametrize(
    ("held", "words"),
    [
        (None, "does not exist"),
        ({"Active": "tNO"}, "is not active"),
        ({"Active": "tYES", "ValidFrom": "2026-12-01"}, "is not valid"),
    ],
)
def test_an_unusable_project_is_a_problem(held: Any, words: str):
    found = findings(projects={} if held is None else {"P001": held})
    (problem,) = problems(document([row(projectCode="P001")]), found)
    assert problem.message.startswith("project P001 of coding row 1")
    assert words in problem.message


TAXES: list[tuple[Any, dict[str, Any], str]] = [
    (None, {}, "does not exist"),
    (tax(purchasing=False), {}, "is not for purchases"),
    (tax(usable=False), {}, "is not active"),
    (tax(rate=None), {}, "has no rate in SAP on 2026-11-18"),
    (tax(rate="24"), {}, "has 24 % in SAP, the row says 25.5 %"),
    (tax(), {"taxPercent": None, "taxSum": Decimal("25.53"), "grossTotal": Decimal("125.53")}, "gives 25.50 tax"),
    (tax(), {"taxSum2": Decimal("5.00")}, "neither reverse charge nor partly deductible"),
]


@pytest.mark.parametrize(("held", "changed", "words"), TAXES)
def test_a_tax_code_that_does_not_fit_is_a_problem(held: Any, changed: dict[str, Any], words: str):
    (problem,) = problems(document([row(**changed)]), findings(taxes={} if held is None else {"I255": held}))
    assert words in problem.message
    assert problem.code == "tax"


@pytest.mark.parametrize("off", ["0.02", "-0.02"])
def test_two_cents_of_tax_are_rounding(off: str):
    changed = {"taxSum": Decimal("25.50") + Decimal(off), "grossTotal": Decimal("125.50") + Decimal(off)}
    assert problems(document([row(**changed)])) == []


def test_a_row_without_a_tax_code_is_a_problem():
    assert [problem.message for problem in problems(document([row(taxCode=None)]))] == ["coding row 1 has no tax code"]


def test_a_partly_deductible_code_may_have_a_second_tax():
    assert problems(document([row(taxSum2=Decimal("5.00"))]), findings(taxes={"I255": tax(partly=True)})) == []


REVERSE = {"taxPercent": Decimal(0), "taxPercent2": Decimal("25.5"), "taxSum": Decimal(0), "taxSum2": Decimal("25.50")}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"taxSum": Decimal("25.50"), "grossTotal": Decimal("125.50")}, "has tax 25.50 to be paid"),
        ({"taxPercent": Decimal("25.5")}, "says 25.5 % to be paid"),
        ({"taxPercent2": Decimal(24)}, "has 25.5 % in SAP, the row says 24 %"),
        ({}, ""),
    ],
)
def test_reverse_charge_has_its_rate_as_second_and_nothing_to_pay(changed: dict[str, Any], words: str):
    fields = REVERSE | {"grossTotal": Decimal("100.00")} | changed
    found = problems(document([row(**fields)]), findings(taxes={"I255": tax(reverse=True)}))
    assert [problem.code for problem in found] == (["tax"] if words else [])
    assert words in all_named(found)


SUMS: list[tuple[dict[str, Any], list[str]]] = [
    ({"netSum": Decimal("101.00"), "grossSum": Decimal("126.50")}, ["netSum", "grossSum"]),
    ({"taxSum1": Decimal("26.50"), "grossSum": Decimal("126.50")}, ["taxSum1", "grossSum"]),
    ({"grossSum": Decimal("126.50")}, ["grossSum", "grossSum"]),
    ({"grossSum": Decimal("125.51")}, []),
    ({"netSum": None, "taxSum1": None}, []),
    ({"taxSum1": None}, []),
    ({"taxSum1": None, "grossSum": Decimal("126.50")}, ["grossSum", "grossSum"]),
]


@pytest.mark.parametrize(("changed", "paths"), SUMS)
def test_rows_must_add_up_to_the_header_within_a_cent_a_row(changed: dict[str, Any], paths: list[str]):
    assert [problem.path for problem in problems(document(**changed))] == paths


def test_a_document_that_tells_no_tax_at_all_is_not_held_against_its_gross_sum():
    """Everything but the required fields may be null or absent (contracts: Basware §14.3)."""
    bare = row(taxSum=None, grossTotal=None)
    assert problems(document([bare], taxSum1=None, grossSum=Decimal("125.50"))) == []


def yen(net: str, tax_sum: str, **header: Any) -> Document:
    rows = [row(index, net, taxSum=Decimal(tax_sum), grossTotal=Decimal(net) + Decimal(tax_sum)) for index in (1, 2)]
    return document(rows, currencyCode="JPY", **header)


def test_a_currency_without_decimals_rounds_by_whole_units():
    """25.5 % of 1001 is 255.255, which no yen can show; two such rows may be one apart from the header."""
    assert problems(yen("1001", "255")) == []
    assert problems(yen("1001", "255", taxSum1=Decimal(511), grossSum=Decimal(2513))) == []
    assert [found.path for found in problems(yen("1001", "257"))] == ["codingRows[0].taxCode", "codingRows[1].taxCode"]


def test_the_figures_are_in_the_sentence():
    message = all_named(problems(document(netSum=Decimal("200.00"), grossSum=Decimal("225.50"))))
    assert "the coding rows add up to net 100.00, the header says 200.00" in message


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"voucherDate": "2026-11-17"}, "lies before the invoice date 2026-11-18"),
        ({"voucherDate": "2026-12-22"}, "lies more than 31 days ahead"),
    ],
)
def test_an_unusual_posting_date_is_a_problem_unless_allowed(changed: dict[str, Any], words: str):
    (problem,) = problems(document(**changed))
    assert words in problem.message
    assert problems(document(**changed), asked=terms(allow_unusual_dates=True)) == []


def test_thirty_one_days_ahead_is_still_fine():
    assert problems(document(voucherDate="2026-12-21")) == []


LOCKED = Period(known=True, is_open=False, next_open=date(2026, 12, 1))


def test_a_locked_period_is_a_problem_for_sap_s_administrator():
    (problem,) = problems(document(), findings(period=LOCKED))
    assert problem.code == "period"
    assert mendable_in_basware([problem]) == []


def test_a_locked_period_is_none_when_the_date_may_move():
    assert problems(document(), findings(period=LOCKED), terms(next_open_day=True)) == []


def test_a_locked_period_with_nothing_open_after_it_remains_a_problem():
    found = findings(period=Period(known=True, is_open=False))
    assert [problem.code for problem in problems(document(), found, terms(next_open_day=True))] == ["period"]


@pytest.mark.parametrize(
    ("lookups", "branch", "words"),
    [
        ({}, None, "the lookup table branches names none"),
        ({"1000": "2"}, None, "branch 2 does not exist"),
        ({"1000": "2"}, {"BPLID": 2, "Disabled": "tYES"}, "branch 2 is disabled"),
    ],
)
def test_a_company_with_branches_needs_one(lookups: dict[str, str], branch: Any, words: str):
    asked = terms(branches=True, lookups={"branches": lookups})
    (problem,) = problems(document(), findings(branch=branch), asked)
    assert words in problem.message
    assert problem.code == "branch"


def test_a_currency_that_sap_does_not_have_is_a_problem():
    assert [problem.code for problem in problems(document(currencyCode="CHF"))] == ["currency"]


@pytest.mark.parametrize(("setting", "codes"), [("problem", ["withholding"]), ("sap", []), ("none", [])])
def test_withholding_tax_is_a_problem_unless_the_setting_says_how(setting: Any, codes: list[str]):
    found = findings(vendor=vendor(SubjectToWithholdingTax="tYES"))
    assert [problem.code for problem in problems(document(), found, terms(withholding_tax=setting))] == codes


# All at once


def test_every_problem_is_collected_not_only_the_first():
    rows = [row(10, accountCode="1", costCenterCode="2", taxCode="3", projectCode="4"), row(20)]
    found = problems(document(rows, grossSum=Decimal(1)), findings(vendor=None))
    assert [problem.code for problem in found] == [
        "vendor",
        "account",
        "cost_center",
        "project",
        "tax",
        "sums",
        "sums",
    ]
    assert all(problem.hint for problem in found)
    named = all_named(found)
    for code in ("V10012", "account 1", "center 2", "code 3", "project 4"):
        assert code in named


def test_what_basware_can_mend_is_coding_vendor_order_quantity_tax_and_sums():
    assert {"account", "cost_center", "project", "vendor", "order", "quantity", "tax", "sums"} < BASWARE_CODES
    assert not BASWARE_CODES & {"branch", "period", "charges", "withholding", "authorisation", "lookup_missing"}
