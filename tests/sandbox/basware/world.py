"""A running Basware with a clock to turn, a client that speaks to it, bodies to post, a receiver of notifications."""

import base64
import datetime as dt
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from threading import Condition
from typing import Any
from urllib.parse import urlencode, urlsplit

from syncengine.sandbox.basware import CLIENT_ID, CLIENT_SECRET, BaswareSandbox
from syncengine.sandbox.basware.tokens import KNOWN_SCOPES
from syncengine.sandbox.server import SandboxRequest, SandboxResponse, SandboxServer, encode, json_response

NOON = dt.datetime(2026, 5, 6, 12, 0, tzinfo=dt.UTC)
CREDENTIALS = "Basic " + base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
COMPANY = {"companyCode": "1000", "active": True}
SECRET = "s3cr3t-Nordic-åäö-0001"


class Clock:
    """Stands still until told."""

    def __init__(self) -> None:
        self.moment = NOON

    def __call__(self) -> dt.datetime:
        return self.moment

    def advance(self, seconds: float) -> None:
        self.moment += dt.timedelta(seconds=seconds)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content, parse_float=Decimal)

    @property
    def request_id(self) -> str:
        return self.headers["x-amzn-requestid"]

    @property
    def continuation(self) -> str | None:
        return self.headers.get("x-amz-meta-continuationtoken")

    @property
    def codes(self) -> list[str]:
        return [error["code"] for error in self.json["errors"]]


def send(url: str, method: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
    """One call on a connection of its own; redirects are not followed."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, dict(headers))
        response = connection.getresponse()
        return Reply(response.status, {key.lower(): value for key, value in response.getheaders()}, response.read())
    finally:
        connection.close()


@dataclass
class World:
    sandbox: BaswareSandbox
    clock: Clock
    authorization: str = ""

    def token(self, scope: str = " ".join(KNOWN_SCOPES), authorization: str = CREDENTIALS, **form: str) -> Reply:
        headers = {"Authorization": authorization, "Content-Type": "application/x-www-form-urlencoded"}
        text = urlencode({"grant_type": "client_credentials", "scope": scope, **form})
        return send(f"{self.sandbox.url}/v1/tokens", "POST", text.encode(), headers)

    def log_in(self, scope: str = " ".join(KNOWN_SCOPES)) -> None:
        self.authorization = f"Bearer {self.token(scope).json['access_token']}"

    def call(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
        sent = {"Authorization": self.authorization, **(headers or {})}
        content = body if isinstance(body, bytes | None) else encode(body)
        if content is not None:
            sent.setdefault("Content-Type", "application/json")
        return send(self.sandbox.url + path, method, content, sent)

    def get(self, path: str, **headers: str) -> Reply:
        return self.call("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, body: Any = None) -> Reply:
        return self.call("POST", path, body)

    def fetch(self, reply: Reply) -> Reply:
        """The second request of a redirect, as it should be: without Authorization."""
        assert reply.status == 302
        return send(reply.headers["location"], "GET", None, {})

    def processed(self, reply: Reply) -> dict[str, Any]:
        """Waits for P2P and gives the items of a request by external code."""
        assert reply.status == 200, reply.content
        self.clock.advance(self.sandbox.switches.delay)
        answer = self.get(f"/v1/requestStatus/{reply.request_id}").json["requestStatus"][0]
        return {item["externalCode"]: item for item in answer["systems"][0]["items"]}

    def import_(self, path: str, *bodies: Any) -> dict[str, str]:
        """Posts and gives the outcome of each record."""
        items = self.processed(self.post(path, list(bodies)))
        return {key: item["status"] for key, item in items.items()}

    def documents(self, query: str = "") -> list[dict[str, Any]]:
        reply = self.get(f"/v1/accountingDocuments{query}")
        return [] if reply.status == 404 else self.fetch(reply).json["accountingDocuments"]

    def document(self, invoice_id: str = "inv-1") -> dict[str, Any]:
        return self.fetch(self.get(f"/v1/accountingDocuments/{invoice_id}")).json["accountingDocuments"][0]

    def respond(self, kind: str, body: Any, invoice_id: str = "inv-1") -> Reply:
        """An answer about an invoice, and P2P's work on it."""
        reply = self.post(f"/v1/accountingDocuments/{invoice_id}/{kind}Responses", body)
        self.clock.advance(self.sandbox.switches.delay)
        return reply

    def transfer(self, invoice_id: str = "inv-1", **fields: Any) -> Reply:
        self.post(f"/v1/accountingDocuments/{invoice_id}/acknowledge")
        return self.respond("transfer", transfer_response(**fields), invoice_id)


@dataclass
class Notification:
    body: bytes
    signature: str | None

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answers:
    """What the receiver answers: these in turn, then 200."""

    statuses: list[int] = field(default_factory=list)

    def next(self) -> int:
        return self.statuses.pop(0) if self.statuses else 200


class Receiver(SandboxServer):
    """A webhook of ours."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = Answers()
        self.seen: list[Notification] = []
        self._arrived = Condition()

    def handle(self, request: SandboxRequest) -> SandboxResponse:
        with self._arrived:
            self.seen.append(Notification(request.body, request.header("x-bwapi-signature-256") or None))
            self._arrived.notify_all()
            return json_response(self.answers.next(), {})

    def wait_for(self, count: int) -> list[Notification]:
        """The notifications besides connection tests, once there are so many."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.documents()) >= count, timeout=5), self.seen
            return self.documents()

    def documents(self) -> list[Notification]:
        return [entry for entry in self.seen if entry.json["taskType"] != "ConnectionTest"]

    def subscription(self, **fields: Any) -> dict[str, Any]:
        return {
            "taskType": "AccountingDocuments",
            "taskSubType": "WaitingForTransfer",
            "subscriptionType": "Webhook",
            "notificationWebhookURL": f"{self.url}/hooks/acme",
            "webhookAuthenticationToken": SECRET,
            **fields,
        }


def names(text: str) -> list[dict[str, str]]:
    return [{"language": "en-US", "translation": text}]


def payment_term(code: str = "30", **fields: Any) -> dict[str, Any]:
    return {
        "externalCode": f"1000-PT-{code}",
        "paymentTermCode": code,
        "paymentTermNames": names("30 days net"),
        "validFrom": "2000-01-01T00:00:00Z",
        "validTo": "2099-12-31",
        "companies": [{**COMPANY, "inherit": True}],
        **fields,
    }


def account(code: str = "4000", **fields: Any) -> dict[str, Any]:
    return {
        "externalCode": f"1000-GL-{code}",
        "accountCode": code,
        "accountNames": names("Purchases"),
        "companies": [{**COMPANY, "inherit": True}],
        **fields,
    }


def vendor(code: str = "V10000", **fields: Any) -> dict[str, Any]:
    return {
        "externalCode": f"1000-V-{code}",
        "vendorCode": code,
        "name": "Pohjolan Laakeri Oy",
        "companies": [{"companyCode": "1000", "inheritToChildUnits": True}],
        **fields,
    }


def order(number: str = "500", **fields: Any) -> dict[str, Any]:
    return {
        "externalCode": f"1000-PO-{number}",
        "orderNumber": number,
        "sourceSystem": "SAPB1",
        "companyCode": "1000",
        "organizationElementCode": "1000",
        "currencyCode": "EUR",
        "supplierCode": "V10000",
        **fields,
    }


def line(number: int = 1, order_number: str = "500", **fields: Any) -> dict[str, Any]:
    return {
        "externalCode": f"1000-POL-{order_number}/{number}",
        "orderExternalCode": f"1000-PO-{order_number}",
        "lineNumber": str(number),
        "quantity": 10,
        "netPrice": Decimal("48.10"),
        "netSum": Decimal("481.00"),
        "matchingMode": "Standard",
        **fields,
    }


def invoice(invoice_id: str = "inv-1", **fields: Any) -> dict[str, Any]:
    return {
        "invoiceId": invoice_id,
        "invoiceNumber": f"2026-{invoice_id}",
        "invoiceDate": "2026-05-04T00:00:00Z",
        "companyCode": "1000",
        "supplierCode": "V10000",
        "currencyCode": "EUR",
        "grossSum": Decimal("124.00"),
        "netSum": Decimal("100.00"),
        "paymentBlock": False,
        "codingRows": [{"externalCode": f"row-{invoice_id}", "accountCode": "4000", "netTotal": Decimal("100.00")}],
        **fields,
    }


def transfer_response(**fields: Any) -> dict[str, Any]:
    return {
        "externalCode": "answer-1",
        "success": True,
        "responseMessage": "Posted to SAP Business One as A/P invoice 10457.",
        "voucherNumber1": "10457",
        "voucherNumber2": "30219",
        "paymentBlock": False,
        **fields,
    }


def payment_response(**fields: Any) -> dict[str, Any]:
    return {
        "externalCode": "payment-1",
        "success": True,
        "paymentBlock": False,
        "paidTotal": Decimal("124.00"),
        **fields,
    }
