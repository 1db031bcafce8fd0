"""Outgoing payments: what they settle, their cancellation, and a pay run for the demo (contracts: SAP §8.6)."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from syncengine.sandbox.sap_b1.calculation import ZERO, rounded
from syncengine.sandbox.sap_b1.company import LOCAL, Company
from syncengine.sandbox.sap_b1.documents import Documents
from syncengine.sandbox.sap_b1.errors import business_error, does_not_exist

Document = dict[str, Any]

SETTLED_SETS = {"it_PurchaseInvoice": "PurchaseInvoices"}
MARK = "Basware "
PARTIAL_SHARE = Decimal("0.4")
CASH_DISCOUNT = Decimal("0.02")


class Payments:
    def __init__(self, company: Company, documents: Documents) -> None:
        self._company, self._documents = company, documents

    def post(self, given: Document) -> Document:
        """Checks, writes, and raises PaidToDate of the invoices; what is open at nothing closes."""
        day = given.get("DocDate") or self._company.today
        vendor = self._company.collection("BusinessPartners").get(given.get("CardCode") or "")
        if vendor is None:
            raise business_error("Enter valid code  [OVPM.CardCode]")
        self._company.period(day)
        lines = [self._line(number, line, given) for number, line in enumerate(given.get("PaymentInvoices") or [])]
        self._check_sums(lines, given)
        payment = {name: value for name, value in given.items() if value is not None}
        entry = self._company.next_entry("VendorPayments")
        payment |= {
            "DocEntry": entry,
            "DocNum": self._company.next_number("VendorPayments"),
            "DocType": given.get("DocType") or "rSupplier",
            "CardName": vendor["CardName"],
            "DocDate": day,
            "DocCurrency": given.get("DocCurrency") or LOCAL,
            "Cancelled": "tNO",
            "CancelStatus": "csNo",
            "AuthorizationStatus": "pasWithout",
            "PaymentInvoices": [line | {"DocNum": entry} for line in lines],
        }
        self._company.collection("VendorPayments").put(entry, payment)
        self._apply(payment, 1)
        return payment

    def _line(self, number: int, given: Document, payment: Document) -> Document:
        kind = given.get("InvoiceType") or "it_PurchaseInvoice"
        line = {name: value for name, value in given.items() if value is not None}
        line |= {"LineNum": number, "InvoiceType": kind, "InstallmentId": given.get("InstallmentId") or 1}
        if kind not in SETTLED_SETS:
            return line
        invoice = self._company.collection(SETTLED_SETS[kind]).get(given.get("DocEntry") or 0)
        if invoice is None or invoice["CardCode"] != payment.get("CardCode") or invoice["CancelStatus"] != "csNo":
            raise business_error(f"Enter valid code  [PaymentInvoices.DocEntry][line: {number}]")
        if invoice["DocCurrency"] == LOCAL:
            line = {"SumApplied": open_amount(invoice)} | line | {"AppliedFC": ZERO}
        else:
            _apply_foreign(line, invoice)
        return line | {"AppliedSys": line["SumApplied"]}

    def _check_sums(self, lines: list[Document], given: Document) -> None:
        """No invoice is paid beyond what is open over all lines, nor more applied than the payment means hold."""
        asked: Counter[int] = Counter()
        for line in lines:
            if line["InvoiceType"] not in SETTLED_SETS:
                continue
            invoice = self._company.collection(SETTLED_SETS[line["InvoiceType"]])[line["DocEntry"]]
            foreign = invoice["DocCurrency"] != LOCAL
            applied, discount = ("AppliedFC", "TotalDiscountFC") if foreign else ("SumApplied", "TotalDiscount")
            asked[line["DocEntry"]] += line[applied] + line.get(discount, ZERO)
            if asked[line["DocEntry"]] > (open_amount_fc(invoice) if foreign else open_amount(invoice)):
                place = f"[PaymentInvoices.SumApplied][line: {line['LineNum']}]"
                raise business_error(f"Amount applied exceeds the open amount  {place}")
        total = sum((line.get("SumApplied", ZERO) for line in lines), ZERO)
        if (given.get("DocCurrency") or LOCAL) == LOCAL and total > means_total(given):
            raise business_error("Payment means do not cover the amount applied  [OVPM.TrsfrSum]")

    def _apply(self, payment: Document, sign: int) -> None:
        for line in payment["PaymentInvoices"]:
            if line["InvoiceType"] in SETTLED_SETS:
                invoice = self._company.collection(SETTLED_SETS[line["InvoiceType"]])[line["DocEntry"]]
                paid = line["SumApplied"] + (line.get("TotalDiscount") or ZERO)
                paid_fc = line["AppliedFC"] + (line.get("TotalDiscountFC") or ZERO)
                self._documents.settle(invoice, sign * paid, sign * paid_fc)

    def cancel(self, entry: int) -> Document:
        """Flips the old record; a mirror appears only where the setting says so (contracts: SAP §12 point 4)."""
        payment = self._company.collection("VendorPayments").get(entry)
        if payment is None:
            raise does_not_exist(entry)
        if payment["CancelStatus"] != "csNo":
            raise business_error("Payment has already been cancelled")
        payment |= {"Cancelled": "tYES", "CancelStatus": "csYes"}
        self._company.collection("VendorPayments").put(entry, payment)
        self._apply(payment, -1)
        if self._company.settings["payment_mirrors"]:
            self._mirror(payment)
        return payment

    def _mirror(self, payment: Document) -> None:
        entry = self._company.next_entry("VendorPayments")
        number = self._company.next_number("VendorPayments")
        mirror = payment | {"DocEntry": entry, "DocNum": number, "CancelStatus": "csCancellation", "Cancelled": "tNO"}
        self._company.collection("VendorPayments").put(entry, mirror)

    def pay(self, invoice: Document, share: Decimal | int = 1, discount: Decimal = ZERO) -> Document:
        """Pays a share of what is open by transfer, less the discount."""
        foreign = invoice["DocCurrency"] != LOCAL
        gross, gross_fc = rounded(open_amount(invoice) * share), rounded(open_amount_fc(invoice) * share)
        off, off_fc = rounded(gross * discount), rounded(gross_fc * discount)
        line = {"DocEntry": invoice["DocEntry"], "InvoiceType": "it_PurchaseInvoice", "SumApplied": gross - off}
        line |= {"TotalDiscount": off, "TotalDiscountFC": off_fc if foreign else ZERO}
        if foreign:
            line |= {"AppliedFC": gross_fc - off_fc}
        return self.post(
            {
                "CardCode": invoice["CardCode"],
                "DocCurrency": invoice["DocCurrency"],
                "TransferAccount": "1902",
                "TransferSum": gross - off,
                "TransferDate": self._company.today,
                "TransferReference": f"RF {invoice['DocNum']}",
                "PaymentInvoices": [line],
            }
        )

    def pay_run(self) -> list[Document]:
        """Pays every third invoice that came from Basware, by vendor and number; a second run pays only new ones.

        Of the payments every fourth is partial, those with a cash discount term take it, and the last one is full and
        cancelled again.
        """
        chosen = [invoice for invoice in self._posted_invoices()[::3] if not invoice.get("PaidToDate")]
        chosen = [invoice for invoice in chosen if invoice["DocEntry"] not in self._paid_entries()]
        made = []
        for place, invoice in enumerate(chosen):
            last = place == len(chosen) - 1
            partial = place % 4 == 1 and not last
            made.append(self.pay(invoice, PARTIAL_SHARE if partial else 1, self._discount(invoice, partial=partial)))
        if made:
            self.cancel(made[-1]["DocEntry"])
        return made

    def _posted_invoices(self) -> list[Document]:
        invoices = self._company.collection("PurchaseInvoices").values()
        ours = [invoice for invoice in invoices if _is_from_basware(invoice) and invoice["CancelStatus"] == "csNo"]
        payable = [invoice for invoice in ours if invoice.get("PaymentBlock") != "tYES"]
        return sorted(payable, key=lambda invoice: (invoice["CardCode"], invoice.get("NumAtCard") or ""))

    def _paid_entries(self) -> set[int]:
        payments = self._company.collection("VendorPayments").values()
        return {line["DocEntry"] for payment in payments for line in payment["PaymentInvoices"]}

    def _discount(self, invoice: Document, *, partial: bool) -> Decimal:
        term = self._company.collection("PaymentTermsTypes").get(invoice["PaymentGroupCode"]) or {}
        return CASH_DISCOUNT if term.get("DiscountCode") and not partial else ZERO


def _apply_foreign(line: Document, invoice: Document) -> None:
    """Completes the amounts of a line by the invoice's rate; whoever pays all that is open pays the local rest too."""
    rate, off, off_fc = invoice["DocRate"], line.get("TotalDiscount", ZERO), line.get("TotalDiscountFC", ZERO)
    if not line.get("AppliedFC"):
        given = line.get("SumApplied")
        line["AppliedFC"] = open_amount_fc(invoice) - off_fc if given is None else foreign_share(invoice, given)
    whole = line["AppliedFC"] + off_fc == open_amount_fc(invoice)
    rest = open_amount(invoice) - off
    line["SumApplied"] = rest if whole else min(rounded(line["AppliedFC"] * rate), rest)


def foreign_share(invoice: Document, amount: Decimal) -> Decimal:
    """What a local amount settles in the currency of a foreign invoice, no more than is open; zero of a local one."""
    if amount >= open_amount(invoice):
        return open_amount_fc(invoice)
    return min(rounded(amount / invoice["DocRate"]), open_amount_fc(invoice))


def means_total(payment: Document) -> Decimal:
    """All that a payment pays with: it has no total of its own (contracts: SAP §8.6)."""
    single = [payment.get(name) or ZERO for name in ("CashSum", "TransferSum", "BillOfExchangeAmount")]
    checks = [check.get("CheckSum") or ZERO for check in payment.get("PaymentChecks") or []]
    cards = [card.get("CreditSum") or ZERO for card in payment.get("PaymentCreditCards") or []]
    return sum([*single, *checks, *cards], ZERO)


def open_amount(invoice: Document) -> Decimal:
    return Decimal(invoice["DocTotal"] - invoice.get("PaidToDate", ZERO))


def open_amount_fc(invoice: Document) -> Decimal:
    return Decimal(invoice["DocTotalFc"] - invoice.get("PaidToDateFC", ZERO))


def _is_from_basware(invoice: Document) -> bool:
    return bool(invoice.get("U_BW_InvoiceId") or (invoice.get("Comments") or "").startswith(MARK))
