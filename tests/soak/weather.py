"""Faults that come and go at both systems."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from portal.demo.jsonclient import JsonClient

Fault = dict[str, Any]

ANYWHERE: tuple[Fault, ...] = (
    {"kind": "drop_after"},
    {"kind": "drop_before"},
    {"kind": "status", "status": 429, "retry_after": 1},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 502},
    {"kind": "truncated"},
    {"kind": "latency", "seconds": 0.5},
    {"kind": "latency", "seconds": 4, "after": True},
)
SAP: tuple[Fault, ...] = (
    *ANYWHERE,
    {"kind": "session_lost"},
    {"kind": "minus_5002"},
    {"kind": "drop_after", "method": "POST", "path": "/Purchase(Invoices|CreditNotes)$"},
    {"kind": "drop_before", "method": "POST", "path": "/Purchase(Invoices|CreditNotes)$"},
    {"kind": "status", "status": 502, "after": True, "method": "POST", "path": "/PurchaseInvoices$"},
    {"kind": "truncated", "method": "POST", "path": "/PurchaseInvoices$"},
)
BASWARE: tuple[Fault, ...] = (
    *ANYWHERE,
    {"kind": "status", "status": 401, "path": "/v1/accountingDocuments"},
    {"kind": "drop_after", "method": "POST", "path": "/(transfer|payment)Responses$"},
    {"kind": "drop_after", "method": "POST", "path": "/acknowledge$"},
    {"kind": "status", "status": 500, "after": True, "method": "POST", "path": "/(transfer|payment)Responses$"},
    {"kind": "status", "status": 502, "method": "POST", "path": "/v1/tokens"},
)
MOST_CALLS = 6


class Weather:
    """Each change adds a fault at one of the systems, for a few calls, or clears the sky."""

    def __init__(self, control: JsonClient, chance: random.Random) -> None:
        self._control, self._chance = control, chance
        self.faults: Counter[str] = Counter()

    def change(self) -> None:
        if self._chance.random() < 0.25:
            self.clear()
            return
        system, kinds = self._chance.choice([("sap_b1", SAP), ("basware", BASWARE)])
        fault = self._chance.choice(kinds)
        count = 1 if fault.get("status") == 401 else self._chance.randint(1, MOST_CALLS)
        self._control.post("/faults", {"system": system, "count": count, **fault})
        self.faults[f"{system} {fault['kind']} {fault.get('status', '')}".strip()] += 1

    def clear(self) -> None:
        self._control.call("DELETE", "/faults")
