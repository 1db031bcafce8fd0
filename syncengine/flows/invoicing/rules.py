"""The default rules of invoices: what of a Basware document goes where, for a customer to change.

Sums, quantities, order and receipt numbers are not for rules: posting has its own for them (default-mapping.md).
A row's rules see the coding row; `document` is the header, `derived.taxCode` the row's tax code or the header's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from syncengine.connectors.sap_b1.fields import HEADER, LINE
from syncengine.flows.master import rule
from syncengine.posting.document import MEMO_LENGTH, TEXT_LENGTH
from syncengine.posting.invoice import HEADER_COMPUTED, ROW_COMPUTED

NUMBER_LENGTH = 100

LIMITS = {
    "NumAtCard": NUMBER_LENGTH,
    "JournalMemo": MEMO_LENGTH,
    "DocumentLines.ItemDescription": TEXT_LENGTH,
}

ROW = "DocumentLines[]."
MORE_HEADER_FIELDS = ("Project", "OriginalRefNo", "OriginalRefDate", "Indicator", "Reference1", "Reference2")
MORE_LINE_FIELDS = ("FreeText", "ShipDate", "LocationCode", "EmployeeCode")
"""Fields of SAP's documents that no default rule fills and customers ask for."""


class Targets(Collection[str]):
    """The fields that a rule may fill: those that documents have and posting does not compute, and `U_` ones."""

    def __init__(self) -> None:
        header = [name for name in (*HEADER, *MORE_HEADER_FIELDS) if name not in {*HEADER_COMPUTED, "DocumentLines"}]
        lines = [f"{ROW}{name}" for name in (*LINE, *MORE_LINE_FIELDS) if name not in ROW_COMPUTED]
        self._names = frozenset((*header, *lines))

    def __contains__(self, target: object) -> bool:
        return target in self._names or str(target).removeprefix(ROW).startswith("U_")

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._names))

    def __len__(self) -> int:
        return len(self._names)


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
