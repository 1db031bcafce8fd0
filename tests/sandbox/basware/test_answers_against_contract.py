"""What the sandbox answers is what Basware's documents promise: every body against its declared schema."""

from typing import Any

import pytest

from tests.sandbox.basware.contract import contract, judge_of, needs_contracts
from tests.sandbox.basware.world import (
    COMPANY,
    Receiver,
    World,
    account,
    invoice,
    line,
    names,
    order,
    payment_response,
    payment_term,
    vendor,
)

pytestmark = needs_contracts
PUSH, TOKENS = "basware-push-notification-openapi.json", "basware-authentication-openapi.json"


def problems(schema: str, body: Any, document: str = "basware-p2p-openapi.json") -> list[str]:
    return [f"{list(error.absolute_path)}: {error.message}" for error in judge_of(schema, document).iter_errors(body)]


MASTER_DATA = {
    "/v1/paymentTerms": ("PaymentTermResponse", payment_term()),
    "/v1/accounts": ("AccountResponse", account()),
    "/v1/costCenters": (
        "CostCenterResponse",
        {"externalCode": "x", "costCenterCode": "ADM", "costCenterNames": names("Admin"), "companies": [COMPANY]},
    ),
    "/v1/taxCodes": (
        "TaxCodeResponse",
        {
            "externalCode": "x",
            "taxCode": "V1",
            "taxCodeNames": names("VAT 25.5 %"),
            "taxPercentage": 25,
            "companies": [{**COMPANY, "inherit": True}],
        },
    ),
    "/v2/projects": (
        "ProjectResponseV2",
        {
            "externalCode": "x",
            "projectCode": "P1",
            "projectName": "P",
            "validFrom": "2000-01-01",
            "validUntil": "2099-12-31",
            "companies": [COMPANY],
        },
    ),
    "/v1/exchangeRates": (
        "ExchangeRateResponse",
        {
            "externalCode": "x",
            "currencyCodeFrom": "USD",
            "currencyCodeTo": "EUR",
            "rate": 1,
            "validFrom": "2026-05-04",
            "companies": [COMPANY],
        },
    ),
    "/v1/lists/ACC_LIST_1": ("GenericListResponse", {"externalCode": "x", "text_1": "X"}),
    "/v1/vendors": ("VendorResponse", vendor()),
    "/v1/matchingOrders": ("OrderResponse", order()),
    "/v1/matchingOrderLines": ("OrderLineResponse", line()),
}


@pytest.mark.parametrize("path", MASTER_DATA)
def test_lists_of_master_data(world: World, path: str) -> None:
    schema, body = MASTER_DATA[path]
    assert world.post(path, [body]).status == 200
    answer = world.get(f"{path}?orderExternalCode=1000-PO-500").json
    assert problems(schema, answer) == []


def test_documents_in_every_state_of_the_main_line(world: World) -> None:
    assert problems("AccountingDocumentResponse", world.fetch(world.get("/v1/accountingDocuments")).json) == []
    world.transfer()
    world.respond("payment", payment_response())
    answer = world.fetch(world.get("/v1/accountingDocuments/inv-1")).json
    assert answer["accountingDocuments"][0]["processingStatus"] == "Paid"
    assert problems("AccountingDocumentResponse", answer) == []


def test_request_statuses_and_error_feedbacks(world: World) -> None:
    world.post("/v1/vendors", [vendor("V1"), vendor("V2", paymentTerms={"paymentTermCode": "60"})])
    world.post("/v1/lists/ACC_LIST_1", [{"externalCode": "x", "text_6": "x"}])
    assert problems("RequestStatusResponse", world.get("/v1/requestStatus?system=P2P").json) == []
    world.clock.advance(60)
    world.transfer()
    assert problems("RequestStatusResponse", world.get("/v1/requestStatus?system=P2P").json) == []
    assert problems("ErrorFeedbackResponse", world.get("/v1/errorFeedbacks").json) == []


def test_refusals(world: World) -> None:
    refused = [
        world.post("/v1/accounts", [account(accountCode="")]),
        world.post("/v1/accounts", [account(), account()]),
        world.get("/v1/accounts/nope"),
        world.get("/v1/accounts?pageSize=0"),
        world.call("DELETE", "/v1/accountingDocuments"),
        world.respond("payment", payment_response()),
    ]
    assert [reply.status for reply in refused] == [400, 409, 404, 400, 405, 400]
    for reply in refused:
        assert problems("ResponseEntityList", reply.json) == []


def test_deletes_and_the_status_search(world: World) -> None:
    accepted = world.call("DELETE", "/v1/accounts", {"lastUpdated": "0001-01-01T00:00:00Z"})
    assert problems("DeleteResponse", accepted.json) == []
    query = "companyCode=1000&invoiceNumber=2026-inv-1&invoiceDate=2026-05-04"
    for entry in world.get(f"/v1/accountingDocuments/status?{query}").json:
        assert problems("AccountingDocumentsStatusResponseEntity", entry) == []


def test_the_push_api(world: World, subscriber: Receiver) -> None:
    world.sandbox.documents.issue(invoice("inv-2"))
    for notification in (*subscriber.seen, *subscriber.wait_for(1)):
        assert problems("NotificationPayload", notification.json, PUSH) == []
    assert problems("TasksResponse", world.get("/v1/tasks").json, PUSH) == []
    assert problems("SubscriptionsResponse", world.get("/v1/subscriptions").json, PUSH) == []
    refused = world.post("/v1/subscriptions", [{}]).json
    assert problems("ValidationErrorResponse", refused, PUSH) == []
    deleted = world.call("DELETE", "/v1/subscriptions?lastUpdated=0001-01-01&taskType=All&taskSubType=All").json
    assert problems("DeleteSubscriptionResponse", deleted, PUSH) == []


def test_tokens(world: World) -> None:
    assert problems("AccessTokenResponse", world.token().json, TOKENS) == []
    refused = world.token(authorization="").json
    assert problems("UnauthorizedErrorResponse", refused, TOKENS) == []


def test_the_documents_name_the_paths_that_the_sandbox_serves(world: World) -> None:
    declared = {path for name in ("basware-p2p-openapi.json", PUSH) for path in contract(name)["paths"]}
    served = {route.pattern for route in world.sandbox.router.routes}
    renamed = {
        "/v1/errorFeedbacks/{entityType}/{externalCode}": "/v1/errorFeedbacks/{entityType}/{errorEntityExternalCode}"
    }
    assert {renamed.get(path, path) for path in served} == declared
