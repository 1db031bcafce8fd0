"""The REST ERP over HTTP: the demo company's books as resources of its own.

    erp = RestErpSandbox(Dataset())
    erp.start()
    erp.base_url, erp.company, erp.api_key

    GET   /v1/{company}/company                    name, country, currency, version, rights of the key
    GET   /v1/{company}/{resource}?limit=&cursor=&keys=a,b
                                                   {"items": […] in key order, "next_cursor": text or null}
    GET   /v1/{company}/{resource}/{key}           one item, or 404
    POST  /v1/{company}/invoices                   201; the Idempotency-Key of before gives the item of before (200),
                                                   and 409 with another body; 422 names what is wrong
    PATCH /v1/{company}/invoices/{id}              {"payment_blocked": true}

Resources: vendors, accounts, cost-centers, tax-codes, payment-terms, purchase-orders, invoices, payments. The key goes
in X-Api-Key; without it 401. Errors are {"code", "message"}.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import unquote

from syncengine.sandbox.dataset import COMPANY_NAME, Dataset
from syncengine.sandbox.rest_erp import books
from syncengine.sandbox.server import SandboxRequest, SandboxResponse, SandboxServer, json_response

API_KEY = "sandbox-rest-key-0001"
COMPANY = "NORDIC"
CENT = Decimal("0.01")
MOST = 200

Item = dict[str, Any]


class RestErpSandbox(SandboxServer):
    """The books live in memory; `resources` maps each resource to its items by key."""

    def __init__(self, dataset: Dataset, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(host, port)
        self.api_key, self.company = API_KEY, COMPANY
        self.rights = ["invoices:write"]
        self.resources: dict[str, dict[Any, Item]] = books.of(dataset.sap())
        self._answers: dict[str, tuple[bytes, Item]] = {}
        self._lock = threading.Lock()

    @property
    def base_url(self) -> str:
        return self.url

    def pay(self, invoice: int, amount: Decimal) -> None:
        """A payment of part or all of an invoice."""
        with self._lock:
            booked, payments = self.resources["invoices"][invoice], self.resources["payments"]
            number = len(payments) + 1
            booked["paid"] += amount
            payments[number] = {
                "id": number,
                "number": 7000 + number,
                "vendor": booked["vendor"],
                "date": _today(),
                "currency": booked["currency"],
                "invoices": [{"invoice": invoice, "amount": amount}],
            }

    def handle(self, request: SandboxRequest) -> SandboxResponse:
        parts = unquote(request.path).strip("/").split("/")
        if parts[:2] != ["v1", self.company] or not 3 <= len(parts) <= 4:
            return _error(404, "unknown", "There is no such address.")
        if request.header("x-api-key") != self.api_key:
            return _error(401, "key", "The key is missing or wrong.")
        resource, key = parts[2], parts[3] if len(parts) > 3 else ""
        with self._lock:
            return self._answer(request, resource, key)

    def _answer(self, request: SandboxRequest, resource: str, key: str) -> SandboxResponse:
        if (request.method, resource, key) == ("GET", "company", ""):
            told = {"name": COMPANY_NAME, "country": "FI", "currency": "EUR", "version": "4.2", "rights": self.rights}
            return json_response(200, told)
        items = self.resources.get(resource)
        if items is None:
            return _error(404, "unknown", "There is no such resource.")
        answer: Callable[[], SandboxResponse] | None = {
            ("GET", True): lambda: self._one(items, key),
            ("GET", False): lambda: _page(items, request.params),
            ("POST", False): lambda: self._post(request, resource),
            ("PATCH", True): lambda: self._patch(request, resource, key),
        }.get((request.method, bool(key)))
        return answer() if answer else _error(405, "method", "Not here.")

    def _one(self, items: Mapping[Any, Item], key: str) -> SandboxResponse:
        item = items.get(key) or (items.get(int(key)) if key.isdigit() else None)
        return json_response(200, item) if item else _error(404, "missing", f"There is no {key}.")

    def _post(self, request: SandboxRequest, resource: str) -> SandboxResponse:
        once = request.header("idempotency-key")
        if resource != "invoices" or not once:
            return _error(400, "unsupported", "Only invoices are taken, and with an Idempotency-Key.")
        before = self._answers.get(once)
        if before is not None:
            same = before[0] == request.body
            return json_response(200, before[1]) if same else _error(409, "conflict", "Another body had this key.")
        body = request.json()
        if "invoices:write" not in self.rights:
            return _error(403, "right", "This key may not add invoices.")
        if wrong := "; ".join(self._problems(body)):
            return _error(422, "invalid", wrong)
        item = self._book(body)
        self._answers[once] = (request.body, item)
        return json_response(201, item)

    def _problems(self, body: Item) -> Iterable[str]:
        vendor = self.resources["vendors"].get(body.get("vendor"))
        if vendor is None or not vendor["active"]:
            yield f"vendor {body.get('vendor')} is unknown or not active"
        for place, line in enumerate(body.get("lines") or (), start=1):
            for name, resource in (("account", "accounts"), ("cost_center", "cost-centers"), ("tax_code", "tax-codes")):
                if name in line and line[name] not in self.resources[resource]:
                    yield f"line {place}: there is no {name} {line[name]}"
        if not body.get("lines"):
            yield "an invoice has lines"

    def _book(self, body: Item) -> Item:
        rates = {code: Decimal(str(tax["rate"])) for code, tax in self.resources["tax-codes"].items()}
        lines = [
            {**line, "line": place, "net": Decimal(str(line["net"]))}
            for place, line in enumerate(body["lines"], start=1)
        ]
        taxes = (line["net"] * rates.get(line.get("tax_code", ""), Decimal(0)) / 100 for line in lines)
        tax = sum((each.quantize(CENT, ROUND_HALF_UP) for each in taxes), Decimal(0))
        number = len(self.resources["invoices"]) + 1
        item = {
            **body,
            "id": number,
            "number": 90000 + number,
            "lines": lines,
            "tax": tax,
            "gross": tax + sum((line["net"] for line in lines), Decimal(0)),
            "paid": Decimal(0),
            "cancelled": False,
            "created_on": _today(),
        }
        self.resources["invoices"][number] = item
        return item

    def _patch(self, request: SandboxRequest, resource: str, key: str) -> SandboxResponse:
        item = self.resources[resource].get(int(key)) if resource == "invoices" and key.isdigit() else None
        changed = request.json()
        if item is None or set(changed) != {"payment_blocked"}:
            return _error(422, "invalid", "Only the payment block of an invoice can be changed.")
        item.update(changed)
        return json_response(200, item)


def _page(items: Mapping[Any, Item], params: Mapping[str, str]) -> SandboxResponse:
    keys = sorted(items)
    if "keys" in params:
        wanted = {unquote(key) for key in params["keys"].split(",")}
        keys = [key for key in keys if str(key) in wanted]
    start, limit = int(params.get("cursor", "0")), min(int(params.get("limit", "100")), MOST)
    more = start + limit < len(keys)
    found = [items[key] for key in keys[start : start + limit]]
    return json_response(200, {"items": found, "next_cursor": str(start + limit) if more else None})


def _error(status: int, code: str, message: str) -> SandboxResponse:
    return json_response(status, {"code": code, "message": message})


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
