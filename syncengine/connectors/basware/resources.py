"""The Basware resources that the product writes: where they are, how many go into one request, what they look like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from syncengine.connectors.basware import entities
from syncengine.connectors.basware.fields import Entity, FieldProblem, fits, problems, text_limits
from syncengine.connectors.basware.lists import LISTS


@dataclass(frozen=True)
class Resource:
    """One resource (contracts: Basware §3.3 page sizes, §3.5 batches, §5 entity types, §7–§15 the rest).

    `path` may hold `{invoiceId}`; `batch` is the most records in one POST, 1 meaning one object instead of an array;
    `list_key` names the array in the answer to a list GET, empty where there is no such GET. What is `optional` is
    written only for integrations that switched its flow on.
    """

    path: str
    entity_type: str
    entity: Entity
    batch: int = 500
    list_key: str = ""
    page_size: int = 500
    optional: bool = False


_DOCUMENT = "/v1/accountingDocuments/{invoiceId}"

RESOURCES: Mapping[str, Resource] = {
    "paymentTerms": Resource("/v1/paymentTerms", "PaymentTerm", entities.PAYMENT_TERM, list_key="paymentTerms"),
    "taxCodes": Resource("/v1/taxCodes", "TaxCode", entities.TAX_CODE, list_key="taxCodes"),
    "accounts": Resource("/v1/accounts", "Account", entities.ACCOUNT, list_key="accounts"),
    "costCenters": Resource("/v1/costCenters", "CostCenter", entities.COST_CENTER, list_key="costCenters"),
    "projects": Resource("/v2/projects", "Project", entities.PROJECT, list_key="projects"),
    "vendors": Resource("/v1/vendors", "Vendor", entities.VENDOR, batch=200, list_key="vendorEntities"),
    "matchingOrders": Resource(
        "/v1/matchingOrders", "MatchingOrder", entities.MATCHING_ORDER, list_key="matchingOrders"
    ),
    "matchingOrderLines": Resource(
        "/v1/matchingOrderLines",
        "MatchingOrderLine",
        entities.MATCHING_ORDER_LINE,
        batch=100,
        list_key="matchingOrderLines",
        page_size=100,
    ),
    "transferResponses": Resource(
        f"{_DOCUMENT}/transferResponses", "TransferResponse", entities.TRANSFER_RESPONSE, batch=1
    ),
    "paymentResponses": Resource(
        f"{_DOCUMENT}/paymentResponses", "PaymentResponse", entities.PAYMENT_RESPONSE, batch=1
    ),
    "exchangeRates": Resource(
        "/v1/exchangeRates", "ExchangeRate", entities.EXCHANGE_RATE, list_key="exchangeRates", optional=True
    ),
    **{
        f"lists/{key}": Resource(f"/v1/lists/{key}", "GenericList", columns.entity, list_key="listItems", optional=True)
        for key, columns in LISTS.items()
    },
}


@lru_cache(maxsize=len(RESOURCES))
def limits(resource: str) -> Mapping[str, int]:
    """Most characters by dotted path, list positions left out: `{"addresses.streetName": 50, …}`."""
    return MappingProxyType(dict(text_limits(RESOURCES[resource].entity)))


def check(resource: str, payload: Mapping[str, Any]) -> list[FieldProblem]:
    """Everything that Basware's schema would refuse in this payload; empty when it may be sent."""
    entity = RESOURCES[resource].entity
    return [] if fits(entity, payload) else list(problems(entity, payload))
