"""Looking up in SAP what one document names, and building what is to be posted of both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from syncengine.connectors.sap_b1.literals import all_of, equals
from syncengine.flows.invoicing.case import Case, map_document
from syncengine.mapping import Problem
from syncengine.mapping.text import as_text
from syncengine.posting.checks import all_problems
from syncengine.posting.document import Plan, build_plan
from syncengine.posting.duplicates import is_down_payment_open
from syncengine.posting.findings import INVOICE_BASE, ORDER_BASE, RECEIPT_BASE, BaseLine, Findings, LineKey, base_lines
from syncengine.posting.invoice import INVOICES, Invoice, read_invoice
from syncengine.posting.lookups import ORDER, SapFacts
from syncengine.posting.matching import match_rows, order_references
from syncengine.posting.sap_values import NOT_CANCELLED, OPEN


@dataclass(frozen=True)
class Prepared:
    """The invoice as read, every problem of it, and the plan when there is none."""

    invoice: Invoice
    problems: list[Problem]
    plan: Plan | None


def prepare(case: Case) -> Prepared:
    """Map the document and check it against SAP; a fault found in remembered master data is looked at anew."""
    prepared = _prepare(case, case.facts)
    return _prepare(case, case.facts.afresh()) if prepared.problems else prepared


def read(case: Case) -> Invoice:
    """The invoice alone, without asking SAP."""
    mapped = map_document(case.document, case.desk.mapping, case.desk.ctx)
    return read_invoice(case.document, mapped, case.terms).invoice


def _prepare(case: Case, facts: SapFacts) -> Prepared:
    mapped = map_document(case.document, case.desk.mapping, case.desk.ctx)
    reading = read_invoice(case.document, mapped, case.terms)
    findings = gather(case, reading.invoice, facts)
    matched = match_rows(reading.invoice, findings, case.terms)
    problems = [*reading.problems, *all_problems(reading.invoice, matched, findings, case.terms)]
    if problems:
        return Prepared(reading.invoice, problems, None)
    plan = build_plan(reading.invoice, matched, findings, case.terms)
    flags = tuple(sorted({*plan.flags, *mapped.flags}))
    return Prepared(reading.invoice, [], replace(plan, flags=flags, notes=(*mapped.notes, *plan.notes)))


def gather(case: Case, invoice: Invoice, facts: SapFacts) -> Findings:
    """Everything that the checks and the body need of SAP."""
    terms, rows = case.terms, invoice.rows
    vendor = facts.vendors([invoice.card_code]).get(invoice.card_code)
    down_payments = facts.down_payments(invoice.card_code) if vendor and invoice.kind == "invoice" else []
    findings = Findings(
        vendor=vendor,
        accounts=facts.accounts(row.account for row in rows),
        cost_centers=facts.cost_centers([row.cost_center for row in rows]),
        projects=facts.projects(row.project for row in rows),
        taxes=facts.taxes([row.tax_code for row in rows], terms.tax_field, invoice.tax_date),
        payment_term=facts.payment_term(invoice.payment_group),
        branch=facts.branch(invoice.branch) if terms.branches else None,
        period=facts.period(invoice.doc_date),
        open_down_payments=[as_text(row.get("DocNum")) for row in down_payments if is_down_payment_open(row)],
    )
    if invoice.kind == "credit_note":
        findings.credited_lines = _credited_lines(case, invoice)
    elif any(row.order_number for row in rows):
        _gather_orders(case, invoice, findings, facts)
    return findings


# Orders


def _gather_orders(case: Case, invoice: Invoice, findings: Findings, facts: SapFacts) -> None:
    findings.orders = _order_keys(case, invoice)
    keys = {key for found in findings.orders.values() for key in found}
    if not keys:
        return
    receipts: dict[LineKey, list[BaseLine]] = {}
    for receipt in facts.receipts(invoice.card_code):
        for line in base_lines(receipt, RECEIPT_BASE, case.terms):
            if line.order in keys:
                receipts.setdefault(line.order, []).append(line)
    findings.receipt_lines = receipts
    if not _receipts_say_all(invoice, findings):
        entries = {entry for entry, _ in keys}
        lines = [line for order in facts.orders(entries) for line in base_lines(order, ORDER_BASE, case.terms)]
        findings.order_lines = {(line.doc_entry, line.line_num): line for line in lines}
    findings.invoiced_unlinked = {
        key: case.desk.invoiced_on_order_line(*key)
        for key, line in findings.order_lines.items()
        if key in keys and not line.is_item
    }


def _order_keys(case: Case, invoice: Invoice) -> dict[tuple[str, str], list[LineKey]]:
    """The order lines of this vendor behind the numbers of the rows; the plainest reading that is known wins."""
    keys: dict[tuple[str, str], list[LineKey]] = {}
    for row in invoice.rows:
        for reading in order_references(row) if row.order_number else ():
            for reference in reading:
                if reference not in keys:
                    lines = case.desk.order_line(*reference)
                    keys[reference] = [
                        (line.doc_entry, line.line_num) for line in lines if line.card_code == invoice.card_code
                    ]
            if all(keys[reference] for reference in reading):
                break
    return keys


def _receipts_say_all(invoice: Invoice, findings: Findings) -> bool:
    """Whether every row with an order names a receipt that was found, so that the orders need not be read."""
    for row in invoice.rows:
        keys = findings.orders.get((row.order_number, row.order_line), ()) if row.order_number else ()
        named = {line.doc_num for key in keys for line in findings.receipt_lines.get(key, ())}
        if row.order_number and row.receipt_number not in named:
            return False
    return True


def _credited_lines(case: Case, invoice: Invoice) -> list[BaseLine]:
    """The open lines of the credited invoice, when a rule names its number (OriginalRefNo) and it is one of ours."""
    number = as_text(invoice.extra.get("OriginalRefNo"))
    if not number:
        return []
    where = all_of(
        equals("CardCode", invoice.card_code),
        equals("NumAtCard", number),
        equals("CancelStatus", NOT_CANCELLED),
        equals("DocumentStatus", OPEN),
    )
    found = case.desk.sap.find(INVOICES, where=where, select=ORDER, top=2)
    ours = case.desk.postings_by_entry(INVOICES, _entries(found))
    if len(found) != 1 or found[0]["DocEntry"] not in ours:
        return []
    return base_lines(found[0], INVOICE_BASE, case.terms)


def _entries(rows: Iterable[dict[str, object]]) -> list[int]:
    return [int(str(row["DocEntry"])) for row in rows]
