"""Approved invoices from Basware to SAP: claimed, checked, posted once, read back, confirmed.

default-mapping.md, "Basware → SAP: invoices"; contracts: Basware §14, SAP §8.4 and §8.5. The steps are in `invoicing`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from syncengine.connectors.basware import Basware
from syncengine.connectors.erp import ErpClient
from syncengine.connectors.outcomes import Rejected
from syncengine.flows.company import FlowContext
from syncengine.flows.desk import Desk, Finished, Found, NeedsPerson, Step, Work
from syncengine.flows.document import Archive, DocumentFlow, FindWindow, FoundPage, NotOurs
from syncengine.flows.invoicing import confirm
from syncengine.flows.invoicing.approval import approval
from syncengine.flows.invoicing.cancelled import cancelled
from syncengine.flows.invoicing.case import (
    IN_PROGRESS,
    WAITING,
    Case,
    expect,
    facts_of,
    is_ours,
    map_document,
    terms_of,
)
from syncengine.flows.invoicing.check import check
from syncengine.flows.invoicing.claim import claim, read_again, special_reason
from syncengine.flows.invoicing.decide import booked, decide, not_booked
from syncengine.flows.invoicing.post import post
from syncengine.flows.invoicing.rules import LIMITS, LOOKUPS, Targets, default_rules
from syncengine.flows.invoicing.steps import READ_AGAIN
from syncengine.flows.invoicing.watch import invoices_to_look_at
from syncengine.flows.values import instant
from syncengine.mapping import FieldMapping, Problem
from syncengine.mapping.text import as_text, to_decimal
from syncengine.posting.invoice import read_invoice, row_sources


class InvoiceFlow(DocumentFlow):
    """One record per Basware invoice."""

    name = "invoices"
    title = "Invoices"
    source = "basware"
    target = "sap_b1"
    depends_on = ("gl_accounts", "cost_centers", "projects", "tax_codes", "payment_terms", "vendors", "purchase_orders")
    position = 200

    def default_rules(self) -> list[dict[str, Any]]:
        return default_rules()

    def default_lookups(self) -> Mapping[str, Mapping[str, str]]:
        return {name: {} for name in LOOKUPS}

    def targets(self) -> Collection[str]:
        """The fields that a rule may fill."""
        return Targets()

    def rows(self, source: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
        return {"DocumentLines": row_sources(source)}

    def limits(self) -> Mapping[str, int]:
        return LIMITS

    # Finding

    def discover(self, archive: Archive, window: FindWindow) -> Iterator[FoundPage]:
        """All that wait for transfer; in a full run also posted ones that SAP shows cancelled or settled.

        Everything is to be stored before anything is advanced (contracts: Basware §3.3).
        """
        for page in _documents(archive, WAITING):
            expect(facts_of(archive.ctx, archive.sap), [found.source for found in page.found])
            yield page
        if window.mode == "full":
            for found in invoices_to_look_at(archive):
                yield FoundPage([_found(document, memo) for document, memo in found])

    def sweep(self, archive: Archive) -> Iterator[FoundPage]:
        """Claimed and not answered yet (contracts: Basware §14.2, 3); the engine knows which of them are idle."""
        return _documents(archive, IN_PROGRESS, read_again=True)

    def find_one(self, archive: Archive, document_id: str) -> Found | None:
        """The document a notification names, if it waits for us: its own status decides, not the notification.

        Every subscriber of a Basware account is told of every company's documents. One that names no company is left
        to the poll, whose filter by company only Basware can apply to it.
        """
        document = archive.basware.document(document_id)
        if document is None:
            return None
        if not document.get("companyCode") or not is_ours(document, archive.ctx.company):
            raise NotOurs(document_id)
        if document.get("processingStatus") != WAITING:
            return None
        return _found(document, {"status": WAITING})

    def found_again(self, document: Mapping[str, Any]) -> Found:
        """A document whose status is to decide, whatever its record says: it is read anew before anything is done."""
        return _found(document, {"status": as_text(document.get("processingStatus")), "read_again": True})

    def reopens(self, work: Work, found: Found) -> bool:
        """A document offered again opens its record anew; one that waits for a person's look, only when it changed."""
        amount = found.memo.get("settled_by_reconciliation")
        if amount is not None:
            return bool(to_decimal(work.memo.get("settled_by_reconciliation")) != amount)
        if found.memo.get("status") != WAITING:
            return bool(found.memo.get("cancelled_in_sap") or found.memo.get("read_again"))
        unchanged = found.source.get("lastUpdated") == work.source.get("lastUpdated")
        return not (unchanged and work.memo.get("asked") == "special" and special_reason(found.source))

    def lane(self, work: Work) -> str:
        """Invoices of a vendor's orders go one after another: what one takes from an order line, the next must see."""
        rows = work.source.get("codingRows") or ()
        has_orders = any(isinstance(row, Mapping) and row.get("orderNumber") for row in rows)
        return as_text(work.source.get("supplierCode")) if has_orders else work.key

    def touches(self, work: Work) -> Sequence[tuple[str, str]]:
        """What is invoiced may close order lines in SAP; Basware is told so without waiting for the next run."""
        rows = work.source.get("codingRows") or ()
        numbers = {as_text(row.get("orderNumber")) for row in rows if isinstance(row, Mapping)}
        return [("purchase_orders", number) for number in sorted(numbers) if number]

    def preview(
        self, _sap: ErpClient, basware: Basware, key: str | None, mapping: FieldMapping, ctx: FlowContext
    ) -> tuple[dict[str, Any], dict[str, Any], list[Problem]] | None:
        """A real document, what the rules make of it, and what is wrong with it by itself."""
        if key is not None:
            document = basware.document(key)
        else:
            # One that waits shows what is to come; when none does, any one shows what the rules make of it.
            pages = chain.from_iterable(basware.documents(processing_status=status) for status in (WAITING, None))
            document = next((row for rows in pages for row in rows), None)
        if document is None:
            return None
        mapped = map_document(document, mapping, ctx)
        problems = read_invoice(document, mapped, terms_of(ctx, "")).problems
        return dict(document), mapped.target, problems

    # Advancing

    def advance(self, work: Work, desk: Desk) -> Step:
        """The one step that is due; what a target refuses for good is put before a person."""
        case = Case(work, desk)
        try:
            return _due(case)(case)
        except Rejected as error:
            return NeedsPerson(code=error.code, message=error.message, hint=error.hint, memo=READ_AGAIN)

    def refuses_number(self, work: Work, desk: Desk, number: int) -> str:
        """default-mapping.md, "Ignore": a DocNum that is verified in SAP."""
        case = Case(work, desk)
        return "" if booked(case, number) else not_booked(case, number)

    def settled(self, work: Work, desk: Desk, kind: str, confirmed: bool, message: str) -> Step:
        return confirm.settled(Case(work, desk), accepted=confirmed, message=message)


StepOf = Callable[[Case], Step]


def _reconciled(case: Case) -> Step:
    amount = case.memo("settled_by_reconciliation")
    note = f"settled by reconciliation in SAP: {amount} more is paid than payments show"
    memo = {"reconciled_seen": as_text(amount)}
    return Finished(stage="confirmed", flags=("settled_by_reconciliation",), notes=(note,), memo=memo)


def _is_new_reconciliation(case: Case) -> bool:
    amount = case.memo("settled_by_reconciliation")
    return amount is not None and case.memo("reconciled_seen") != as_text(amount)


def _done(case: Case) -> Step:
    return Finished(stage=case.work.stage)


SPECIAL_CASES: tuple[tuple[Callable[[Case], bool], StepOf], ...] = (
    (lambda case: bool(case.memo("cancelled_in_sap")), lambda case: cancelled(case, case.desk.posting())),
    (_is_new_reconciliation, _reconciled),
    (lambda case: bool(case.work.decision), decide),
    (lambda case: bool(case.memo("read_again") or case.memo("replay")), read_again),
    (lambda case: case.status == WAITING, claim),
    (lambda case: bool(case.memo("draft")), approval),
)
"""Asked first, in this order."""

STAGES: Mapping[str, StepOf] = {
    "received": claim,
    "acknowledged": check,
    "checked": post,
    "posted": confirm.confirm,
    "confirmed": _done,
    "paid": _done,
}


def _due(case: Case) -> StepOf:
    return next((step for applies, step in SPECIAL_CASES if applies(case)), STAGES[case.work.stage])


def _documents(archive: Archive, status: str, **memo: Any) -> Iterator[FoundPage]:
    company = archive.ctx.company
    for rows in archive.basware.documents(processing_status=status, company_code=company):
        ours = [row for row in rows if is_ours(row, company) and row.get("processingStatus", status) == status]
        yield FoundPage([_found(row, {"status": status, **memo}) for row in ours])


def _found(document: Mapping[str, Any], memo: Mapping[str, Any]) -> Found:
    number, name = as_text(document.get("invoiceNumber")), as_text(document.get("supplierName"))
    orders = " ".join(as_text(order) for order in document.get("orderNumbers") or ())
    return Found(
        key=as_text(document["invoiceId"]),
        title=f"{number} {name}".strip(),
        source=document,
        amount=to_decimal(document.get("grossSum")),
        currency=as_text(document.get("currencyCode")),
        reference=number,
        party=as_text(document.get("supplierCode")),
        search=f"{name} {orders} {as_text(document.get('referenceNumber'))}",
        memo=memo,
        # Waiting for transfer, it was last touched when it was approved for it.
        offered_at=instant(document.get("lastUpdated")) if memo.get("status") == WAITING else None,
    )
