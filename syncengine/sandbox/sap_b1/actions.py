"""What the control API can tell the SAP sandbox: the things people do in SAP while we are looking away.

Every action takes and gives JSON. `entry` is a DocEntry, amounts are numbers or texts.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from syncengine.sandbox.control import ControlError, ControlServer
from syncengine.sandbox.sap_b1.documents import close_line
from syncengine.sandbox.sap_b1.errors import ServiceLayerError
from syncengine.sandbox.sap_b1.model import SETS, entity_set
from syncengine.sandbox.sap_b1.payload import number_value, stored
from syncengine.sandbox.sap_b1.payments import foreign_share
from syncengine.sandbox.sap_b1.server import SapSandbox

Document = dict[str, Any]


class SapActions:
    def __init__(self, sap: SapSandbox) -> None:
        self._sap, self._company = sap, sap.company

    def register(self, control: ControlServer) -> None:
        control.register_system("sap_b1", self._sap, self._sap.reset)
        control.register("GET", "/sap/documents", self._guarded(self.documents))
        for path, action in {
            "/sap/settings": self.settings,
            "/sap/pay-run": self.pay_run,
            "/sap/payments": self.pay,
            "/sap/payments/cancel": self.cancel_payment,
            "/sap/documents/cancel": self.cancel_document,
            "/sap/documents/double": self.double_document,
            "/sap/orders/close-line": self.close_order_line,
            "/sap/freeze": self.freeze,
            "/sap/change": self.change,
            "/sap/remove": self.remove,
            "/sap/touch-vendors": self.touch_vendors,
            "/sap/drafts/approve": self.approve,
            "/sap/drafts/reject": self.reject,
            "/sap/drafts/add": self.add_draft,
            "/sap/periods": self.period,
            "/sap/reconcile": self.reconcile,
            "/sap/sessions/end": self.end_sessions,
        }.items():
            control.register("POST", path, self._guarded(action))

    def _guarded(self, action: Callable[[Document], Any]) -> Callable[[Document], Any]:
        """One transaction an action, and SAP's own refusals in the control API's words."""

        def guarded(payload: Document) -> Any:
            with self._company.store.transaction():
                try:
                    return action(payload)
                except ServiceLayerError as error:
                    raise ControlError(str(error)) from error

        guarded.__doc__ = action.__doc__
        return guarded

    def documents(self, payload: Document) -> list[Document]:
        """Everything in a set: ?set=PurchaseInvoices."""
        documents: list[Document] = self._collection(payload["set"]).values()
        return documents

    def settings(self, payload: Document) -> Document:
        """Changes switches: session_timeout, duplicate_block, approval_mode, approval_variant, branches …"""
        return self._company.change_settings(**payload)

    def pay_run(self, _: Document) -> list[Document]:
        """Pays a third of the invoices that came from Basware: most in full, some in part, one cancelled again."""
        return self._sap.payments.pay_run()

    def pay(self, payload: Document) -> Document:
        """Pays an invoice: {"entry", "share": 1, "discount": 0}."""
        share, discount = _amount(payload, "share", 1), _amount(payload, "discount", 0)
        return self._sap.payments.pay(self._document("PurchaseInvoices", payload), share, discount)

    def cancel_payment(self, payload: Document) -> Document:
        """Cancels an outgoing payment: {"entry"}."""
        return self._sap.payments.cancel(int(payload["entry"]))

    def cancel_document(self, payload: Document) -> Document:
        """Cancels a document: {"set": "PurchaseInvoices", "entry"}."""
        name = payload.get("set", "PurchaseInvoices")
        document = self._document(name, payload)
        self._sap.documents.cancel(name, document)
        return document

    def double_document(self, payload: Document) -> Document:
        """Posts a document a second time, our mark included: {"set": "PurchaseInvoices", "entry"}."""
        name = payload.get("set", "PurchaseInvoices")
        return self._sap.documents.double(name, self._document(name, payload))

    def close_order_line(self, payload: Document) -> Document:
        """Closes a line of a purchase order: {"entry", "line": LineNum}."""
        order = self._document("PurchaseOrders", payload)
        close_line(order, int(payload["line"]))
        self._company.touch("PurchaseOrders", order)
        return order

    def freeze(self, payload: Document) -> Document:
        """Freezes a vendor {"vendor"} or an account {"account"}; {"frozen": false} thaws."""
        flag = "tYES" if payload.get("frozen", True) else "tNO"
        vendor = "vendor" in payload
        name, field = ("BusinessPartners", "Frozen") if vendor else ("ChartOfAccounts", "FrozenFor")
        key = payload["vendor" if vendor else "account"]
        if key not in self._collection(name):
            raise ControlError(f"no {key} in {name}")
        return self._change(name, key, {field: flag})

    def change(self, payload: Document) -> Document:
        """Changes or adds any record: {"set", "key", "values": {…}}."""
        return self._change(payload["set"], payload["key"], payload["values"])

    def remove(self, payload: Document) -> Document:
        """Deletes any record: {"set", "key"}."""
        removed: Document | None = self._collection(payload["set"]).delete(payload["key"])
        if removed is None:
            raise ControlError(f"no {payload['key']} in {payload['set']}")
        return removed

    def touch_vendors(self, payload: Document) -> Document:
        """Changes the telephone of the first vendors, as a day's work would: {"count": 10}."""
        partners = self._company.collection("BusinessPartners").values()
        chosen = [partner for partner in partners if partner["CardType"] == "cSupplier"][
            : int(payload.get("count", 10))
        ]
        for partner in chosen:
            partner["Phone1"] = f"+358 40 {5_000_000 + partner.get('DataVersion', 1)}"
            self._company.touch("BusinessPartners", partner)
        return {"changed": [partner["CardCode"] for partner in chosen]}

    def approve(self, payload: Document) -> Document:
        """The approver says yes to a draft: {"entry"}."""
        return self._sap.approval.decide(int(payload["entry"]), "approve", payload.get("remarks", ""))

    def reject(self, payload: Document) -> Document:
        """The approver says no to a draft: {"entry", "remarks"}."""
        return self._sap.approval.decide(int(payload["entry"]), "reject", payload.get("remarks", ""))

    def add_draft(self, payload: Document) -> Document:
        """An approved draft becomes a document: {"entry"}."""
        return self._sap.approval.add(int(payload["entry"]))

    def period(self, payload: Document) -> Document:
        """Sets the status of the period that a day lies in: {"day": "2026-05-04", "status": "ltLocked"}."""
        periods = self._company.collection("FinancePeriods")
        day = payload["day"]
        found = next(
            (period for period in periods.values() if period["PostingDateFrom"] <= day <= period["PostingDateTo"]), None
        )
        if found is None:
            raise ControlError(f"no period holds {day}")
        found["PeriodStatus"] = payload.get("status", "ltLocked")
        return periods.put(found["AbsoluteEntry"], found)

    def reconcile(self, payload: Document) -> Document:
        """Settles an invoice without a payment line, as a payment on account reconciled later: {"entry", "amount"}."""
        invoice = self._document("PurchaseInvoices", payload)
        amount = _amount(payload, "amount")
        given = payload.get("amount_fc")
        amount_fc = foreign_share(invoice, amount) if given is None else _amount(payload, "amount_fc")
        self._sap.documents.settle(invoice, amount, amount_fc)
        return invoice

    def end_sessions(self, _: Document) -> Document:
        """Ends every session at once, as a restart of the service does."""
        ended = len(self._sap.sessions)
        self._sap.sessions.end_all()
        return {"ended": ended}

    def _collection(self, name: str) -> Any:
        if name not in SETS:
            raise ControlError(f"no entity set {name}")
        return self._company.collection(name)

    def _document(self, name: str, payload: Document) -> Document:
        document: Document | None = self._collection(name).get(int(payload["entry"]))
        if document is None:
            raise ControlError(f"no {payload['entry']} in {name}")
        return document

    def _change(self, name: str, key: Any, values: Document) -> Document:
        collection, found = self._collection(name), entity_set(name)
        if found is None:
            raise ControlError(f"no entity set {name}")
        document: Document = collection.get(key) or {found.key: key}
        document |= stored(found.type, values, self._company.user_fields(found.type.name))
        self._company.touch(name, document)
        return document


def _amount(payload: Document, name: str, default: int | None = None) -> Decimal:
    """Raises what the control API answers for what is no number."""
    return number_value(name, payload[name] if default is None else payload.get(name, default))
