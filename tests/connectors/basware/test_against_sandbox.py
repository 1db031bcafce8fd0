"""The client and the sandbox were written apart from the same contract: here they meet."""

from __future__ import annotations

import pytest

from syncengine.connectors.basware import Basware, BaswareSettings, response_code
from syncengine.connectors.basware.ping import checks
from syncengine.sandbox.basware import CLIENT_ID, CLIENT_SECRET, BaswareSandbox
from syncengine.sandbox.store import Store
from tests.sandbox.basware.world import invoice

from .conftest import LOOPBACK

INVOICE = invoice()
COMPANIES = [{"companyCode": INVOICE["companyCode"], "inherit": True, "active": True}]


@pytest.fixture
def sandbox():
    with BaswareSandbox(Store(), [INVOICE], delay=0) as running:
        yield running


@pytest.fixture
def client(sandbox, transport) -> Basware:
    settings = BaswareSettings(sandbox.url, CLIENT_ID, CLIENT_SECRET, INVOICE["companyCode"], outbound=LOOPBACK)
    return Basware(settings, transport)


def account(code: str) -> dict[str, object]:
    names = [{"language": "en-US", "translation": f"Account {code}"}]
    return {"externalCode": f"X-GL-{code}", "accountCode": code, "accountNames": names, "companies": COMPANIES}


def settled(client: Basware, request_id: str):
    """The result once P2P has spoken; the sandbox does so without delay."""
    for _attempt in range(200):
        result = client.request_status(request_id)
        if result is not None and result.settled:
            return result
    raise AssertionError("the sandbox never settled the request")


def test_every_check_of_the_ping_is_well(client):
    assert [(check.name, check.detail) for check in checks(client) if not check.ok] == []


def test_records_are_imported_settled_and_read_back(client):
    receipt = client.import_records("accounts", [account("700100"), account("700200")])
    result = settled(client, receipt.request_id)
    assert {item.external_code: item.status for item in result.items} == {
        "X-GL-700100": "Success",
        "X-GL-700200": "Success",
    }
    assert client.record("accounts", "X-GL-700100")["accountCode"] == "700100"
    found = [row["externalCode"] for rows in client.records("accounts", page_size=1) for row in rows]
    assert {"X-GL-700100", "X-GL-700200"} <= set(found)
    assert receipt.request_id in {one.request_id for one in client.request_statuses("Account")}


def test_an_invoice_is_found_claimed_and_answered(client):
    invoice_id = INVOICE["invoiceId"]
    (rows,) = client.documents(processing_status="WaitingForTransfer")
    assert [row["invoiceId"] for row in rows] == [invoice_id]
    assert client.acknowledge(invoice_id) is True
    assert client.acknowledge(invoice_id) is False
    code = response_code(invoice_id, "transfer", 1)
    answer = {"externalCode": code, "success": True, "responseMessage": "Posted.", "paymentBlock": False}
    result = settled(client, client.respond(invoice_id, "transferResponses", answer).request_id)
    assert [(item.external_code, item.parent_external_code, item.status) for item in result.items] == [
        (code, invoice_id, "Success")
    ]
    assert client.document(invoice_id)["processingStatus"] == "Transferred"
    assert client.document("0" * 32) is None
