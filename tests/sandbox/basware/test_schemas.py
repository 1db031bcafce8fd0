"""The limits that our own bodies meet most often, checked without the contract files."""

from decimal import Decimal
from typing import Any

import pytest

from syncengine.sandbox.basware.schemas.fields import Schema, entity, problems, text
from syncengine.sandbox.basware.schemas.master_data import ACCOUNT, LIST_ITEM, PAYMENT_TERM
from syncengine.sandbox.basware.schemas.orders import ORDER, ORDER_LINE
from syncengine.sandbox.basware.schemas.responses import TRANSFER_RESPONSE
from syncengine.sandbox.basware.schemas.vendors import VENDOR
from tests.sandbox.basware.world import account, line, names, order, payment_term, transfer_response, vendor


@pytest.mark.parametrize(
    ("schema", "body"),
    [
        (ACCOUNT, account()),
        (PAYMENT_TERM, payment_term(dueDateDays=Decimal("30.0"), moveDueDatesTo="2")),
        (VENDOR, vendor(description=None, orderingDetails={"orderEmail": "orders@mill.example"})),
        (ORDER, order()),
        (ORDER_LINE, line(goodsReceipts=[{"externalCode": "g", "goodsReceiptNumber": "1", "quantity": -2}])),
        (LIST_ITEM, {"externalCode": "x", "number_1": 2, "dateValue_1": "2026-01-01"}),
        (TRANSFER_RESPONSE, transfer_response()),
    ],
)
def test_a_sound_body_passes(schema: Schema, body: dict[str, Any]) -> None:
    assert problems(schema, body) == []


@pytest.mark.parametrize(
    ("schema", "body", "field"),
    [
        (ACCOUNT, account(externalCode="x" * 37), "externalCode"),
        (ACCOUNT, account(accountCode=""), "accountCode"),
        (ACCOUNT, account(accountNames=names("x")), "accountNames.0.translation"),
        (ACCOUNT, account(companies=[{"companyCode": "1000", "active": True}]), "companies.0.inherit"),
        (ACCOUNT, account(lastUpdated=None), "lastUpdated"),
        (ACCOUNT, account(text6="x"), "text6"),
        (PAYMENT_TERM, payment_term(moveDueDatesTo=0), "moveDueDatesTo"),
        (PAYMENT_TERM, payment_term(moveDueDatesTo="10"), "moveDueDatesTo"),
        (PAYMENT_TERM, payment_term(dueDateDays=-1), "dueDateDays"),
        (PAYMENT_TERM, payment_term(dueDateDays=Decimal("1.5")), "dueDateDays"),
        (PAYMENT_TERM, payment_term(validTo="31.12.2099"), "validTo"),
        (PAYMENT_TERM, payment_term(validTo="2099-02-30"), "validTo"),
        (VENDOR, vendor(addresses=[{"externalCode": "a", "name": "a", "poBox": "x" * 51}]), "addresses.0.poBox"),
        (VENDOR, vendor(addresses=[{"externalCode": "a", "name": "a", "countryId": "FIN"}]), "addresses.0.countryId"),
        (VENDOR, vendor(orderingDetails={"orderEmail": "orders@Mill.example"}), "orderingDetails.orderEmail"),
        (VENDOR, vendor(paymentTerms=None), "paymentTerms"),
        (VENDOR, vendor(paymentMeans=[{"paymentMeansCode": "BT", "default": 1}]), "paymentMeans.0.default"),
        (VENDOR, vendor(companies=None), "companies"),
        (ORDER, order(companyCode="x" * 26), "companyCode"),
        (ORDER, order(organizationElementCode="1"), "organizationElementCode"),
        (ORDER_LINE, line(matchingMode="standard"), "matchingMode"),
        (ORDER_LINE, line(taxPercent=-1), "taxPercent"),
        (ORDER_LINE, line(quantity="10"), "quantity"),
        (ORDER_LINE, line(quantity=True), "quantity"),
        (TRANSFER_RESPONSE, transfer_response(responseMessage=""), "responseMessage"),
        (TRANSFER_RESPONSE, transfer_response(responseMessage="x" * 251), "responseMessage"),
        (TRANSFER_RESPONSE, transfer_response(success="true"), "success"),
    ],
)
def test_an_unsound_body_names_its_field(schema: Schema, body: dict[str, Any], field: str) -> None:
    assert [problem.split()[2] for problem in problems(schema, body)] == [field]


def test_every_problem_of_a_body_is_found() -> None:
    found = problems(ACCOUNT, account(accountCode="", accountNames=names("x"), unheardOf=1))
    assert len(found) == 3


def test_a_body_that_is_no_object_is_refused() -> None:
    assert problems(ACCOUNT, ["x"])[0].startswith("The field body is not valid")


def test_null_is_absent_only_where_the_schema_says_so() -> None:
    schema = entity("Thing", required={"key": text()}, optional={"note": text()}, never_null={"kind": text()})
    assert problems(schema, {"key": "x", "note": None}) == []
    assert problems(schema, {"key": "x", "kind": None}) != []
    assert problems(schema, {"key": None}) != []
