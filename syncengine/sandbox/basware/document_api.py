"""``/v1/accountingDocuments`` and what is below it (contracts: Basware §14.1, §14.8, §14.9)."""

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from functools import partial
from http import HTTPStatus
from typing import Any

from syncengine.sandbox.basware.calls import Call, bad_parameter, not_found, nothing_found
from syncengine.sandbox.basware.documents import Document, Documents, Record, public_document
from syncengine.sandbox.basware.life_cycle import RESPONSE_KINDS, STATUSES, ResponseKind, search_status
from syncengine.sandbox.basware.moments import parse_moment
from syncengine.sandbox.basware.paging import page_of
from syncengine.sandbox.basware.routing import Route
from syncengine.sandbox.basware.storage import StorageServer
from syncengine.sandbox.basware.switches import Switches
from syncengine.sandbox.server import JSON_TYPE, SandboxResponse, encode, json_response

Headers = Sequence[tuple[str, str]]

PAGE = 100
STATUS_PAGE = 500
API = "accountingDocuments"
MODES = ("Standard", "InvoiceEnrichment")


class DocumentApi:
    """Reads go through storage by 302; answers about an invoice go to `Documents`."""

    def __init__(self, documents: Documents, storage: StorageServer, switches: Switches) -> None:
        self._documents = documents
        self._storage = storage
        self._switches = switches

    def routes(self) -> list[Route]:
        one = f"/v1/{API}/{{invoiceId}}"
        answers = [Route("POST", f"{one}/{kind.path}", API, partial(self.respond, kind)) for kind in RESPONSE_KINDS]
        return [
            Route("GET", f"/v1/{API}", API, self.search),
            Route("GET", f"/v1/{API}/status", API, self.search_status),
            Route("GET", one, API, self.read),
            Route("POST", f"{one}/acknowledge", API, self.acknowledge),
            Route("GET", f"{one}/attachments/{{attachmentExternalCode}}", API, self.attachment),
            *answers,
        ]

    def search(self, call: Call) -> SandboxResponse:
        """``ProcessingStatus`` with a capital P; left out (or spelt otherwise) every status comes."""
        found = self._documents.search(_document_filter(call))
        page = page_of(call, found, PAGE, PAGE, short=self._switches.short_pages)
        if not page.items:
            return nothing_found()
        return self._hand_out(page.items, page.headers)

    def read(self, call: Call) -> SandboxResponse:
        return self._hand_out([self._documents.readable(call.args["invoiceId"])], [])

    def acknowledge(self, call: Call) -> SandboxResponse:
        self._documents.acknowledge(call.args["invoiceId"])
        return json_response(HTTPStatus.OK, "Acknowledged")

    def respond(self, kind: ResponseKind, call: Call) -> SandboxResponse:
        return json_response(HTTPStatus.OK, self._documents.accept(kind, call))

    def attachment(self, call: Call) -> SandboxResponse:
        """The file itself, only after the transfer."""
        wanted = call.args["attachmentExternalCode"]
        document = public_document(self._documents.readable(call.args["invoiceId"]))
        for attachment in document.get("attachments", []):
            if attachment["externalCode"] == wanted:
                headers = [
                    ("Content-Type", "application/pdf"),
                    ("Content-Disposition", f'attachment; filename="{wanted}.pdf"'),
                ]
                content = _file_of(document, attachment)
                return self._redirect(wanted, content, headers, self._switches.attachment_url_lifetime)
        raise not_found(wanted)

    def search_status(self, call: Call) -> SandboxResponse:
        """A bare array; nothing at all until Basware has enabled it."""
        for name in ("companyCode", "invoiceNumber", "invoiceDate"):
            if not call.params.get(name):
                raise bad_parameter(f"{name} is required.")
        found = self._documents.search(_status_filter(call)) if self._switches.status_search else []
        page = page_of(call, found, STATUS_PAGE, STATUS_PAGE, short=False)
        return (
            json_response(HTTPStatus.OK, [_status_row(record) for record in page.items]) if found else nothing_found()
        )

    def _hand_out(self, records: list[Record], continuation: Headers) -> SandboxResponse:
        content = encode({"accountingDocuments": [public_document(record) for record in records]})
        on_final = continuation if self._switches.continuation_on in {"final", "both"} else []
        on_redirect = continuation if self._switches.continuation_on in {"302", "both"} else []
        if not self._switches.redirects:
            on_final = continuation
        headers = [("Content-Type", JSON_TYPE), *on_final]
        return self._redirect("documents.json", content, headers, self._switches.document_url_lifetime, on_redirect)

    def _redirect(
        self, name: str, content: bytes, headers: Headers, lifetime: float, on_redirect: Headers = ()
    ) -> SandboxResponse:
        if not self._switches.redirects:
            return SandboxResponse(HTTPStatus.OK, content, headers)
        location = self._storage.offer(name, content, headers, lifetime)
        return SandboxResponse(HTTPStatus.FOUND, b"", [("Location", location), *on_redirect])


def _document_filter(call: Call) -> Callable[[Document], bool]:
    status, since = call.choice("ProcessingStatus", STATUSES), call.moment("lastUpdated")
    mode, company = call.choice("p2pProcessingMode", MODES) or "Standard", call.params.get("companyCode")

    def wanted(document: Document) -> bool:
        return (
            (status is None or document["processingStatus"] == status)
            and (document.get("p2pProcessingMode") or "Standard") == mode
            and (not company or document["companyCode"] == company)
            and (since is None or parse_moment(document["lastUpdated"]) > since)
        )

    return wanted


def _status_filter(call: Call) -> Callable[[Document], bool]:
    company, number, date = (call.params[name] for name in ("companyCode", "invoiceNumber", "invoiceDate"))
    gross = _amount(call.params.get("grossSum"))

    def wanted(document: Document) -> bool:
        return (
            document["companyCode"] == company
            and document.get("invoiceNumber") == number
            and str(document.get("invoiceDate"))[:10] == date[:10]
            and (gross is None or Decimal(document.get("grossSum") or 0) == gross)
        )

    return wanted


def _amount(text: str | None) -> Decimal | None:
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        raise bad_parameter("grossSum is not a number.") from None


def _status_row(record: Record) -> dict[str, Any]:
    document = record["document"]
    return {
        "invoiceId": document["invoiceId"],
        "status": search_status(document["processingStatus"]),
        "processingStatus": document["processingStatus"],
        "disputeInfo": document.get("disputeInfo") or {"isDisputed": False},
        "lastUpdated": document["lastUpdated"],
    }


def _file_of(document: Document, attachment: dict[str, Any]) -> bytes:
    text = f"{attachment['filename']} of invoice {document['invoiceId']}"
    return f"%PDF-1.4\n% {text}\n%%EOF\n".encode()
