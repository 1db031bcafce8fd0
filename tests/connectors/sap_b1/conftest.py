"""A small Service Layer in v1 and v2, and clients of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncengine.connectors.sap_b1 import SapB1, SapSettings
from tests.connectors.conftest import MakeTransport, Serve
from tests.connectors.servers import FakeServiceLayer, json_answer

MakeClient = Callable[..., SapB1]
COMPANY = {"CompanyName": "ACME Oy", "Version": 1000280, "Localization": "lf_Finland"}
ADMIN = {
    "LocalCurrency": "EUR",
    "SystemCurrency": "USD",
    "Country": "FI",
    "EnableBranches": "tNO",
    "EnableApprovalProcedureInDI": "tNO",
    "TotalsAccuracy": 2,
    "PriceAccuracy": 6,
}
CURRENCIES = [
    {"Code": "$", "DocumentsCode": "USD", "Decimals": "cdDefault"},
    {"Code": "EUR", "DocumentsCode": "EUR", "Decimals": "cd2Digits"},
    {"Code": "EU2", "DocumentsCode": "EUR", "Decimals": None},
    {"Code": "JPY", "DocumentsCode": "JPY", "Decimals": "cdWithoutDecimals"},
    {"Code": "QTZ", "DocumentsCode": "", "Decimals": "cd3Digits"},
]


class Clock:
    """Time that passes only when told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["v1", "v2"])
def sap(request: pytest.FixtureRequest) -> FakeServiceLayer:
    return FakeServiceLayer(request.param)


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def make_client(
    sap: FakeServiceLayer, serve: Serve, make_transport: MakeTransport, clock: Clock, slept: list[float]
) -> MakeClient:
    """A client of `sap`; several of them share a store when told to, as workers do."""
    server = serve(sap)

    def make(**options: Any) -> SapB1:
        store = options.pop("sessions", None)
        root = options.pop("base_url", f"{server.url}/b1s/{sap.version}")
        settings = SapSettings(root, "SBO_ACME_FI", "basware_if", "s3cret-pass", **options)
        transport = make_transport(secrets=["s3cret-pass"])
        return SapB1(settings, transport, store, clock=clock, sleep=slept.append)

    return make


@pytest.fixture
def client(make_client: MakeClient) -> SapB1:
    return make_client()


@pytest.fixture
def company(sap: FakeServiceLayer) -> FakeServiceLayer:
    """A company that is set up well; nobody may add a document of a vendor that does not exist."""
    sap.on("POST", "CompanyService_GetCompanyInfo", json_answer(COMPANY))
    sap.on("POST", "CompanyService_GetAdminInfo", json_answer(ADMIN))
    sap.on("GET", "Currencies", sap.collection(CURRENCIES))
    sap.on("GET", "VatGroups", sap.collection([{"Code": "I255"}]))
    sap.on("GET", "BusinessPartners", sap.collection([{"CardCode": "V1"}]))
    sap.on("GET", "PurchaseInvoices", sap.collection([]))
    sap.on("GET", "PurchaseCreditNotes", sap.collection([]))
    sap.on("GET", "Drafts", sap.collection([]))
    refused = sap.error(400, -2028, "Customer record not found")
    sap.on("POST", "PurchaseInvoices", refused)
    missing = sap.error(404, -2028, "No matching records found (ODBC -2028)")
    sap.on("GET", "BusinessPartners('~LB-PING-NONE~')", missing)
    return sap
