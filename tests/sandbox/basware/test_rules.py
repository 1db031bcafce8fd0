"""Contracts: Basware §6 to §15: what P2P refuses after the schema was satisfied."""

from typing import Any

import pytest

from syncengine.sandbox.basware.p2p import P2PState
from syncengine.sandbox.basware.rules import Posted, as_saved, judge
from syncengine.sandbox.basware.switches import Switches
from syncengine.sandbox.store import Store
from tests.sandbox.basware.world import account, line, names, order, payment_term, vendor

COLLECTIONS = {
    "Account": "accounts",
    "PaymentTerm": "paymentTerms",
    "Vendor": "vendors",
    "MatchingOrder": "matchingOrders",
    "MatchingOrderLine": "matchingOrderLines",
}


@pytest.fixture
def p2p() -> P2PState:
    """A unit 1000 with a branch 1100 below it, a payment term, a vendor and an order."""
    switches = Switches(companies={"1000": None, "1100": "1000", "2000": None})
    state = P2PState(Store(), switches)
    state.save("PaymentTerm", "paymentTerms", payment_term())
    state.save("Vendor", "vendors", vendor())
    state.save("MatchingOrder", "matchingOrders", order())
    return state


def messages(p2p: P2PState, entity_type: str, body: dict[str, Any]) -> list[str]:
    posted = Posted(entity_type, COLLECTIONS[entity_type], body)
    return [finding.message for finding in judge(posted, p2p)]


def bank(*numbers: str) -> list[dict[str, Any]]:
    accounts = [{"financialAccountIdentifiers": [{"schemeId": "IBAN", "id": number}]} for number in numbers]
    return [{"paymentMeansCode": "BT", "currencyCode": "EUR", "financialAccounts": accounts}]


def receipt(**fields: Any) -> dict[str, Any]:
    return {"externalCode": "g1", "goodsReceiptNumber": "20001", "quantity": 1, "netPrice": 1, **fields}


@pytest.mark.parametrize(
    ("entity_type", "body"),
    [
        ("Account", account()),
        ("PaymentTerm", payment_term("60", dueDateCalc=1, dueDateEom=12)),
        ("Vendor", vendor("V2", paymentTerms={"paymentTermCode": "30"}, paymentMeans=bank("FI1", "FI2"))),
        ("Vendor", vendor("V2", contacts=[{"name": "A"}, {"name": "B"}], paymentMeans=[{"paymentMeansCode": "BT"}])),
        ("MatchingOrder", order("501")),
        ("MatchingOrderLine", line(goodsReceipts=[receipt()])),
        ("MatchingOrderLine", line(matchingMode="Blanket", quantity=1)),
        (
            "MatchingOrderLine",
            line(matchingMode="Service", quantity=1, isReceiptRequired=True, isReceiptBasedMatching=True),
        ),
    ],
)
def test_a_sound_record_has_no_findings(p2p: P2PState, entity_type: str, body: dict[str, Any]) -> None:
    assert messages(p2p, entity_type, body) == []


@pytest.mark.parametrize(
    ("entity_type", "body", "message"),
    [
        ("Account", account(companies=[{"companyCode": "9999"}]), "Company 9999 not found."),
        ("MatchingOrder", order("501", organizationElementCode="9999"), "Organization element 9999 not found."),
        ("Account", account(accountNames=[{"language": "fi-FI", "translation": "Ostot"}]), "accountNames must hold"),
        ("PaymentTerm", payment_term("30", externalCode="other"), "paymentTermCode 30 exists already"),
        ("PaymentTerm", payment_term("60", dueDateCalc=2), "dueDateCalc must be"),
        ("PaymentTerm", payment_term("60", cashDueDateCalc=3), "cashDueDateCalc must be"),
        ("PaymentTerm", payment_term("60", dueDateEom=13), "dueDateEom must be"),
        ("PaymentTerm", payment_term("60", paymentTermDiscountRules=[{}]), "paymentTermDiscountRules need"),
        ("Vendor", vendor("V2", paymentTerms={"paymentTermCode": "60"}), "Payment term 60 not found."),
        ("Vendor", vendor("V2", identifiers=[{"id": "1", "schemeId": "EIN"}]), "Identifier type EIN is not configured"),
        ("Vendor", vendor("V2", contacts=[{"name": "A"}, {"name": "A"}]), "Contact name A is not unique."),
        ("Vendor", vendor("V2", paymentMeans=bank("FI12345", "FI12345")), "Bank account …2345 is not unique."),
        ("Vendor", vendor("V2", paymentMeans=bank("x" * 33)), "Bank account …xxxx is longer than 32"),
        ("Vendor", vendor("V2", paymentMeans=[{"currencyCode": "Eur"}]), "Currency Eur is not active."),
        ("MatchingOrder", order("501", supplierCode="V9"), "Supplier V9 not found."),
        ("MatchingOrder", order("501", currencyCode="$$"), "Currency $$ is not active."),
        ("MatchingOrder", order("500", externalCode="other"), "Order 500 exists already"),
        ("MatchingOrderLine", line(1, "999"), "Order 1000-PO-999 not found."),
        ("MatchingOrderLine", line(quantity=0), "quantity must be greater than 0."),
        ("MatchingOrderLine", line(netPrice=None, netSum=None), "Net or gross amounts are needed."),
        ("MatchingOrderLine", line(goodsReceipts=[receipt(netPrice=None)]), "Goods receipt 20001 has no price."),
        ("MatchingOrderLine", line(matchingMode="Blanket"), "quantity must be 1 in matching mode Blanket."),
        (
            "MatchingOrderLine",
            line(matchingMode="Blanket", quantity=1, isReceiptRequired=True),
            "isReceiptRequired must not be true",
        ),
        ("MatchingOrderLine", line(matchingMode="Service", quantity=1), "isReceiptRequired and isReceiptBasedMatching"),
        (
            "MatchingOrderLine",
            line(
                matchingMode="Service",
                quantity=1,
                isReceiptRequired=True,
                isReceiptBasedMatching=True,
                orderLineCoding=[{}],
            ),
            "Coding belongs on the receipt",
        ),
        ("MatchingOrderLine", line(goodsReceipts=[receipt(receiptCoding=[{}])]), "receiptCoding is not allowed"),
    ],
)
def test_a_broken_rule_is_named(p2p: P2PState, entity_type: str, body: dict[str, Any], message: str) -> None:
    found = messages(p2p, entity_type, body)
    assert len(found) == 1
    assert found[0].startswith(message)


def test_everything_wrong_with_a_record_is_named_at_once(p2p: P2PState) -> None:
    body = vendor("V2", paymentTerms={"paymentTermCode": "60"}, companies=[{"companyCode": "9999"}])
    assert messages(p2p, "Vendor", body) == ["Company 9999 not found.", "Payment term 60 not found."]


def test_a_code_may_be_used_again_in_another_company(p2p: P2PState) -> None:
    body = payment_term("30", externalCode="2000-PT-30", companies=[{"companyCode": "2000", "inherit": True}])
    assert messages(p2p, "PaymentTerm", body) == []


def test_a_code_is_free_again_once_its_record_carries_another(p2p: P2PState) -> None:
    p2p.save("PaymentTerm", "paymentTerms", payment_term("31", externalCode="1000-PT-30"))
    assert messages(p2p, "PaymentTerm", payment_term("30", externalCode="other")) == []


@pytest.mark.parametrize(("inherit", "findings"), [(True, 0), (False, 1)])
def test_a_unit_sees_what_its_parent_lets_it_inherit(p2p: P2PState, inherit: bool, findings: int) -> None:
    p2p.save("PaymentTerm", "paymentTerms", payment_term(companies=[{"companyCode": "1000", "inherit": inherit}]))
    body = vendor("V2", paymentTerms={"paymentTermCode": "30"}, companies=[{"companyCode": "1100"}])
    assert len(messages(p2p, "Vendor", body)) == findings


def test_a_payment_term_of_another_company_is_not_found(p2p: P2PState) -> None:
    body = vendor("V2", paymentTerms={"paymentTermCode": "30"}, companies=[{"companyCode": "2000"}])
    assert messages(p2p, "Vendor", body) == ["Payment term 30 not found."]


def test_an_identifier_of_an_unknown_kind_is_left_out_with_a_warning(p2p: P2PState) -> None:
    known = {"id": "FI1", "schemeId": "VATRegistrationId"}
    posted = Posted("Vendor", "vendors", vendor(identifiers=[known, {"id": "1", "schemeId": "EIN"}]))
    assert [finding.type for finding in judge(posted, p2p)] == ["Warning"]
    assert as_saved(posted, p2p)["identifiers"] == [known]


@pytest.mark.parametrize(
    ("list_key", "body", "message"),
    [
        ("ACC_LIST_10", {"text_5": "x" * 250, "number_3": 1}, None),
        ("ACC_LIST_1", {"text_6": "x"}, "ACC_LIST_1 has no column text_6."),
        ("ACC_LIST_1", {"dateValue_1": "2026-01-01"}, "ACC_LIST_1 has no column dateValue_1."),
        ("ACC_LIST_11", {"text_1": "x" * 51}, "text_1 of ACC_LIST_11 holds 50 characters."),
        ("ACC_LIST_35", {"text_25": "x", "number_10": 1, "dateValue_10": "2026-01-01"}, None),
        ("INV_LIST_10", {"number_1": 1}, "INV_LIST_10 has no column number_1."),
        ("INV_LIST_11", {"number_5": 1}, None),
        ("CUST_RESOLVER_5", {"text_16": "x"}, "CUST_RESOLVER_5 has no column text_16."),
    ],
)
def test_lists_have_the_columns_of_their_kind(
    p2p: P2PState, list_key: str, body: dict[str, Any], message: str | None
) -> None:
    posted = Posted("GenericList", f"lists/{list_key}", {"externalCode": "x", **body}, list_key)
    assert [finding.message for finding in judge(posted, p2p)] == ([message] if message else [])


def test_the_index_is_the_same_after_a_restart() -> None:
    store, switches = Store(), Switches()
    P2PState(store, switches).save("Account", "accounts", account(accountNames=names("Ostot")))
    again = P2PState(store, switches)
    assert [body["accountCode"] for body in again.with_code("Account", "4000")] == ["4000"]
