"""The header of an approved invoice."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any

from syncengine.sandbox.dataset.finance import CURRENCIES
from syncengine.sandbox.dataset.values import day
from syncengine.sandbox.sap_b1.calculation import due_date

Document = dict[str, Any]

COMPANY_CODE, COMPANY_NAME, SOURCE_SYSTEM = "1000", "Nordic Industrial Supply Oy", "SAPB1"
ISO = {code: iso for code, iso, _, _ in CURRENCIES}
ODD_NUMBERS = {4: "R/2026&118+3", 9: "O'Hara 77", 14: "#55 % rebate", 21: "INV 12  b"}


def invoice_header(number: int, vendor: Document, term: Document, today: date) -> Document:
    """Everything but rows and sums of the invoice at this position."""
    invoice_id = sha256(f"{COMPANY_CODE} invoice {number}".encode()).hexdigest()[:32]
    invoiced, voucher = day(today, -3 - number % 25), day(today, -3 - number % 25 + number % 3)
    header: Document = {
        "invoiceId": invoice_id,
        "bumid": str(uuid.uuid5(uuid.NAMESPACE_URL, invoice_id)),
        "p2pProcessingMode": "Standard",
        "processingStatus": "WaitingForTransfer",
        "invoiceNumber": ODD_NUMBERS.get(number, f"{today.year}-{4100 + number * 17}"),
        "originService": 1,
        "companyCode": COMPANY_CODE,
        "companyName": COMPANY_NAME,
        "organizationCode": "NORD",
        "organizationName": "Nordic Group",
        "organizationElementCode": COMPANY_CODE,
        "organizationElementName": COMPANY_NAME,
        "supplierCode": vendor["CardCode"],
        "supplierName": vendor["CardName"],
        "supplierSourceSystemId": SOURCE_SYSTEM,
        "currencyCode": ISO[vendor["Currency"]],
        "invoiceDate": _stamp(invoiced),
        "baseLineDate": _stamp(invoiced),
        "invoiceTypeCode": "INV",
        "invoiceTypeName": "Expense invoice",
        "paymentBlock": number == 17,
        "prebooked": False,
        "paymentTermCode": str(term["GroupNumber"]),
        "paymentTermName": term["PaymentTermsGroupName"],
        "accountingPeriod": voucher[:7],
        "description": f"Invoice {number + 1} of {vendor['CardName']}",
        "referencePerson": "Anna Virtanen",
        "referenceNumber": f"{20260000 + number * 31} {number % 10}",
        "lastUpdated": f"{day(today, -1)}T{8 + number % 10:02d}:{number % 60:02d}:13Z",
        "attachments": [],
    }
    if number % 8 != 5:
        header["voucherDate"] = _stamp(voucher)
    if number % 6 != 4:
        header["dueDate"] = _stamp(due_date(term, invoiced))
    if term["DiscountCode"]:
        header["cashPercent"] = Decimal(2)
    return header | _bank_of(vendor)


def _stamp(iso_day: str) -> str:
    return f"{iso_day}T00:00:00Z"


def _bank_of(vendor: Document) -> Document:
    account = next(iter(vendor["BPBankAccounts"]), None)
    if account is None:
        return {}
    bank = {"supplierBankBIC": account["BICSwiftCode"], "supplierBankName": account["BankCode"]}
    if "IBAN" in account:
        return bank | {"supplierBankIBAN": account["IBAN"].replace(" ", "")}
    return bank | {"supplierBankBBAN": account["AccountNo"]}
