"""What goes on at the customer while the product works: approvals, payments, corrections, changes of master data."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from portal.demo.checks import MARK
from portal.demo.jsonclient import CallFailed, JsonClient
from portal.demo.story import Story

Document = dict[str, Any]
UNKNOWN_ACCOUNT = "699999"
FLOWS = ("invoices", "payments", "vendors", "gl_accounts", "purchase_orders")


class People:
    """They see both systems through the control API and the portal through its own; every choice is the seed's."""

    def __init__(self, control: JsonClient, story: Story, chance: random.Random) -> None:
        self._control, self._story, self._chance = control, story, chance
        self._number = 0
        self._wrong: dict[str, list[Document]] = {}
        """Rows of an invoice that was sent with an account that does not exist, as they should be."""
        self._payments: list[int] = []
        self.deeds: Counter[str] = Counter()
        waiting = control.get("/basware/documents", status="WaitingForTransfer")
        self._plain = [one for one in waiting if "orderNumbers" not in one and one["grossSum"] > 0]

    def do_something(self) -> None:
        """One deed; what the system it is done in refuses is no deed."""
        deeds: dict[Callable[[], None], int] = {
            self.approve: 50,
            self.approve_a_wrong_one: 3,
            self.correct: 4,
            self.pay: 14,
            self.cancel_a_payment: 3,
            self.change_master_data: 5,
            self.ask_for_a_run: 3,
            self.resume: 2,
        }
        deed = self._chance.choices([*deeds], weights=[*deeds.values()])[0]
        try:
            deed()
        except CallFailed as refused:
            if refused.status >= 500:
                raise

    def approve(self, **changes: Any) -> str:
        """An invoice like one of the data set's; now and then a day passes in which no notification gets through."""
        self._number += 1
        signature = "bad" if self._chance.random() < 0.3 else "hex"
        self._control.post("/basware/switches", {"signature": signature})
        like = self._chance.choice(self._plain)
        changes = {"invoiceNumber": f"SOAK-{self._number}", **changes}
        made = self._control.post("/basware/issue", {"copyOf": like["invoiceId"], "changes": changes})
        self.deeds["approved, told by webhook" if signature == "hex" else "approved, found by poll"] += 1
        return str(made["invoiceId"])

    def approve_a_wrong_one(self) -> None:
        like = self._chance.choice(self._plain)
        wrong = [{**row, "accountCode": UNKNOWN_ACCOUNT} for row in like["codingRows"]]
        good = [{**row} for row in like["codingRows"]]
        self._number += 1
        changes = {"invoiceNumber": f"SOAK-{self._number}", "codingRows": plain_numbers(wrong)}
        made = self._control.post("/basware/issue", {"copyOf": like["invoiceId"], "changes": changes})
        self._wrong[made["invoiceId"]] = plain_numbers(good)
        self.deeds["approved with an unknown account"] += 1

    def correct(self) -> None:
        """A clerk mends in Basware what came back, and sends it again."""
        failed = self._control.get("/basware/documents", status="TransferFailed", brief=1)
        mendable = [one["invoiceId"] for one in failed if one["invoiceId"] in self._wrong]
        for invoice_id in mendable:
            rows = self._wrong.pop(invoice_id)
            self._control.post("/basware/retransfer", {"invoiceId": invoice_id, "changes": {"codingRows": rows}})
            self.deeds["corrected and sent again"] += 1

    def pay(self) -> None:
        """In full or in part."""
        documents = self._control.get("/sap/documents", set="PurchaseInvoices")
        ours = [one for one in documents if (one.get("Comments") or "").startswith(MARK)]
        still_open = [one for one in ours if one["CancelStatus"] == "csNo" and one["DocumentStatus"] == "bost_Open"]
        for document in self._chance.sample(still_open, min(3, len(still_open))):
            share = self._chance.choice([1, 1, 1, 0.25, 0.5])
            made = self._control.post("/sap/payments", {"entry": document["DocEntry"], "share": share})
            self._payments.append(made["DocEntry"])
            self.deeds["paid in full" if share == 1 else "paid in part"] += 1

    def cancel_a_payment(self) -> None:
        if self._payments:
            entry = self._payments.pop(self._chance.randrange(len(self._payments)))
            self._control.post("/sap/payments/cancel", {"entry": entry})
            self.deeds["payment cancelled"] += 1

    def change_master_data(self) -> None:
        """Vendors, accounts and orders change as on any day."""
        kind = self._chance.choice(["vendors", "account", "order"])
        if kind == "vendors":
            self._control.post("/sap/touch-vendors", {"count": self._chance.randint(1, 8)})
        elif kind == "account":
            accounts = self._control.get("/sap/documents", set="ChartOfAccounts")
            chosen = self._chance.choice([one for one in accounts if one.get("ActiveAccount", "tYES") == "tYES"])
            name = f"{chosen['Name'].partition(' #')[0]} #{self._chance.randint(1, 999)}"
            self._change("ChartOfAccounts", chosen["Code"], {"Name": name})
        else:
            order = self._chance.choice(self._control.get("/sap/documents", set="PurchaseOrders"))
            self._change("PurchaseOrders", order["DocEntry"], {"Comments": f"looked at {self._chance.random():.6f}"})
        self.deeds[f"changed: {kind}"] += 1

    def ask_for_a_run(self) -> None:
        flow = self._chance.choice(FLOWS)
        self._story.api.post(f"{self._story.path}runs/", {"flow": flow, "mode": "incremental"})
        self.deeds["asked for a run"] += 1

    def resume(self) -> None:
        """An integration that paused itself waits for a person."""
        if self._story.api.get(self._story.path)["paused"]:
            self._story.api.call("PATCH", self._story.path, {"enabled": True})
            self.deeds["resumed"] += 1

    def _change(self, entity_set: str, key: Any, values: Document) -> None:
        self._control.post("/sap/change", {"set": entity_set, "key": key, "values": values})


def plain_numbers(value: Any) -> Any:
    """JSON as a test may send it: the control API takes doubles and keeps their shortest spelling."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list):
        return [plain_numbers(one) for one in value]
    return {name: plain_numbers(one) for name, one in value.items()} if isinstance(value, dict) else value
