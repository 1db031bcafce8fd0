"""Everything that keeps an invoice from being posted, all of it at once, as of its posting date.

Each problem names the code or number concerned and where to mend it; `problems.BASWARE_CODES` says which of them a
person in Basware can mend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from syncengine.connectors.sap_b1.literals import is_yes
from syncengine.mapping import Problem
from syncengine.posting.amounts import ZERO
from syncengine.posting.document import posting_date
from syncengine.posting.findings import Findings, Tax
from syncengine.posting.invoice import Invoice, Row
from syncengine.posting.matching import Matched, Part
from syncengine.posting.problems import IN_SAP, basware_problem, portal_problem
from syncengine.posting.sap_values import is_frozen, is_out_of_validity, within
from syncengine.posting.terms import Terms

DAYS_AHEAD = 31
TAX_TOLERANCE = Decimal("0.02")

Check = Callable[[Invoice, Matched, Findings, Terms], Iterator[Problem]]


def all_problems(invoice: Invoice, matched: Matched, findings: Findings, terms: Terms) -> list[Problem]:
    """Every problem of the invoice against what SAP holds, in the order in which people read a document."""
    found = [problem for check in CHECKS for problem in check(invoice, matched, findings, terms)]
    return [*found, *matched.problems]


def _vendor(invoice: Invoice, _matched: Matched, findings: Findings, terms: Terms) -> Iterator[Problem]:
    code, vendor = invoice.card_code, findings.vendor
    if not code:
        return
    if invoice.supplier_system and invoice.supplier_system != terms.source_system:
        message = f"vendor {code} belongs to source system {invoice.supplier_system}, not to {terms.source_system}"
        yield basware_problem("supplierSourceSystemId", message, "vendor")
    if vendor is None:
        yield basware_problem("supplierCode", f"vendor {code} does not exist in SAP", "vendor")
        return
    if vendor.get("CardType") != "cSupplier":
        yield basware_problem("supplierCode", f"business partner {code} is not a supplier in SAP", "vendor")
    on = posting_date(invoice, findings, terms)
    if is_frozen(vendor, on):
        yield basware_problem("supplierCode", f"vendor {code} is frozen in SAP", "vendor")
    elif is_out_of_validity(vendor, on):
        yield basware_problem("supplierCode", f"vendor {code} is not active in SAP on {on}", "vendor")
    if is_yes(vendor.get("SubjectToWithholdingTax")) and terms.withholding_tax == "problem":
        hint = "Choose the setting withholding_tax: SAP computes it, or none is deducted. Then press replay."
        yield portal_problem("supplierCode", f"vendor {code} is subject to withholding tax", "withholding", hint)


def _dates(invoice: Invoice, _matched: Matched, findings: Findings, terms: Terms) -> Iterator[Problem]:
    on, hint = posting_date(invoice, findings, terms), "Allow it by the setting allow_unusual_dates, then press replay."
    if not terms.allow_unusual_dates:
        if on < invoice.tax_date:
            message = f"the posting date {on} lies before the invoice date {invoice.tax_date}"
            yield portal_problem("voucherDate", message, "date", hint)
        if on > terms.today + timedelta(days=DAYS_AHEAD):
            message = f"the posting date {on} lies more than {DAYS_AHEAD} days ahead"
            yield portal_problem("voucherDate", message, "date", hint)
    if not findings.period.is_open and on == invoice.doc_date:
        hint = "Open the period in SAP, or choose the setting locked_period: next_open_day. Then press replay."
        yield portal_problem("voucherDate", f"the posting period of {on} is locked in SAP", "period", hint)


def _branch(invoice: Invoice, _matched: Matched, findings: Findings, terms: Terms) -> Iterator[Problem]:
    if not terms.branches:
        return
    path, branch = "organizationElementCode", findings.branch
    if not invoice.branch:
        message = "the company works with branches, and the lookup table branches names none for this document"
        hint = "Add the organization element or the company code to the lookup table branches, then press replay."
        yield portal_problem(path, message, "branch", hint)
    elif branch is None or is_yes(branch.get("Disabled")):
        reason = "does not exist" if branch is None else "is disabled"
        message = f"branch {invoice.branch} {reason} in SAP"
        yield portal_problem(path, message, "branch", "Correct the lookup table branches, then press replay.")


def _currency(invoice: Invoice, _matched: Matched, _findings: Findings, terms: Terms) -> Iterator[Problem]:
    known = {*terms.currencies.values(), terms.local_currency}
    if invoice.currency and terms.currencies and invoice.currency not in known:
        message = f"currency {invoice.currency} is not set up in SAP"
        yield portal_problem("currencyCode", message, "currency", IN_SAP)


def _coding(invoice: Invoice, matched: Matched, findings: Findings, terms: Terms) -> Iterator[Problem]:
    """Accounts of the rows that post to theirs; cost centers and projects of all."""
    by_row: dict[str, Part] = {}
    for part in matched.parts:
        by_row.setdefault(part.row.path, part)
    for row in invoice.rows:
        placed = by_row.get(row.path)
        if not row.order_number if placed is None else _posts_to_account(placed):
            yield from _account(row, invoice, findings, terms)
        yield from _cost_center(row, invoice, findings, terms)
        yield from _project(row, invoice, findings, terms)


def _posts_to_account(part: Part) -> bool:
    return part.expense_code is None and (part.base is None or not part.base.is_item)


def _account(row: Row, invoice: Invoice, findings: Findings, terms: Terms) -> Iterator[Problem]:
    path, code = f"{row.path}.accountCode", row.account
    if not code:
        yield basware_problem(path, f"coding row {row.number} has no account", "account")
        return
    record = findings.accounts.get(code)
    reason = "does not exist in SAP" if record is None else _account_fault(record, invoice, findings, terms)
    if reason:
        yield basware_problem(path, f"G/L account {code} of coding row {row.number} {reason}", "account")


def _account_fault(record: Mapping[str, Any], invoice: Invoice, findings: Findings, terms: Terms) -> str:
    on = posting_date(invoice, findings, terms)
    faults = (
        (not is_yes(record.get("ActiveAccount")), "is a title in SAP and cannot be posted to"),
        (is_yes(record.get("LockManualTransaction")), "is a control account in SAP"),
        (is_yes(record.get("BlockManualPosting")), "is blocked for manual posting in SAP"),
        (is_frozen(record, on, "FrozenFor"), "is frozen in SAP"),
        (is_out_of_validity(record, on, "ValidFor"), f"is not valid in SAP on {on}"),
    )
    return next((reason for wrong, reason in faults if wrong), "")


def _cost_center(row: Row, invoice: Invoice, findings: Findings, terms: Terms) -> Iterator[Problem]:
    code = row.cost_center
    if not code:
        return
    on, record = posting_date(invoice, findings, terms), findings.cost_centers.get(code)
    reason = ""
    if record is None:
        reason = "does not exist in SAP"
    elif record.get("InWhichDimension") not in {None, terms.dimension}:
        reason = f"belongs to dimension {record.get('InWhichDimension')} in SAP, not to {terms.dimension}"
    elif record.get("Active") == "tNO":
        reason = "is not active in SAP"
    elif not within(on, record.get("EffectiveFrom"), record.get("EffectiveTo")):
        reason = f"is not in effect in SAP on {on}"
    if reason:
        message = f"cost center {code} of coding row {row.number} {reason}"
        yield basware_problem(f"{row.path}.costCenterCode", message, "cost_center")


def _project(row: Row, invoice: Invoice, findings: Findings, terms: Terms) -> Iterator[Problem]:
    code = row.project
    if not code:
        return
    on, record = posting_date(invoice, findings, terms), findings.projects.get(code)
    reason = ""
    if record is None:
        reason = "does not exist in SAP"
    elif record.get("Active") == "tNO":
        reason = "is not active in SAP"
    elif not within(on, record.get("ValidFrom"), record.get("ValidTo")):
        reason = f"is not valid in SAP on {on}"
    if reason:
        yield basware_problem(
            f"{row.path}.projectCode", f"project {code} of coding row {row.number} {reason}", "project"
        )


def _taxes(invoice: Invoice, _matched: Matched, findings: Findings, terms: Terms) -> Iterator[Problem]:
    unit = terms.unit_of(invoice.currency)
    for row in invoice.rows:
        path = f"{row.path}.taxCode"
        if not row.tax_code:
            yield basware_problem(path, f"coding row {row.number} has no tax code", "tax")
            continue
        tax = findings.taxes.get(row.tax_code)
        where = f"tax code {row.tax_code} of coding row {row.number}"
        reason = "does not exist in SAP" if tax is None else _tax_fault(tax, invoice)
        if reason or tax is None:
            yield basware_problem(path, f"{where} {reason}", "tax")
        else:
            faults = _reverse_faults(row, tax) if tax.reverse else _rate_faults(row, tax, unit)
            yield from (basware_problem(path, f"{where} {fault}", "tax") for fault in faults)


def _tax_fault(tax: Tax, invoice: Invoice) -> str:
    if not tax.purchasing:
        return "is not for purchases in SAP"
    if not tax.usable:
        return "is not active in SAP"
    return f"has no rate in SAP on {invoice.tax_date}" if tax.rate is None else ""


def _rate_faults(row: Row, tax: Tax, unit: Decimal) -> Iterator[str]:
    rate = tax.rate or ZERO
    if row.tax_percent is not None and row.tax_percent != rate:
        yield f"has {rate.normalize():f} % in SAP, the row says {row.tax_percent.normalize():f} %"
    elif row.tax is not None and abs(row.net * rate / 100 - row.tax) > max(TAX_TOLERANCE, unit):
        yield f"gives {row.net * rate / 100:.2f} tax on {row.net}, the row says {row.tax}"
    if row.tax2 and not tax.partly:
        yield f"is neither reverse charge nor partly deductible, but the row has a second tax of {row.tax2}"


def _reverse_faults(row: Row, tax: Tax) -> Iterator[str]:
    rate = tax.rate or ZERO
    if row.tax:
        yield f"is reverse charge, but the row has tax {row.tax} to be paid"
    if row.tax_percent:
        yield f"is reverse charge, but the row says {row.tax_percent.normalize():f} % to be paid"
    if row.tax_percent2 is not None and row.tax_percent2 != rate:
        yield f"has {rate.normalize():f} % in SAP, the row says {row.tax_percent2.normalize():f} %"


def _sums(invoice: Invoice, _matched: Matched, _findings: Findings, terms: Terms) -> Iterator[Problem]:
    """Rows add up to the header, and the header to itself, within 0.01 a row."""
    tolerance = terms.unit_of(invoice.currency) * max(len(invoice.rows), 1)
    sums = (
        ("net", "netSum", invoice.net, [row.net for row in invoice.rows]),
        ("tax", "taxSum1", invoice.tax, [row.tax for row in invoice.rows]),
        ("gross", "grossSum", invoice.gross, [row.gross for row in invoice.rows]),
    )
    for word, path, header, values in sums:
        given = [value for value in values if value is not None]
        if header is None or len(given) < len(values) or not given:
            continue
        total = sum(given, ZERO)
        if abs(total - header) > tolerance:
            message = f"the coding rows add up to {word} {total}, the header says {header}"
            yield basware_problem(path, message, "sums")
    tax = _tax_of(invoice)
    if invoice.net is None or invoice.gross is None or tax is None:
        return
    total = invoice.net + tax
    if abs(total - invoice.gross) > tolerance:
        message = f"net {invoice.net} and tax {tax} make {total}, the gross sum says {invoice.gross}"
        yield basware_problem("grossSum", message, "sums")


def _tax_of(invoice: Invoice) -> Decimal | None:
    """The header's tax, else that of the rows; None when neither is told: both may be absent (Basware §14.3)."""
    taxes = [row.tax for row in invoice.rows if row.tax is not None]
    if invoice.tax is not None or len(taxes) < len(invoice.rows) or not taxes:
        return invoice.tax
    return sum(taxes, ZERO)


CHECKS: tuple[Check, ...] = (_vendor, _dates, _branch, _currency, _coding, _taxes, _sums)
