"""Every body that the flows can produce against Basware's own document, every field read against SAP's."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from syncengine.flows import registry
from syncengine.flows.cost_centers import CENTERS, RULES
from syncengine.flows.master import MasterDataFlow
from syncengine.flows.receipts import RECEIPTS
from syncengine.flows.tax_codes import SALES_TAX_CODES, VAT_GROUPS
from tests.flows.contract import Record, build
from tests.flows.world import (
    account,
    address,
    bank_account,
    context,
    distribution_rule,
    order,
    order_line,
    payment_term,
    profit_center,
    project,
    receipt,
    receipt_line,
    vat_group,
    vendor,
)

CONTRACTS = Path(os.environ.get("CONTRACTS", Path(__file__).parents[3] / "shared" / "contracts"))

pytestmark = pytest.mark.skipif(
    not (CONTRACTS / "basware-p2p-openapi.json").exists(),
    reason=f"the contracts are not at {CONTRACTS}: set CONTRACTS to where they are",
)

HEADER = {name: receipt()[name] for name in ("DocEntry", "DocNum", "DocDate", "NumAtCard", "CancelStatus")}
GOODS = [HEADER | receipt_line(), HEADER | receipt_line(LineNum=1) | {"CancelStatus": "csYes"}]
RETURN = HEADER | receipt_line(BaseEntry=530, BaseLine=0) | {"DocEntry": 40}
LONG = "x" * 3000

CASES: list[tuple[str, Record]] = [
    ("payment_terms", payment_term(PaymentTermsGroupName=LONG)),
    ("payment_terms", payment_term(GroupNumber=-1, StartFrom="pdt_MonthStart", DiscountCode="2-10")),
    ("payment_terms", payment_term(NumberOfAdditionalDays=-3)),
    ("tax_codes", vat_group(AcquisitionReverse="tYES")),
    ("tax_codes", vat_group(NonDeduct=Decimal("33.3"), Name="")),
    ("gl_accounts", account(Code="_SYS1", FormatCode="6100-01", DefaultVatGroup="I255", TaxCodeGoes=True)),
    ("gl_accounts", account(Name="X", BlockManualPosting="tYES")),
    ("cost_centers", profit_center(CenterName=None)),
    ("cost_centers", distribution_rule()),
    ("projects", project(Name=LONG, ValidFrom=None)),
    ("vendors", vendor(BPAddresses=[address(Street=LONG[:180], City=LONG), address(AddressType="bo_ShipTo")])),
    ("vendors", vendor(CardName=LONG, BPBankAccounts=[bank_account(), bank_account(IBAN=None, BICSwiftCode="")])),
    ("vendors", dict.fromkeys(vendor()) | {"CardCode": "V-1"}),
    ("purchase_orders", order(Comments=LONG, Receipts=GOODS, Returns=[RETURN])),
    ("purchase_orders", order(DocType="dDocument_Service", DocCurrency="$", DocumentLines=[
        order_line(ItemCode=None, RowTotalFC=Decimal("99.95"), ItemDescription=LONG, ProjectCode="P1")])),
]  # fmt: skip


@cache
def openapi() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((CONTRACTS / "basware-p2p-openapi.json").read_text("utf-8"))
    return document


def schema(value: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema: nullable, references resolved in place, no unknown fields, no pattern on numbers."""
    if isinstance(value, list):
        return [schema(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return schema(openapi()["components"]["schemas"][value["$ref"].rsplit("/", 1)[-1]])
    made = {key: schema(item) for key, item in value.items() if key not in {"nullable", "format", "example"}}
    if made.get("type") == "integer":
        made.pop("pattern", None)
    if isinstance(made.get("properties"), dict):
        made["additionalProperties"] = False
    return made


@cache
def validator(path: str) -> Draft202012Validator:
    content = openapi()["paths"][path]["post"]["requestBody"]["content"]
    return Draft202012Validator(schema(next(iter(content.values()))["schema"]))


def as_sent(value: Any) -> Any:
    return json.loads(json.dumps(value, default=float))


def bodies_of(flow: MasterDataFlow, source: Record) -> list[dict[str, list[Record]]]:
    """What a record sends in its life: as it is, marked for a resend, closed."""
    built = build(flow, source, context(lookups={"units": {"pcs": "PCE"}}))
    assert not built.problems, built.problems
    return [built.payload, flow.resend(built.payload, "r12"), flow.left(built.payload, context())]


@pytest.mark.parametrize(("name", "source"), CASES, ids=[f"{index}-{name}" for index, (name, _) in enumerate(CASES)])
def test_every_body_passes_baswares_own_schema(name: str, source: Record):
    flow = registry.get(name)
    assert isinstance(flow, MasterDataFlow)
    for payload in bodies_of(flow, source):
        for part in flow.parts:
            errors = validator(part.basware.path).iter_errors(as_sent(payload[part.name]))
            assert [f"{error.json_path}: {error.message}" for error in errors] == []


OPTIONAL: list[tuple[str, Record]] = [
    ("exchange_rates", {"Code": "USD", "Name": "Dollar", "RateDate": "2026-11-20", "Rate": Decimal("0.9201")}),
    ("generic_lists", {"ListKey": "ACC_LIST_12", "ListItemCode": "A", "ListItemName": LONG}),
    ("distribution_rules", {"ListKey": "INV_LIST_1", "ListItemCode": "R2", "ListItemName": None, "Active": "tNO"}),
]


@pytest.mark.parametrize(("name", "source"), OPTIONAL)
def test_every_body_of_the_optional_flows_passes_it_too(name: str, source: Record):
    flow = registry.get(name)
    assert isinstance(flow, MasterDataFlow)
    for payload in bodies_of(flow, source):
        for part in (part for part in flow.parts if part.name in payload):
            path = "/v1/lists/{listKey}" if "/lists/" in part.basware.path else part.basware.path
            errors = validator(path).iter_errors(as_sent(payload[part.name]))
            assert [f"{error.json_path}: {error.message}" for error in errors] == []


def test_there_is_a_case_for_every_flow_of_master_data():
    flows = {name for name, flow in registry.flows().items() if isinstance(flow, MasterDataFlow)}
    assert {name for name, _ in CASES} == flows


@cache
def sap_fields() -> dict[str, set[str]]:
    entities = json.loads((CONTRACTS / "sap-b1-entities.json").read_text("utf-8"))["entities"]
    return {name: set(entity["type"]["fields"]) for name, entity in entities.items()}


FEEDS = [(feed.entity_set, feed.select) for feed in (CENTERS, RULES, VAT_GROUPS, SALES_TAX_CODES, RECEIPTS)]
FEEDS += [(flow.entity_set, flow.select) for flow in registry.flows().values() if isinstance(flow, MasterDataFlow)]


@pytest.mark.parametrize(("entity_set", "select"), FEEDS)
def test_every_field_read_is_one_of_saps(entity_set: str, select: tuple[str, ...]):
    assert set(select) <= sap_fields()[entity_set]


@pytest.mark.parametrize(
    ("complex_type", "record"),
    [
        ("BPAddress", address()),
        ("BPBankAccount", bank_account()),
        ("DocumentLine", order_line()),
        ("DocumentLine", receipt_line()),
        ("VatGroups_Line", vat_group()["VatGroups_Lines"][0]),
    ],
)
def test_the_rows_that_the_tests_are_made_of_are_saps_too(complex_type: str, record: Record):
    types = json.loads((CONTRACTS / "sap-b1-entities.json").read_text("utf-8"))["complex_types"]
    assert set(record) <= set(types[complex_type]["fields"])
