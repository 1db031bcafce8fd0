"""The invoices in P2P: their state and what answers do to it (contracts: Basware §14).

A stored record is ``{"document": what clients see, "attachments": […], "readableFrom": …}``.
An answer is taken at once and works after the delay, like every import: `accept` notes it, `settle` carries it out.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import partial
from http import HTTPStatus
from typing import Any

from syncengine.sandbox.basware.calls import Call, Refusal, SchemaRefusal, not_found
from syncengine.sandbox.basware.life_cycle import (
    ACKNOWLEDGED,
    PAYMENT,
    PREBOOK,
    RESPONSE_KINDS,
    RETRANSFERABLE,
    STATUSES,
    TRANSFER,
    WITH_ATTACHMENTS,
    ResponseKind,
    is_waiting,
)
from syncengine.sandbox.basware.moments import parse_moment, stamp
from syncengine.sandbox.basware.processing import Item, Request, Requests, Submission
from syncengine.sandbox.basware.rules import ERROR, Finding
from syncengine.sandbox.basware.schemas.fields import problems
from syncengine.sandbox.basware.switches import Switches
from syncengine.sandbox.store import Collection, Store

Document = dict[str, Any]
Record = dict[str, Any]
Announce = Callable[[str, str, str], object]

KEPT_RESPONSES = 100
PAYMENT_FIELDS = ("paymentTermCode", "paymentMethod", "paymentMessage", "paymentBlock")
"""What a payment response sets on the invoice; those it leaves out are cleared (contracts: Basware §14.7)."""


class Documents:
    """The documents by invoiceId. Writing methods hold the store's transaction themselves."""

    def __init__(
        self,
        store: Store,
        requests: Requests,
        switches: Switches,
        clock: Callable[[], dt.datetime],
        announce: Announce,
    ) -> None:
        self._store = store
        self._requests = requests
        self._switches = switches
        self._clock = clock
        self._announce = announce
        for kind in RESPONSE_KINDS:
            requests.workers[kind.entity_type] = partial(self.settle, kind)

    @property
    def records(self) -> Collection:
        return self._store.collection("documents")

    def seed(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Fills an empty store without announcing anything: there is nobody to tell yet."""
        self.records.fill((document["invoiceId"], self._record(document)) for document in documents)

    def issue(self, document: Mapping[str, Any]) -> Document:
        """A new invoice, WaitingForTransfer unless it says otherwise."""
        with self._store.transaction():
            if document["invoiceId"] in self.records:
                raise ValueError(f"invoice {document['invoiceId']} exists already")
            record = self._record(document)
            return self._enter(record, record["document"]["processingStatus"])

    def change(self, invoice_id: str, changes: Mapping[str, Any]) -> Document:
        """Alters fields as a P2P user would, without a move of status."""
        with self._store.transaction():
            record = self._known(invoice_id)
            _set(record["document"], changes)
            return self._touch(record)

    def move(self, invoice_id: str, status: str) -> Document:
        """Puts an invoice into any status; Waiting ones are announced."""
        if status not in STATUSES:
            raise ValueError(f"no such processingStatus: {status}")
        with self._store.transaction():
            record = self._known(invoice_id)
            record["document"]["prebooked"] = record["document"].get("prebooked", False) or status == PREBOOK.done
            return self._enter(record, status)

    def unconfirm(self, invoice_id: str) -> Document:
        """Back to what the claim left: in progress, and no answer ever came."""
        with self._store.transaction():
            record = self._known(invoice_id)
            _set(record["document"], dict.fromkeys((TRANSFER.field, "voucherNumber1", "voucherNumber2")))
            return self._enter(record, ACKNOWLEDGED["WaitingForTransfer"])

    def retransfer(self, invoice_id: str, changes: Mapping[str, Any]) -> Document:
        """A P2P user corrects a failed invoice and sends it again: the same invoiceId waits once more."""
        with self._store.transaction():
            record = self._known(invoice_id)
            status = record["document"]["processingStatus"]
            if status not in RETRANSFERABLE:
                raise ValueError(f"invoice {invoice_id} is {status}, not TransferFailed")
            _set(record["document"], changes)
            return self._enter(record, "WaitingForTransfer")

    def readable(self, invoice_id: str) -> Record:
        """The record as clients may read it now. Raises Refusal 404."""
        record = self.records.get(invoice_id)
        if record is None or self._is_hidden(record):
            raise not_found(invoice_id)
        return record

    def search(self, wanted: Callable[[Document], bool]) -> list[Record]:
        """Readable records in the order of their last change."""
        found = [record for record in self.records.values() if wanted(record["document"])]
        found = [record for record in found if not self._is_hidden(record)]
        return sorted(found, key=lambda record: (record["document"]["lastUpdated"], record["document"]["invoiceId"]))

    def acknowledge(self, invoice_id: str) -> None:
        """The claim; a second one is 405 until P2P sends the invoice again."""
        with self._store.transaction():
            record = self.readable(invoice_id)
            following = ACKNOWLEDGED.get(record["document"]["processingStatus"])
            if following is None:
                message = "Document is already acknowledged."
                raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message, invoice_id)
            self._enter(record, following)

    def accept(self, kind: ResponseKind, call: Call) -> Document:
        """Checks an answer and notes it for P2P."""
        body, invoice_id = call.body(), call.args["invoiceId"]
        if found := problems(kind.schema, body):
            key = body.get("externalCode") if isinstance(body, dict) else None
            raise SchemaRefusal([(key if isinstance(key, str) else None, message) for message in found])
        with self._store.transaction():
            record = self.readable(invoice_id)
            waiting = self._requests.answers_waiting(kind.entity_type, invoice_id)
            _check_repeated(kind, record["document"], body["externalCode"], waiting)
            _check_status(kind, record["document"], waiting)
            item = {"externalCode": body["externalCode"], "parentExternalCode": invoice_id, "body": body}
            self._requests.submit(call, Submission(kind.entity_type, kind.entity_version, [item]))
        return dict(body)

    def settle(self, kind: ResponseKind, request: Request, item: Item) -> list[Finding]:
        """P2P works on an answer."""
        record = self.records.get(item["parentExternalCode"])
        if record is None:
            return [Finding(ERROR, f"Invoice {item['parentExternalCode']} not found.")]
        if record["document"]["processingStatus"] not in kind.open_in:
            text = kind.entity_type.removesuffix("Response").lower()
            return [Finding(ERROR, f"Invoice is not in a state where a {text} response can be saved.")]
        self._carry_out(kind, record, item["body"])
        return []

    def _carry_out(self, kind: ResponseKind, record: Record, body: Document) -> None:
        document = record["document"]
        document[kind.field] = [*document.get(kind.field, []), self._dated(kind, body)][-KEPT_RESPONSES:]
        if kind is PAYMENT:
            self._enter(record, _pay(document, body) if body["success"] else document["processingStatus"])
            return
        if body["success"]:
            kept = ("voucherNumber1", "voucherNumber2", "paymentBlock")
            document.update({name: body[name] for name in kept if body.get(name) is not None})
            document["prebooked"] = document.get("prebooked", False) or kind is PREBOOK
        self._enter(record, kind.done if body["success"] else kind.failed)

    def _dated(self, kind: ResponseKind, body: Document) -> Document:
        # An empty paymentDate means today (contracts: Basware §14.7).
        given = {name: value for name, value in body.items() if value is not None}
        return {"paymentDate": stamp(self._clock()), **given} if kind is PAYMENT else given

    def _enter(self, record: Record, status: str) -> Document:
        document = record["document"]
        moved = document["processingStatus"] != status or document["invoiceId"] not in self.records
        document["processingStatus"] = status
        if moved and is_waiting(status) and self._switches.readable_after:
            wait = dt.timedelta(seconds=self._switches.readable_after)
            record["readableFrom"] = stamp(self._clock() + wait)
        if moved and is_waiting(status):
            self._announce("AccountingDocuments", status, document["invoiceId"])
        return self._touch(record)

    def _touch(self, record: Record) -> Document:
        document: Document = record["document"]
        document["lastUpdated"] = stamp(self._clock())
        self.records.put(document["invoiceId"], record)
        return public_document(record)

    def _record(self, given: Mapping[str, Any]) -> Record:
        document = {
            "p2pProcessingMode": "Standard",
            "processingStatus": "WaitingForTransfer",
            "lastUpdated": stamp(self._clock()),
            **given,
        }
        # Attachments show only after the transfer, whatever the data set says (contracts: Basware §14.9).
        attachments = document.pop("attachments", None) or [_image_of(document)]
        return {"document": document, "attachments": attachments}

    def _known(self, invoice_id: str) -> Record:
        self._requests.process_due()  # P2P users see what has arrived by now
        record = self.records.get(invoice_id)
        if record is None:
            raise ValueError(f"there is no invoice {invoice_id}")
        return record

    def _is_hidden(self, record: Record) -> bool:
        return "readableFrom" in record and parse_moment(record["readableFrom"]) > self._clock()


def public_document(record: Record) -> Document:
    """A copy of what clients see of a record."""
    shown = record["attachments"] if record["document"]["processingStatus"] in WITH_ATTACHMENTS else []
    return {**record["document"], "attachments": shown}


def _pay(document: Document, body: Document) -> str:
    for name in PAYMENT_FIELDS:
        document.pop(name, None)
        if body.get(name) is not None:
            document[name] = body[name]
    if body.get("paymentReversalDocument") is not None:
        document["paymentRevelsalDocument"] = body["paymentReversalDocument"]  # spelt so by Basware
    if body.get("paidTotal") is None:
        return str(document["processingStatus"])
    paid, gross = Decimal(body["paidTotal"]), Decimal(document.get("grossSum") or 0)
    # A credit note is settled by a negative sum. A lower total after a reversal opens the invoice again.
    return "Paid" if (paid >= gross if gross >= 0 else paid <= gross) else "Transferred"


def _check_repeated(kind: ResponseKind, document: Document, external_code: str, waiting: list[str]) -> None:
    taken = [response["externalCode"] for response in document.get(kind.field) or []]
    if external_code in [*taken, *waiting]:
        code = "CONFLICT_IN_POST" if kind.repeated == HTTPStatus.CONFLICT else "DATA_VALIDATION_FAILED"
        raise Refusal(kind.repeated, code, "A response with this externalCode exists.", external_code)


def _check_status(kind: ResponseKind, document: Document, waiting: list[str]) -> None:
    # Of the kinds that move the status only one answer can be on its way; payments follow each other.
    underway = kind is not PAYMENT and waiting
    if document["processingStatus"] not in kind.open_in or underway:
        message = f"Invoice in status {document['processingStatus']} does not take {kind.path}."
        raise Refusal(HTTPStatus.BAD_REQUEST, "DATA_VALIDATION_FAILED", message, document["invoiceId"])


def _set(document: Document, changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        if value is None:
            document.pop(name, None)
        else:
            document[name] = value


def _image_of(document: Mapping[str, Any]) -> dict[str, Any]:
    code = uuid.uuid5(uuid.NAMESPACE_URL, f"image of {document['invoiceId']}").hex
    return {
        "externalCode": code,
        "category": "ORIGINALIMAGE",
        "filename": f"{document.get('invoiceNumber') or document['invoiceId']}.pdf",
        "isConfidential": False,
        "creationTime": document["lastUpdated"],
    }
