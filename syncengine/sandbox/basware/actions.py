"""What a test or a demo can tell Basware through the control API (contracts: Basware §18 points 7 to 9).

Paths begin with ``/basware``; each method's first line is its description there.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from syncengine.sandbox.basware.catalog import LIST_KEYS, MASTER_APIS
from syncengine.sandbox.basware.documents import public_document
from syncengine.sandbox.basware.moments import stamp
from syncengine.sandbox.basware.processing import Forced
from syncengine.sandbox.basware.switches import SIGNATURE_FORMS
from syncengine.sandbox.control import Action, ControlError

if TYPE_CHECKING:
    from syncengine.sandbox.basware.sandbox import BaswareSandbox

Payload = dict[str, Any]

FORCED_STATUSES = frozenset({"Error", "Warning", "Success", "NotProcessed", "RecordExpired", "Unpublished"})


class Actions:
    """The calls, bound to one sandbox."""

    def __init__(self, sandbox: BaswareSandbox) -> None:
        self._sandbox = sandbox

    def all(self) -> Iterator[tuple[str, str, Action]]:
        """Method, path and function of each."""
        yield "GET", "/basware/switches", self.switches
        yield "POST", "/basware/switches", self.set_switches
        yield "GET", "/basware/documents", self.documents
        yield "POST", "/basware/retransfer", self.retransfer
        yield "POST", "/basware/issue", self.issue
        yield "POST", "/basware/change", self.change
        yield "POST", "/basware/move", self.move
        yield "POST", "/basware/unconfirm", self.unconfirm
        yield "POST", "/basware/outcome", self.outcome
        yield "POST", "/basware/notify", self.notify
        yield "POST", "/basware/process", self.process
        yield "POST", "/basware/expire-tokens", self.expire_tokens
        yield "POST", "/basware/expire-urls", self.expire_urls
        yield "GET", "/basware/counts", self.counts
        for api in MASTER_APIS:
            yield "GET", f"/basware/p2p/{api.name}", _p2p_reader(self._sandbox, api.name)

    def switches(self, _: Payload) -> Payload:
        """How Basware behaves now; POST sets any of them."""
        return self._sandbox.switches.as_dict()

    def set_switches(self, payload: Payload) -> Payload:
        """Sets the named switches, e.g. {"delay": 0, "token_lifetime": 2, "signature": "base64"}."""
        self._sandbox.switches.change(payload)
        return self._sandbox.switches.as_dict()

    def documents(self, payload: Payload) -> list[Payload]:
        """Invoices as P2P holds them; ?invoiceId= for one, ?status= for those in a status, ?brief=1 without rows."""
        self._sandbox.processing.process_due()
        with self._sandbox.store.lock:
            found = [public_document(record) for record in self._sandbox.documents.records.values()]
        invoice_id, status = payload.get("invoiceId"), payload.get("status")
        found = [document for document in found if (invoice_id is None or document["invoiceId"] == invoice_id)]
        found = [document for document in found if (status is None or document["processingStatus"] == status)]
        return [_brief(document) for document in found] if payload.get("brief") else found

    def retransfer(self, payload: Payload) -> Payload:
        """Sends a failed invoice again: {"invoiceId": "…", "changes": {"companyCode": "…"}}."""
        return self._sandbox.documents.retransfer(payload["invoiceId"], payload.get("changes", {}))

    def issue(self, payload: Payload) -> Payload:
        """A new invoice: {"document": {…}}, or {"copyOf": "…", "changes": {…}}."""
        document = payload.get("document") or self._copy(payload["copyOf"])
        new = {"invoiceId": uuid.uuid4().hex, **document, **payload.get("changes", {})}
        return self._sandbox.documents.issue(new)

    def change(self, payload: Payload) -> Payload:
        """Changes fields of an invoice, null removes one: {"invoiceId": "…", "changes": {"grossSum": 1}}."""
        return self._sandbox.documents.change(payload["invoiceId"], payload["changes"])

    def move(self, payload: Payload) -> Payload:
        """Puts an invoice into a status: {"invoiceId": "…", "status": "WaitingForTransfer"}."""
        return self._sandbox.documents.move(payload["invoiceId"], payload["status"])

    def unconfirm(self, payload: Payload) -> Payload:
        """Forgets that an invoice was transferred, its answers and its voucher number: {"invoiceId": "…"}."""
        return self._sandbox.documents.unconfirm(payload["invoiceId"])

    def outcome(self, payload: Payload) -> Payload:
        """Orders the next outcome of a record: {"externalCode": "…", "status": "Error", "message": "…", "count": 1}.

        ``category`` is DataValidation (default), Technical or Unknown; count 0 is until the next reset.
        """
        status = payload.get("status", "Error")
        if status not in FORCED_STATUSES:
            raise ControlError(f"status is one of {', '.join(sorted(FORCED_STATUSES))}")
        message, category = payload.get("message", "Ordered by the control API."), payload.get("category")
        forced = Forced(status, message, category or "DataValidation", payload.get("count", 1))
        self._sandbox.processing.forced[payload["externalCode"]] = forced
        return {"externalCode": payload["externalCode"], "status": status}

    def notify(self, payload: Payload) -> Payload:
        """Notifies again under the same task id, or anew: {"documentId": "…", "signature": "bad"}."""
        form = payload.get("signature")
        if form not in {None, *SIGNATURE_FORMS}:
            raise ControlError(f"signature is one of {', '.join(sorted(SIGNATURE_FORMS))}")
        document_id, notifier = payload["documentId"], self._sandbox.notifier
        tasks = notifier.repeat(document_id, form)
        if not tasks:
            task_type = payload.get("taskType", "AccountingDocuments")
            tasks = notifier.announce(task_type, payload.get("taskSubType", "WaitingForTransfer"), document_id, form)
        return {"taskIds": tasks}

    def process(self, _: Payload) -> Payload:
        """P2P works on everything that waits, at once."""
        return {"requests": self._sandbox.processing.process_due(everything=True)}

    def expire_tokens(self, _: Payload) -> Payload:
        """Ends every access token: the next call of each client is 401."""
        return {"expired": self._sandbox.tokens.expire_all()}

    def expire_urls(self, _: Payload) -> Payload:
        """Ends every pre-signed URL."""
        return {"expired": self._sandbox.storage.expire_all()}

    def counts(self, _: Payload) -> Payload:
        """How many records of each kind, in the API layer and in P2P, and invoices per status."""
        self._sandbox.processing.process_due()
        statuses: dict[str, int] = {}
        for record in self._sandbox.documents.records.values():
            status = record["document"]["processingStatus"]
            statuses[status] = statuses.get(status, 0) + 1
        return {
            "at": stamp(self._sandbox.clock()),
            "api": {api.name: _count(self._sandbox, "api", api.name) for api in MASTER_APIS},
            "p2p": {api.name: _count(self._sandbox, "p2p", api.name) for api in MASTER_APIS},
            "documents": statuses,
        }

    def _copy(self, invoice_id: str) -> Payload:
        record = self._sandbox.documents.records.get(invoice_id)
        if record is None:
            raise ControlError(f"there is no invoice {invoice_id}")
        left_out = {"invoiceId", "processingStatus", "lastUpdated", "voucherNumber1", "voucherNumber2"}
        document = record["document"]
        return {name: value for name, value in document.items() if name not in left_out and "Responses" not in name}


def _p2p_reader(sandbox: BaswareSandbox, name: str) -> Action:
    def read(payload: Payload) -> list[Payload]:
        """What P2P holds, as last saved (of lists: ?listKey=)."""
        sandbox.processing.process_due()
        with sandbox.store.lock:
            return sandbox.p2p.all(f"lists/{payload['listKey']}" if name == "lists" else name)

    return read


def _count(sandbox: BaswareSandbox, layer: str, name: str) -> int:
    names = [f"lists/{key}" for key in LIST_KEYS] if name == "lists" else [name]
    return sum(len(sandbox.store.collection(f"{layer}/{entry}")) for entry in names)


def _brief(document: Payload) -> Payload:
    shown = ("invoiceId", "invoiceNumber", "supplierCode", "processingStatus", "grossSum", "voucherNumber1")
    return {name: document[name] for name in shown if name in document}
