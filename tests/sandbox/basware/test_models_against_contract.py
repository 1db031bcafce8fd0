"""The sandbox's body schemas judge exactly as Basware's OpenAPI documents do, field by field."""

from decimal import Decimal
from typing import Any

import pytest

from syncengine.sandbox.basware.catalog import ENTITY_TYPES, LIST_KEYS, MASTER_APIS
from syncengine.sandbox.basware.life_cycle import STATUSES
from syncengine.sandbox.basware.schemas import master_data, orders, responses, subscriptions, vendors
from syncengine.sandbox.basware.schemas.fields import Schema, problems
from tests.sandbox.basware.contract import contract, judge_of, needs_contracts, p2p_schemas, smallest

pytestmark = needs_contracts

SCHEMAS: dict[str, Schema] = {
    "LanguageTranslationEntity": master_data.TRANSLATION,
    "AccountCompanyEntity": master_data.COMPANY_WITH_INHERIT,
    "PaymentTermCompanyEntity": master_data.COMPANY_WITH_INHERIT,
    "TaxCodeCompanyEntity": master_data.COMPANY_WITH_INHERIT,
    "CostCenterCompanyEntity": master_data.COMPANY,
    "ProjectCompanyEntity": master_data.COMPANY,
    "ExchangeRateCompanyEntity": master_data.COMPANY,
    "GenericListCompanyEntity": master_data.COMPANY,
    "AccountEntity": master_data.ACCOUNT,
    "CostCenterEntity": master_data.COST_CENTER,
    "PaymentTermDiscountRule": master_data.DISCOUNT_RULE,
    "PaymentTermEntity": master_data.PAYMENT_TERM,
    "TaxCodeAdditionalData": master_data.TAX_PROCEDURE_ROW,
    "TaxCodeEntity": master_data.TAX_CODE,
    "ProjectEntityV2": master_data.PROJECT,
    "ExchangeRateEntity": master_data.EXCHANGE_RATE,
    "GenericListEntity": master_data.LIST_ITEM,
    "DeleteRequest": master_data.DELETE_REQUEST,
    "VendorIdentifierEntity": vendors.IDENTIFIER,
    "VendorAddressPartEntity": vendors.ADDRESS_FIELD,
    "VendorAddressEntity": vendors.ADDRESS,
    "VendorContactEntity": vendors.CONTACT,
    "VendorDeliveryTermEntity": vendors.DELIVERY_TERM,
    "FinancialInstitutionEntity": vendors.FINANCIAL_INSTITUTION,
    "FinancialAccountIdentifierEntity": vendors.ACCOUNT_IDENTIFIER,
    "VendorfinancialAccountsEntity": vendors.FINANCIAL_ACCOUNT,
    "VendorPaymentMeanEntity": vendors.PAYMENT_MEANS,
    "VendorPaymentTermEntity": vendors.VENDOR_PAYMENT_TERM,
    "VendorOrderingDetailsEntity": vendors.ORDERING_DETAILS,
    "VendorProcessingStatusEntity": vendors.PROCESSING_STATUS,
    "VendorTagEntity": vendors.TAG,
    "VendorAdditionalFieldEntity": vendors.CUSTOM_FIELD,
    "VendorCompanyEntity": vendors.VENDOR_COMPANY,
    "VendorEntity": vendors.VENDOR,
    "OrderEntity": orders.ORDER,
    "OrderLineCodingEntity": orders.ORDER_LINE_CODING,
    "GoodsReceiptEntity": orders.GOODS_RECEIPT,
    "OrderLineUserEntity": orders.REFERENCE_USER,
    "OrderLineEntity": orders.ORDER_LINE,
    "PrebookResponseEntity": responses.PREBOOK_RESPONSE,
    "TransferResponseEntity": responses.TRANSFER_RESPONSE,
    "PaymentResponseEntity": responses.PAYMENT_RESPONSE,
    "EnrichmentResponseEntity": responses.ENRICHMENT_RESPONSE,
    "ProcessingStatusGetBatchRequest": responses.REQUEST_IDS,
}
SAMPLES = {api.name: api.schema for api in MASTER_APIS if api.name != "lists"}
RESPONSE_SAMPLES = {
    "prebookResponseSuccess": responses.PREBOOK_RESPONSE,
    "transferResponseSuccess": responses.TRANSFER_RESPONSE,
    "transferResponseFailure": responses.TRANSFER_RESPONSE,
    "paymentResponsePartial": responses.PAYMENT_RESPONSE,
    "paymentResponseFull": responses.PAYMENT_RESPONSE,
}
PROBES: list[Any] = [
    None,
    "",
    "x",
    "xx",
    "XXX",
    "0",
    "3",
    "a@b.example",
    "A@b.example",
    "2026-05-04",
    "2026-05-04T10:11:12",
    "2026-05-04T10:11:12.123Z",
    "2026-05-04T10:11:12+02:00",
    "2026-02-30",
    "04.05.2026",
    True,
    "true",
    0,
    1,
    3,
    -1,
    100_000,
    100_001,
    1_000_000_000,
    1_000_000_001,
    2**31,
    Decimal("1.5"),
    Decimal("30.0"),
    -1_000_000_001,
    [],
    ["x"],
    {},
    [{}],
]


def probes_for(schema: dict[str, Any]) -> list[Any]:
    found = list(PROBES)
    for length in {schema.get("minLength"), schema.get("maxLength")} - {None}:
        found += ["x" * max(0, length - 1), "x" * length, "x" * (length + 1)]
    for literal in schema.get("enum", []):
        found += [literal, literal.lower(), f"{literal} "]
    if schema.get("type") == "array":
        found.append([smallest(schema["items"])])
    if "$ref" in schema:
        found.append(smallest(schema))
    return found


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_fields_are_the_same(name: str) -> None:
    assert set(SCHEMAS[name].model_fields) == set(p2p_schemas()[name]["properties"])


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_required_fields_are_the_same(name: str) -> None:
    required = {field for field, info in SCHEMAS[name].model_fields.items() if info.is_required()}
    assert required == set(p2p_schemas()[name].get("required", []))


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_probe_of_every_field_gets_the_same_verdict(name: str) -> None:
    contract_judge, base = judge_of(name), smallest({"$ref": name})
    assert contract_judge.is_valid(base)
    for field, schema in p2p_schemas()[name]["properties"].items():
        for value in probes_for(schema):
            body = {**base, field: value}
            assert (not problems(SCHEMAS[name], body)) == contract_judge.is_valid(body), (field, value)


@pytest.mark.parametrize("name", SCHEMAS)
def test_leaving_out_a_field_gets_the_same_verdict(name: str) -> None:
    contract_judge, base = judge_of(name), smallest({"$ref": name})
    for field in base:
        body = {key: value for key, value in base.items() if key != field}
        assert (not problems(SCHEMAS[name], body)) == contract_judge.is_valid(body), field


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_field_that_the_contract_does_not_name_is_refused(name: str) -> None:
    assert problems(SCHEMAS[name], {**smallest({"$ref": name}), "unheardOf": "x"})


def test_every_schema_that_a_client_can_post_is_here() -> None:
    reachable: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, list):
            for entry in node:
                walk(entry)
        elif isinstance(node, dict):
            name = node.get("$ref", "").rpartition("/")[2]
            if name and name not in reachable:
                reachable.add(name)
                walk(p2p_schemas()[name])
            walk(list(node.values()))

    for path in contract("basware-p2p-openapi.json")["paths"].values():
        walk([operation.get("requestBody") for operation in path.values() if isinstance(operation, dict)])
    assert reachable == set(SCHEMAS)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_record_is_accepted(name: str) -> None:
    for body in contract("basware-samples.json")[name]:
        assert problems(SAMPLES[name], body) == []


def test_the_samples_of_lists_responses_deletes_and_subscriptions_are_accepted() -> None:
    samples = contract("basware-samples.json")
    for items in samples["lists"].values():
        assert all(problems(master_data.LIST_ITEM, item) == [] for item in items)
    for name, schema in RESPONSE_SAMPLES.items():
        assert problems(schema, samples["responses"][name]) == []
    assert problems(responses.REQUEST_IDS, samples["requestStatus"]["acknowledgeRequest"]) == []
    assert problems(master_data.DELETE_REQUEST, samples["delete"]["one"]) == []
    assert problems(master_data.DELETE_REQUEST, samples["delete"]["all"]) == []
    for body in samples["subscriptions"]["createRequest"]:
        assert problems(subscriptions.SUBSCRIPTION, body) == []


def test_subscriptions_have_the_fields_and_limits_of_the_push_document() -> None:
    schema = contract("basware-push-notification-openapi.json")["components"]["schemas"]["Subscription-Input"]
    fields = subscriptions.SUBSCRIPTION.model_fields
    assert set(fields) == set(schema["properties"])
    assert {name for name, info in fields.items() if info.is_required()} == set(schema["required"])
    assert schema["properties"]["notificationWebhookURL"]["maxLength"] == 2083
    named = schema["properties"]["taskSubType"]["description"]
    assert all(f"'{literal}'" in named for literal in subscriptions.TASK_SUB_TYPES)
    assert all(
        f"'{literal}'" in schema["properties"]["taskType"]["description"] for literal in subscriptions.TASK_TYPES
    )


def parameter(path: str, name: str) -> dict[str, Any]:
    found = contract("basware-p2p-openapi.json")["paths"][path]["get"]["parameters"]
    return next(entry["schema"] for entry in found if entry["name"] == name)


def test_the_literals_of_statuses_types_and_lists_are_those_of_the_document() -> None:
    assert set(STATUSES) == set(parameter("/v1/accountingDocuments", "ProcessingStatus")["enum"])
    assert set(ENTITY_TYPES) == set(parameter("/v1/requestStatus", "entityType")["enum"])
    assert set(LIST_KEYS) == set(parameter("/v1/lists/{listKey}", "listKey")["enum"])


@pytest.mark.parametrize("api", MASTER_APIS, ids=lambda api: api.name)
def test_paths_page_sizes_and_wrappers_are_those_of_the_document(api: Any) -> None:
    operation = contract("basware-p2p-openapi.json")["paths"][api.path]["get"]
    wrapper = p2p_schemas()[
        operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].split("/")[-1]
    ]
    assert api.wrapper in wrapper["properties"]
    assert parameter(api.path, "pageSize")["default"] == api.page
    item = contract("basware-p2p-openapi.json")["paths"][api.path]["post"]["requestBody"]["content"]
    assert SCHEMAS[item["application/json"]["schema"]["items"]["$ref"].rpartition("/")[2]] is api.schema
