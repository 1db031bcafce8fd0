"""A running SAP sandbox and a client that speaks HTTP to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import requests

from syncengine.sandbox.dataset import Dataset
from syncengine.sandbox.sap_b1.server import SapSandbox
from syncengine.sandbox.store import Store

LOGIN = {"CompanyDB": "SBO_NORDIC", "UserName": "basware_if", "Password": "sandbox-sap-1"}
JSON = dict[str, Any]


class Client:
    """Sends the cookies by hand, as a client of the real one must."""

    def __init__(self, sap: SapSandbox, version: str = "v2") -> None:
        self.sap, self.root = sap, f"{sap.url}/b1s/{version}"
        self.http = requests.Session()
        self.session, self.node = "", ""

    def log_in(self, **changed: Any) -> requests.Response:
        answer = requests.post(f"{self.root}/Login", json=LOGIN | changed, timeout=10)
        if answer.ok:
            self.session = answer.json()["SessionId"]
            raw = answer.raw.headers.getlist("Set-Cookie")
            self.node = next((line.split("=")[1].split(";")[0] for line in raw if line.startswith("ROUTEID")), "")
        return answer

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        cookie = f"B1SESSION={self.session}; ROUTEID={self.node}"
        sent = {"Cookie": cookie} | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.request(method, f"{self.root}/{path}", json=body, headers=sent, timeout=10)

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.call("GET", path, **headers)

    def read(self, path: str, **headers: str) -> Any:
        answer = self.get(path, **headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def rows(self, path: str, **headers: str) -> list[JSON]:
        rows: list[JSON] = self.read(path, **headers)["value"]
        return rows

    def post(self, path: str, body: Any = None, **headers: str) -> requests.Response:
        return self.call("POST", path, body, **headers)


@pytest.fixture(scope="session")
def running() -> Iterator[SapSandbox]:
    with SapSandbox(Store(), Dataset()) as sap:
        yield sap


@pytest.fixture
def sap(running: SapSandbox) -> SapSandbox:
    """The one sandbox of the run, as new."""
    running.faults.clear()
    running.requests.clear()
    running.reset()
    return running


@pytest.fixture
def client(sap: SapSandbox) -> Client:
    made = Client(sap)
    assert made.log_in().ok
    return made


@pytest.fixture
def v1(sap: SapSandbox) -> Client:
    made = Client(sap, "v1")
    assert made.log_in().ok
    return made


@pytest.fixture
def today(sap: SapSandbox) -> date:
    return sap.company.dataset.today


def error_of(answer: requests.Response) -> tuple[int, str, str]:
    """Status, code and text of a v2 error."""
    body = answer.json()["error"]
    return answer.status_code, body["code"], body["message"]


@pytest.fixture
def service_invoice(today: date) -> JSON:
    return {
        "DocType": "dDocument_Service",
        "CardCode": "V10004",
        "NumAtCard": "A-1",
        "DocDate": today.isoformat(),
        "TaxDate": today.isoformat(),
        "DocCurrency": "EUR",
        "Comments": "Basware 8f2c1d",
        "U_BW_InvoiceId": "8f2c1d",
        "DocumentLines": [
            {
                "ItemDescription": "Supplies",
                "AccountCode": "6701",
                "LineTotal": 100.10,
                "VatGroup": "I255",
                "CostingCode": "ADM",
            },
            {
                "ItemDescription": "Books",
                "AccountCode": "6707",
                "LineTotal": 20,
                "VatGroup": "I10",
                "ProjectCode": "P001",
            },
        ],
    }
