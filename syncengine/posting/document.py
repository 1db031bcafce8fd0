"""Invoice and parts → the body of a SAP purchase document (default-mapping.md, "Basware → SAP: invoices").

`DocTotal` is never among the fields: SAP would turn a difference into a discount (contracts: SAP §8.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from syncengine.connectors.sap_b1.literals import is_yes
from syncengine.mapping.functions import rounded
from syncengine.mapping.text import to_decimal
from syncengine.posting.amounts import amount
from syncengine.posting.findings import Findings
from syncengine.posting.invoice import Invoice
from syncengine.posting.matching import Matched, Part
from syncengine.posting.sap_values import NO, YES
from syncengine.posting.terms import Terms

COMMENTS_LENGTH = 254
MEMO_LENGTH = 50
TEXT_LENGTH = 100
ITEMS = "dDocument_Items"
SERVICE = "dDocument_Service"


@dataclass(frozen=True)
class Plan:
    """One document ready to be posted, with what SAP must make of it.

    `line_nets` are the net sums of `body["DocumentLines"]`, `expense_nets` those of its additional expenses, in the
    document's currency. Flags and notes go onto the record.
    """

    invoice_id: str
    entity_set: str
    body: dict[str, Any]
    foreign: bool
    net: Decimal | None
    tax: Decimal | None
    gross: Decimal | None
    line_nets: tuple[Decimal, ...] = ()
    expense_nets: tuple[Decimal, ...] = ()
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unlinked: tuple[tuple[int, int, Decimal], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For the record's memo; Decimals stay Decimals."""
        return {name: _plain(value) for name, value in vars(self).items()}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Plan:
        return cls(
            invoice_id=stored["invoice_id"],
            entity_set=stored["entity_set"],
            body=stored["body"],
            foreign=stored["foreign"],
            net=to_decimal(stored.get("net")),
            tax=to_decimal(stored.get("tax")),
            gross=to_decimal(stored.get("gross")),
            line_nets=tuple(map(amount, stored["line_nets"])),
            expense_nets=tuple(map(amount, stored["expense_nets"])),
            flags=tuple(stored["flags"]),
            notes=tuple(stored["notes"]),
            unlinked=tuple((int(entry), int(line), amount(net)) for entry, line, net in stored["unlinked"]),
        )


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


@dataclass
class _Text:
    """Cuts texts at SAP's limits and remembers it (default-mapping.md, "General")."""

    notes: list[str] = field(default_factory=list)

    def cut(self, text: str, name: str, length: int) -> str:
        if len(text) <= length:
            return text
        self.notes.append(f"{name} was cut from {len(text)} to {length} characters")
        return text[:length].rstrip()


def build_plan(invoice: Invoice, matched: Matched, findings: Findings, terms: Terms) -> Plan:
    """The document of an invoice without problems."""
    text = _Text()
    lines = [part for part in matched.parts if part.expense_code is None]
    expenses = [part for part in matched.parts if part.expense_code is not None]
    notes: list[str] = [*matched.notes]
    flags: list[str] = []
    body = _header(invoice, matched, findings, terms, text)
    body |= _payment_term(invoice, findings, notes)
    body["PaymentBlock"] = YES if invoice.payment_block or _must_block(invoice, findings, flags, notes) else NO
    body["DocumentLines"] = [_line(part, invoice, findings, terms, text) for part in lines]
    if expenses:
        body["DocumentAdditionalExpenses"] = [_expense(part, invoice, terms) for part in expenses]
    return Plan(
        invoice_id=invoice.invoice_id,
        entity_set=invoice.entity_set,
        body=body,
        foreign=invoice.foreign,
        net=invoice.net,
        tax=invoice.tax,
        gross=invoice.gross,
        line_nets=tuple(part.net for part in lines),
        expense_nets=tuple(part.net for part in expenses),
        flags=(*flags, *(["text_cut"] if text.notes else [])),
        notes=(*notes, *text.notes),
        unlinked=tuple((*key, net) for key, net in matched.unlinked.items()),
    )


def _header(invoice: Invoice, matched: Matched, findings: Findings, terms: Terms, text: _Text) -> dict[str, Any]:
    body: dict[str, Any] = {
        **invoice.extra,
        "DocType": ITEMS if matched.is_item else SERVICE,
        "CardCode": invoice.card_code,
        "NumAtCard": invoice.number,
        "DocDate": posting_date(invoice, findings, terms).isoformat(),
        "TaxDate": invoice.tax_date.isoformat(),
        "DiscountPercent": Decimal(0),
        "DocCurrency": invoice.currency,
        "Comments": comments(invoice, text),
        "JournalMemo": text.cut(invoice.journal_memo, "JournalMemo", MEMO_LENGTH),
    }
    if terms.branches and invoice.branch:
        body["BPL_IDAssignedToInvoice"] = int(invoice.branch)
    if terms.mark_field:
        body[terms.mark_field] = invoice.invoice_id
    return {name: value for name, value in body.items() if value != ""}


def posting_date(invoice: Invoice, findings: Findings, terms: Terms) -> date:
    """DocDate, moved only where its period is locked and the setting says so; TaxDate never moves."""
    period = findings.period
    if terms.next_open_day and not period.is_open and period.next_open is not None:
        return period.next_open
    return invoice.doc_date


def comments(invoice: Invoice, text: _Text | None = None) -> str:
    """Our mark first, whole, then as much of the description as there is room for."""
    if not invoice.description:
        return invoice.mark
    whole = f"{invoice.mark}\n{invoice.description}"
    return (text or _Text()).cut(whole, "Comments", COMMENTS_LENGTH)


def _payment_term(invoice: Invoice, findings: Findings, notes: list[str]) -> dict[str, Any]:
    term = findings.payment_term
    fields: dict[str, Any] = {}
    if term is not None:
        fields["PaymentGroupCode"] = int(term["GroupNumber"])
    elif invoice.payment_group:
        notes.append(f"payment term {invoice.payment_group} is none of SAP's: the vendor's own applies")
    instalments = int(to_decimal((term or {}).get("NumberOfInstallments")) or 1)
    if invoice.due_date is not None and instalments <= 1:
        fields["DocDueDate"] = invoice.due_date.isoformat()
    if invoice.cash_discount and not (term or {}).get("DiscountCode"):
        notes.append("the document grants a cash discount that the payment term in SAP does not give")
    return fields


def _must_block(invoice: Invoice, findings: Findings, flags: list[str], notes: list[str]) -> bool:
    """Posted with a payment block and flagged: an unknown bank account, or a paid down payment not yet drawn."""
    if invoice.bank_accounts and not known_bank_account(invoice, findings.vendor or {}):
        flags.append("bank_account_unknown")
        notes.append(f"the invoice's bank account is none of vendor {invoice.card_code}'s in SAP: payment blocked")
    if findings.open_down_payments and invoice.kind == "invoice":
        flags.append("open_down_payment")
        numbers = ", ".join(findings.open_down_payments[:5])
        notes.append(f"vendor {invoice.card_code} has a paid down payment not yet drawn ({numbers}): payment blocked")
    return bool(flags)


def known_bank_account(invoice: Invoice, vendor: Mapping[str, Any]) -> bool:
    """Whether one of the invoice's accounts (IBAN or BBAN) is the vendor's, however it is spaced."""
    held = [vendor.get("IBAN"), vendor.get("DefaultAccount")]
    for account in vendor.get("BPBankAccounts") or ():
        held += [account.get("IBAN"), account.get("AccountNo")]
    known = {_bare(account) for account in held if account}
    return any(_bare(account) in known for account in invoice.bank_accounts)


def _bare(account: Any) -> str:
    return "".join(character for character in str(account) if character.isalnum()).upper()


def _line(part: Part, invoice: Invoice, findings: Findings, terms: Terms, text: _Text) -> dict[str, Any]:
    row, base = part.row, part.base
    line: dict[str, Any] = {**row.extra, "DiscountPercent": Decimal(0), terms.tax_field: row.tax_code}
    if base is not None:
        line |= {"BaseType": base.base_type, "BaseEntry": base.doc_entry, "BaseLine": base.line_num}
    if base is None or not base.is_item:
        line |= {"ItemDescription": text.cut(row.text, f"{row.path}.ItemDescription", TEXT_LENGTH)}
        line |= {"AccountCode": row.account}
    line |= _money(part, invoice, terms)
    kept = {name: value for name, value in line.items() if value != ""}
    return kept | _coding(part, terms) | _withholding(findings, terms)


def _money(part: Part, invoice: Invoice, terms: Terms) -> dict[str, Any]:
    """With a quantity always price and currency; without one by currency (contracts: SAP §8.4)."""
    if part.quantity is not None:
        price = rounded(part.net / part.quantity, terms.price_decimals)
        return {"Quantity": part.quantity, "UnitPrice": price, "Currency": invoice.currency}
    if not invoice.foreign:
        return {"LineTotal": part.net}
    if terms.foreign_amount_field == "RowTotalFC":
        return {"RowTotalFC": part.net}
    return {"UnitPrice": part.net, "Currency": invoice.currency}


def _coding(part: Part, terms: Terms) -> dict[str, str]:
    """Sent empty where the row has none and the base has one: else the base's would be inherited."""
    base = part.base
    pairs = {
        terms.costing_field: (part.row.cost_center, base.cost_center if base else ""),
        "ProjectCode": (part.row.project, base.project if base else ""),
    }
    return {name: coded for name, (coded, inherited) in pairs.items() if coded or inherited}


def _withholding(findings: Findings, terms: Terms) -> dict[str, str]:
    if not is_yes((findings.vendor or {}).get("SubjectToWithholdingTax")) or terms.withholding_tax == "problem":
        return {}
    return {"WTLiable": YES if terms.withholding_tax == "sap" else NO}


def _expense(part: Part, invoice: Invoice, terms: Terms) -> dict[str, Any]:
    row = part.row
    expense = {
        "ExpenseCode": part.expense_code,
        "LineTotalFC" if invoice.foreign else "LineTotal": part.net,
        terms.tax_field: row.tax_code,
        terms.distribution_field: row.cost_center,
        "Project": row.project,
        "Remarks": row.text[:TEXT_LENGTH],
        "DistributionMethod": "aedm_None",
    }
    return {name: value for name, value in expense.items() if value != ""}
