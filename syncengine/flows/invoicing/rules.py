"""The default rules of invoices: what of a Basware document goes where, for a customer to change.

Sums, quantities, order and receipt numbers are not for rules: posting has its own for them (default-mapping.md).
A row's rules see the coding row; `document` is the header, `derived.taxCode` the row's tax code or the header's.
"""

from __future__ import annotations

from typing import Any

from syncengine.flows.master import rule
from syncengine.posting.document import MEMO_LENGTH, TEXT_LENGTH

NUMBER_LENGTH = 100

LIMITS = {
    "NumAtCard": NUMBER_LENGTH,
    "JournalMemo": MEMO_LENGTH,
    "DocumentLines[].ItemDescription": TEXT_LENGTH,
}

LOOKUPS = ("payment_terms", "tax_codes", "branches", "charges")


def default_rules() -> list[dict[str, Any]]:
    return [
        rule("CardCode", "supplierCode", required=True),
        rule("NumAtCard", "invoiceNumber", required=True),
        rule("DocDate", "date(voucherDate)"),
        rule("TaxDate", "date(invoiceDate)", required=True),
        rule("DocDueDate", "date(dueDate)"),
        rule("PaymentGroupCode", "lookup('payment_terms', paymentTermCode, paymentTermCode)"),
        rule("DocCurrency", "currencyCode", required=True),
        rule("PaymentBlock", "paymentBlock"),
        rule("Comments", "description"),
        rule("JournalMemo", "concat('Basware ', invoiceNumber)"),
        rule(
            "BPL_IDAssignedToInvoice", "lookup('branches', organizationElementCode) || lookup('branches', companyCode)"
        ),
        rule("DocumentLines[].AccountCode", "accountCode"),
        rule("DocumentLines[].ItemDescription", "lastComment || document.description || accountName"),
        rule("DocumentLines[].VatGroup", "lookup('tax_codes', derived.taxCode, derived.taxCode)"),
        rule("DocumentLines[].CostingCode", "costCenterCode"),
        rule("DocumentLines[].ProjectCode", "projectCode"),
    ]
