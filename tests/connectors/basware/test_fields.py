"""What Basware takes: types, lengths, literals, what is required (contracts: Basware §6–§15)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.connectors.basware import RESOURCES, FieldProblem, check, limits
from syncengine.connectors.basware.fields import fits, problems


def names(text: str = "Net 30") -> list[dict[str, str]]:
    return [{"language": "en-US", "translation": text}]


def term(**changes: Any) -> dict[str, Any]:
    return {
        "externalCode": "NORD01-PT-1",
        "paymentTermCode": "1",
        "paymentTermNames": names(),
        "moveDueDatesTo": "0",
        "dueDateCalc": 1,
        "dueDateDays": 30,
        "cashDiscount": Decimal("2.5"),
        "validFrom": "2000-01-01T00:00:00Z",
        "validTo": "2099-12-31T00:00:00Z",
        "companies": [{"companyCode": "NORD01", "inherit": True, "active": True}],
        **changes,
    }


def vendor(**changes: Any) -> dict[str, Any]:
    return {
        "externalCode": "NORD01-V-V1",
        "vendorCode": "V1",
        "name": "Pohjolan Laakeri Oy",
        "companies": [{"companyCode": "NORD01", "inheritToChildUnits": True}],
        **changes,
    }


def without(payload: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in payload.items() if key != name}


def test_a_good_payload_has_no_problems():
    assert check("paymentTerms", term()) == []
    assert check("vendors", vendor()) == []


@pytest.mark.parametrize("name", ["externalCode", "paymentTermNames", "validFrom", "companies"])
def test_a_missing_required_field_is_named(name):
    assert check("paymentTerms", without(term(), name)) == [FieldProblem(name, "is required and missing")]


@pytest.mark.parametrize(
    ("changes", "path", "message"),
    [
        ({"paymentTermCode": ""}, "paymentTermCode", "has 0 characters, at least 1 are needed"),
        ({"paymentTermCode": "x" * 26}, "paymentTermCode", "has 26 characters, 25 is the most"),
        ({"paymentTermCode": 14}, "paymentTermCode", "is not text"),
        ({"paymentTermCode": None}, "paymentTermCode", "is null: a field without a value is left out"),
        (
            {"paymentTermNames": names("N")},
            "paymentTermNames[0].translation",
            "has 1 characters, at least 2 are needed",
        ),
        ({"paymentTermNames": []}, "paymentTermNames", "has no entry with language en-US"),
        ({"paymentTermNames": "Net 30"}, "paymentTermNames", "is not a list"),
        ({"paymentTermNames": [*names(), "Net"]}, "paymentTermNames[1]", "is not an object"),
        ({"moveDueDatesTo": "3"}, "moveDueDatesTo", "is none of 0, 1, 2"),
        ({"moveDueDatesTo": 0}, "moveDueDatesTo", "is not text"),
        ({"dueDateCalc": 2}, "dueDateCalc", "is none of 0, 1"),
        ({"dueDateCalc": "1"}, "dueDateCalc", "is not a whole number"),
        ({"dueDateDays": True}, "dueDateDays", "is not a whole number"),
        ({"dueDateDays": -1}, "dueDateDays", "is below 0"),
        ({"dueDateDays": 2**31}, "dueDateDays", "is above 2147483647"),
        ({"dueDateDays": Decimal("30.0")}, "dueDateDays", "is not a whole number"),
        ({"cashDiscount": "2.5"}, "cashDiscount", "is not an exact number"),
        ({"cashDiscount": 2.5}, "cashDiscount", "is not an exact number"),
        ({"cashDiscount": True}, "cashDiscount", "is not an exact number"),
        ({"cashDiscount": Decimal("NaN")}, "cashDiscount", "is not an exact number"),
        ({"cashDiscount": Decimal("-0.01")}, "cashDiscount", "is below 0"),
        ({"validTo": "31.12.2099"}, "validTo", "is not a date-time such as 2026-05-04T00:00:00Z"),
        ({"validTo": 20991231}, "validTo", "is not a date-time such as 2026-05-04T00:00:00Z"),
        ({"validTo": "2026-02-30T00:00:00Z"}, "validTo", "is not a date of the calendar"),
        ({"lastUpdated": "2026-01-01"}, "lastUpdated", "is not a field that Basware takes here"),
        ({"paymenttermcode": "1"}, "paymenttermcode", "is not a field that Basware takes here"),
        (
            {"companies": [{"companyCode": "NORD01", "inherit": "yes", "active": True}]},
            "companies[0].inherit",
            "is not true or false",
        ),
        ({"companies": [{"companyCode": "NORD01", "active": True}]}, "companies[0].inherit", "is required and missing"),
    ],
)
def test_each_problem_has_its_path_and_sentence(changes, path, message):
    assert check("paymentTerms", term(**changes)) == [FieldProblem(path, message)]


def test_a_decimal_that_is_written_without_a_point_is_a_whole_number():
    assert check("paymentTerms", term(dueDateDays=Decimal(30))) == []


def test_all_problems_are_told_and_not_the_first_alone():
    payload = term(paymentTermCode="x" * 26, dueDateDays=-1, validTo="never")
    assert {problem.path for problem in check("paymentTerms", payload)} == {"paymentTermCode", "dueDateDays", "validTo"}


@pytest.mark.parametrize(
    "moment",
    ["2026-05-04", "2026-05-04T00:00:00", "2026-05-04T00:00:00Z", "2026-05-04T07:36:13.053Z", "2026-05-04T00:00+02:00"],
)
def test_date_times_are_taken_with_and_without_time_zone_and_fraction(moment):
    assert check("paymentTerms", term(validFrom=moment)) == []


def test_the_companies_of_cost_centers_and_projects_know_no_inherit():
    row = {"companyCode": "NORD01", "active": True, "inherit": True}
    center = {"externalCode": "e", "costCenterCode": "c", "costCenterNames": names(), "companies": [row]}
    assert check("costCenters", center) == [
        FieldProblem("companies[0].inherit", "is not a field that Basware takes here")
    ]


def test_nested_problems_carry_their_whole_path():
    account = {"financialAccountIdentifiers": [{"schemeId": "IBAN", "id": "x" * 51}]}
    payload = vendor(
        addresses=[{"externalCode": "a", "name": "A"}, {"externalCode": "b", "name": "B", "streetName": "s" * 51}],
        paymentMeans=[{"paymentMeansCode": "BT", "financialAccounts": [account]}],
        paymentTerms=[{"paymentTermCode": "1"}],
    )
    assert {problem.path for problem in check("vendors", payload)} == {
        "addresses[1].streetName",
        "paymentMeans[0].financialAccounts[0].financialAccountIdentifiers[0].id",
        "paymentTerms",
    }


def test_what_basware_generates_is_never_sent():
    assert check("vendors", vendor(buvid="1")) == [FieldProblem("buvid", "is not a field that Basware takes here")]


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("orders@nordic.example", True),
        ("a.b+c@x-y.nordic.example", True),
        ("Orders@nordic.example", False),
        ("orders@nordic", False),
        ("orders", False),
        ("a b@nordic.example", False),
        ("orders@nordic.example\n", False),
    ],
)
def test_order_addresses_are_lower_case(address, good):
    assert (check("vendors", vendor(orderingDetails={"orderEmail": address})) == []) is good


def test_limits_are_told_by_dotted_path_without_positions():
    found = limits("vendors")
    assert found["name"] == 250
    assert found["addresses.streetName"] == 50
    assert found["paymentMeans.financialAccounts.financialAccountIdentifiers.id"] == 50
    assert limits("matchingOrders")["companyCode"] == 25
    assert limits("matchingOrderLines")["goodsReceipts.receiptCoding.projectCode"] == 25
    assert limits("transferResponses")["responseMessage"] == 250
    assert "vendorParent" not in found
    assert "companies" not in found


@given(st.integers(0, 60))
def test_a_text_is_good_exactly_up_to_its_limit(length):
    payload = vendor(addresses=[{"externalCode": "a", "name": "A", "streetName": "ä" * length}])
    assert (check("vendors", payload) == []) is (length <= limits("vendors")["addresses.streetName"])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(RESOURCES)), st.data())
def test_no_payload_breaks_the_check(resource, data):
    known = data.draw(st.dictionaries(st.sampled_from(sorted(RESOURCES[resource].entity)), json_values))
    assert all(problem.message for problem in check(resource, known))


@pytest.mark.parametrize(
    "payload",
    [
        vendor(name=None), vendor(unknown=1), vendor(companies=[]), vendor(companies=({"companyCode": "1"},)),
        vendor(companies=[{}]), vendor(companies=["1"]), vendor(paymentTerms=[]), vendor(addresses={}),
        vendor(paymentTerms={"paymentTermCode": ""}), without(vendor(), "name"), vendor(name="x" * 251),
        vendor(addresses=[{"externalCode": "a", "name": "n", "additionalAddressFields": [{"key": "nowhere"}]}]),
    ],
    ids=str,
)  # fmt: skip
def test_the_quick_look_finds_a_problem_where_the_long_one_does(payload):
    entity = RESOURCES["vendors"].entity
    assert fits(entity, payload) == (not list(problems(entity, payload)))


def test_the_quick_look_knows_what_a_list_must_hold():
    german = term(paymentTermNames=[{"language": "de-DE", "translation": "30 Tage"}])
    assert not fits(RESOURCES["paymentTerms"].entity, german)
    assert fits(RESOURCES["paymentTerms"].entity, term())


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity"), 10**400])
def test_what_is_no_amount_is_refused_without_a_fault(value):
    assert check("paymentTerms", term(cashDiscount=value))
