"""Both systems in memory, small and obedient: SAP posts what it is sent, Basware keeps states."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from decimal import Decimal
from typing import Any

from syncengine.connectors.basware import ResponseReceipt
from syncengine.connectors.outcomes import OutcomeUnknown, Rejected
from syncengine.connectors.sap_b1 import Created, SapSettings
from syncengine.connectors.sap_b1.literals import contains
from syncengine.flows.company import FlowContext
from syncengine.flows.document import DocumentFlow
from syncengine.sandbox.sap_b1.filters import parse_filter
from syncengine.sandbox.sap_b1.model import entity_set
from tests.flows.desks import MemoryEngine
from tests.flows.world import context
from tests.posting import builders

Record = dict[str, Any]
MARK = "U_BW_InvoiceId"
RATES = {"I255": Decimal("25.5"), "I0": Decimal(0)}


def lost(system: str) -> OutcomeUnknown:
    return OutcomeUnknown(f"{system} did not answer", code="timeout")


class Sap:
    """SAP's tables; `create` books purchase documents. `before_answer` may raise after the document was stored."""

    def __init__(self, **tables: list[Record]) -> None:
        self.settings = SapSettings("https://sap/b1s/v2", "SBO", "user", "secret", user_defined_id_field=MARK)
        self.tables: dict[str, list[Record]] = {
            "BusinessPartners": [builders.vendor()],
            "ChartOfAccounts": [builders.account()],
            "ProfitCenters": [{"CenterCode": "ADM", "InWhichDimension": 1, "Active": "tYES"}],
            "DistributionRules": [],
            "Projects": [],
            "VatGroups": [_group(code, rate) for code, rate in RATES.items()],
            "PaymentTermsTypes": [{"GroupNumber": 3, "NumberOfInstallments": 1}],
            **{name: [] for name in ("PurchaseInvoices", "PurchaseCreditNotes", "PurchaseDownPayments", "Drafts")},
            **{name: [] for name in ("PurchaseOrders", "PurchaseDeliveryNotes", "ApprovalRequests", "VendorPayments")},
        } | tables
        self.tell: Callable[[str], None] = lambda _event: None
        self.before_posting: Callable[[], None] = lambda: None
        self.before_answer: Callable[[], None] = lambda: None
        self.distort: Callable[[Record], None] = lambda _document: None
        self.approval = ""
        self.posted = 0
        self.updates: list[tuple[str, Any, Record]] = []
        self.day = "2026-11-20"

    # Reads

    def find(
        self,
        name: str,
        *,
        where: str,
        select: Sequence[str],
        top: int = 100,
        order_by: str = "",
        case_insensitive: bool = False,
    ) -> list[Record]:
        return self._rows(name, where, fold=case_insensitive)[:top]

    def by_key(self, name: str, key: Any, select: Sequence[str] = ()) -> Record | None:
        return next((deepcopy(row) for row in self.tables[name] if row["DocEntry"] == key), None)

    def by_keys(self, name: str, key_name: str, keys: Iterable[Any], select: Sequence[str]) -> list[Record]:
        wanted = set(keys)
        return [deepcopy(row) for row in self.tables[name] if row[key_name] in wanted]

    def pages(
        self, name: str, *, key: str, select: Sequence[str], where: str = "", page_size: int = 100, after: Any = None
    ) -> Iterator[list[Record]]:
        rows = [row for row in self._rows(name, where) if after is None or row[key] > after]
        if rows:
            yield sorted(rows, key=lambda row: row[key])

    def service(self, name: str, body: Any = None) -> Any:
        raise Rejected("not told", code="sap_-1002")

    def contains(self, field_name: str, text: str) -> str:
        return contains(field_name, text)

    def _rows(self, name: str, where: str, *, fold: bool = False) -> list[Record]:
        if not where:
            return deepcopy(self.tables[name])
        kinds = dict(entity_set(name).type.kinds) | {MARK: "Edm.String"}
        passes = parse_filter(where, kinds, v1=False, fold=fold, key="DocEntry").matches
        return [deepcopy(row) for row in self.tables[name] if passes(row)]

    # Writes

    def create(self, name: str, body: Mapping[str, Any]) -> Created:
        self.tell("call post")
        self.before_posting()
        document = self.book(name, body)
        self.tell("posted in SAP")
        self.before_answer()
        if self.approval == "empty":
            return Created(204, None)
        if self.approval == "error":
            raise Rejected("No matching records found", code="sap_-2028")
        location = f"https://sap/b1s/v2/Drafts({document['DocEntry']})" if self.approval == "location" else ""
        return Created(201, deepcopy(document), location)

    def book(self, name: str, body: Mapping[str, Any], **more: Any) -> Record:
        """What SAP makes of a body: lines numbered, sums computed, a number of its own."""
        self.posted += 1
        document = _booked(body, self.posted, self.day) | more
        if self.approval:
            code = "oPurchaseInvoices" if name == "PurchaseInvoices" else "oPurchaseCreditNotes"
            document |= {"AuthorizationStatus": "dasPending", "DocObjectCode": code}
            name = "Drafts"
        self.distort(document)
        self.tables[name].append(document)
        return document

    def update(self, name: str, key: Any, body: Mapping[str, Any]) -> None:
        self.tell("call update")
        self.updates.append((name, key, dict(body)))
        next(row for row in self.tables[name] if row["DocEntry"] == key).update(body)

    def cancel(self, name: str, entry: int) -> None:
        next(row for row in self.tables[name] if row["DocEntry"] == entry)["CancelStatus"] = "csYes"

    @property
    def invoices(self) -> list[Record]:
        return self.tables["PurchaseInvoices"]


def _group(code: str, rate: Decimal) -> Record:
    lines = [{"Effectivefrom": "2020-01-01", "Rate": rate}]
    return {"Code": code, "Category": "bovcInputTax", "Inactive": "tNO", "VatGroups_Lines": lines}


def _booked(body: Mapping[str, Any], number: int, day: str) -> Record:
    lines, net, tax = [], Decimal(0), Decimal(0)
    for index, line in enumerate(body["DocumentLines"]):
        total = line.get("LineTotal")
        if total is None:
            total = (line["UnitPrice"] * line.get("Quantity", 1)).quantize(Decimal("0.01"))
        lines.append({**line, "LineNum": index, "LineTotal": total, "RowTotalFC": total})
        net, tax = net + total, tax + (total * RATES[line["VatGroup"]] / 100).quantize(Decimal("0.01"))
    sums = {"VatSum": tax, "DocTotal": net + tax, "VatSumFc": tax, "DocTotalFc": net + tax}
    state = {"CancelStatus": "csNo", "DocumentStatus": "bost_Open", "AuthorizationStatus": "dasWithout"}
    keys = {"DocEntry": 4000 + number, "DocNum": 10000 + number, "TransNum": 30000 + number, "CreationDate": day}
    return {**deepcopy(dict(body)), **keys, **sums, **state, "DocumentLines": lines, "PaidToDate": Decimal(0)}


class Basware:
    """Documents by invoiceId with their states (contracts: Basware §14.2)."""

    def __init__(self, *documents: Record) -> None:
        self.shelf = {document["invoiceId"]: deepcopy(document) for document in documents}
        self.tell: Callable[[str], None] = lambda _event: None
        self.before_acknowledging: Callable[[], None] = lambda: None
        self.after_acknowledging: Callable[[], None] = lambda: None
        self.before_answering: Callable[[], None] = lambda: None
        self.after_answering: Callable[[], None] = lambda: None
        self.answers: list[Record] = []
        self.payments: list[Record] = []
        self.reads = 0

    def documents(
        self, *, processing_status: str | None = None, company_code: str | None = None, **_: Any
    ) -> Iterator[list[Record]]:
        found = [row for row in self.shelf.values() if processing_status in {None, row["processingStatus"]}]
        yield deepcopy(found)

    def document(self, invoice_id: str) -> Record | None:
        self.reads += 1
        return deepcopy(self.shelf.get(invoice_id))

    def acknowledge(self, invoice_id: str) -> bool:
        self.tell("call acknowledge")
        self.before_acknowledging()
        document = self.shelf[invoice_id]
        claimed = document["processingStatus"] == "WaitingForTransfer"
        if claimed:
            document["processingStatus"] = "TransferInProgress"
        self.tell("acknowledged")
        self.after_acknowledging()
        return claimed

    def respond(self, invoice_id: str, kind: str, body: Record) -> ResponseReceipt:
        self.tell(f"call {kind}")
        self.before_answering()
        document = self.shelf[invoice_id]
        held = document.setdefault(kind, [])
        if kind == "transferResponses":
            self._take_transfer(document, body)
        elif any(other["externalCode"] == body["externalCode"] for other in held):
            raise Rejected("Response exists", code="http_409", status=409)
        held.append(dict(body))
        (self.answers if kind == "transferResponses" else self.payments).append(dict(body))
        self.tell(f"taken {kind}")
        self.after_answering()
        return ResponseReceipt(f"request-{len(self.answers) + len(self.payments)}")

    def _take_transfer(self, document: Record, body: Record) -> None:
        if document["processingStatus"] != "TransferInProgress":
            raise Rejected("Not in progress", code="http_400", status=400)
        document["processingStatus"] = "Transferred" if body["success"] else "TransferFailed"
        if body["success"]:
            document["voucherNumber1"] = body["voucherNumber1"]

    def retransfer(self, invoice_id: str = builders.INVOICE_ID, **changed: Any) -> None:
        """Corrected and sent again by a person in P2P."""
        document = self.shelf[invoice_id]
        document.update({"processingStatus": "WaitingForTransfer", "lastUpdated": "2026-11-21T08:00:00Z"} | changed)


class World:
    """A flow between the two systems; `row` is the record of the one invoice."""

    def __init__(self, flow: DocumentFlow, document: Record | None = None, ctx: FlowContext | None = None) -> None:
        self.sap = Sap()
        self.basware = Basware(builders.document() if document is None else document)
        self.engine = MemoryEngine(flow, self.sap, self.basware, ctx or context(company="1000", today=builders.TODAY))
        self.sap.tell = self.basware.tell = self.engine.at

    def fail_once(self, system: Any, hook: str, error: Exception) -> None:
        """The next call that passes this hook fails with the error."""

        def fail() -> None:
            setattr(system, hook, lambda: None)
            raise error

        setattr(system, hook, fail)
