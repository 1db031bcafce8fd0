"""Posting, changing and cancelling purchase documents (contracts: SAP §8.3-8.5, §11 points 8 and 9)."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from syncengine.sandbox.sap_b1.calculation import ZERO, due_date, rounded, tax_rate
from syncengine.sandbox.sap_b1.company import LOCAL, Company
from syncengine.sandbox.sap_b1.errors import ServiceLayerError, business_error
from syncengine.sandbox.sap_b1.lines import BASE_SETS, LineBuilder, Taken

Document = dict[str, Any]

OBJECT_CODES = {
    "PurchaseInvoices": "oPurchaseInvoices",
    "PurchaseCreditNotes": "oPurchaseCreditNotes",
    "PurchaseDownPayments": "oPurchaseDownPayments",
    "PurchaseDeliveryNotes": "oPurchaseDeliveryNotes",
    "PurchaseOrders": "oPurchaseOrders",
}
SET_OF_CODE = {code: name for name, code in OBJECT_CODES.items()}
OBJECT_NUMBERS = {"PurchaseInvoices": 18, "PurchaseCreditNotes": 19, "PurchaseDownPayments": 204}
POSTABLE = ("PurchaseInvoices", "PurchaseCreditNotes", "PurchaseDownPayments")
CLOSED_LINE = {"LineStatus": "bost_Close", "RemainingOpenQuantity": ZERO, "OpenAmount": ZERO, "OpenAmountFC": ZERO}
PATCHABLE = {"Comments", "NumAtCard", "DocDueDate", "PaymentBlock", "AttachmentEntry"}


@dataclass
class Built:
    """A sound document not yet written, with what it takes from its bases."""

    set_name: str
    document: Document
    taken: list[Taken]


class Documents:
    """Everything that writes purchase documents."""

    def __init__(self, company: Company) -> None:
        self._company = company

    def build(self, set_name: str, given: Document) -> Built:
        """Checks and computes. Raises what SAP would answer."""
        if set_name not in POSTABLE:
            raise ServiceLayerError(-5006, "The requested action is not supported for this object.")
        header, vendor = self._header(set_name, given)
        builder = LineBuilder(self._company, header, vendor)
        header["DocumentLines"] = builder.build(given.get("DocumentLines") or [])
        header["DocumentAdditionalExpenses"] = builder.charges(given.get("DocumentAdditionalExpenses") or [])
        self._add_totals(header, given)
        self._withhold(header, vendor)
        self._instalments(header)
        self._check_duplicate(set_name, header)
        return Built(set_name, header, builder.taken)

    def post(self, built: Built) -> Document:
        """Writes the document and reduces its bases."""
        document, name = built.document, built.set_name
        document |= {
            "DocEntry": self._company.next_entry(name),
            "DocNum": self._company.next_number(name),
            "TransNum": self._company.next_transaction(),
        }
        self._company.collection(name).put(document["DocEntry"], document)
        for taken in built.taken:
            self._take(taken, document)
        return document

    def _header(self, set_name: str, given: Document) -> tuple[Document, Document]:
        day = given.get("DocDate") or self._company.today
        vendor = self._company.vendor(given.get("CardCode"), day)
        header = {name: value for name, value in given.items() if value is not None and name != "DocTotal"}
        header |= {"CardName": vendor["CardName"], "DocDate": day, "TaxDate": given.get("TaxDate") or day}
        header["DocType"] = given.get("DocType") or "dDocument_Items"
        header["DocObjectCode"] = OBJECT_CODES[set_name]
        self._currency(header, vendor)
        self._dates(header, vendor)
        self._company.branch(header.get("BPL_IDAssignedToInvoice"))
        return header | self._defaults(), vendor

    def _defaults(self) -> Document:
        return {
            "DocumentStatus": "bost_Open",
            "CancelStatus": "csNo",
            "Cancelled": "tNO",
            "Confirmed": "tYES",
            "AuthorizationStatus": "dasWithout",
            "Series": 15,
            "PaidToDate": ZERO,
            "PaidToDateFC": ZERO,
            "CreationDate": self._company.today,
            "DataVersion": 1,
            **self._company.stamps(),
        }

    def _currency(self, header: Document, vendor: Document) -> None:
        own = vendor.get("Currency")
        header.setdefault("DocCurrency", own if own and own != "##" else LOCAL)
        if not header.get("DocRate") or header["DocCurrency"] == LOCAL:
            header["DocRate"] = self._company.rate(header["DocCurrency"], header["DocDate"])

    def _dates(self, header: Document, vendor: Document) -> None:
        header.setdefault("PaymentGroupCode", vendor.get("PayTermsGrpCode", -1))
        term = self._company.collection("PaymentTermsTypes").get(header["PaymentGroupCode"])
        if term is None:
            raise business_error(f"Enter valid code  [OPCH.GroupNum] , '{header['PaymentGroupCode']}'")
        base = {"bld_PostingDate": header["DocDate"], "bld_SystemDate": self._company.today}
        header.setdefault("DocDueDate", due_date(term, base.get(term["BaselineDate"]) or header["TaxDate"]))
        period = self._company.period(header["DocDate"])
        if not period["TaxDateFrom"] <= header["TaxDate"] <= period["TaxDateTo"]:
            raise business_error("Date deviates from permissible range  [OPCH.TaxDate]")
        if not period["ValueDateFrom"] <= header["DocDueDate"] <= period["ValueDateTo"]:
            raise business_error("Date deviates from permissible range  [OPCH.DocDueDate]")

    def _add_totals(self, header: Document, given: Document) -> None:
        lines, charges = header["DocumentLines"], header["DocumentAdditionalExpenses"]
        keep = (100 - (header.get("DiscountPercent") or ZERO)) / 100
        net = rounded(_sum(lines, "LineTotal") * keep) + _sum(charges, "LineTotal")
        net_fc = rounded(_sum(lines, "RowTotalFC") * keep) + _sum(charges, "LineTotalFC")
        header["VatSum"] = rounded(_sum(lines, "TaxTotal") * keep) + _sum(charges, "TaxSum")
        header["VatSumFc"] = rounded(_sum(lines, "NetTaxAmountFC") * keep) + _sum(charges, "TaxSumFC")
        rounding = (header.get("RoundingDiffAmount") or ZERO) if header.get("Rounding") == "tYES" else ZERO
        header["DocTotal"] = net + header["VatSum"] + rounding
        header["DocTotalFc"] = net_fc + header["VatSumFc"]
        sent = given.get("DocTotal")
        if sent is not None and sent != header["DocTotal"]:
            # SAP turns the difference into a discount (contracts: SAP §8.4).
            header |= {"TotalDiscount": header["DocTotal"] - sent, "DocTotal": sent}
        if header["DocTotal"] < 0:
            raise business_error("Document total value must be zero or greater than zero")

    def _withhold(self, header: Document, vendor: Document) -> None:
        """Tax withheld from what is paid: asked for by lines, for a vendor that is subject to it."""
        liable = [line for line in header["DocumentLines"] if line.get("WTLiable") == "tYES"]
        subject = vendor.get("SubjectToWithholdingTax") in {"boYES", "tYES"}
        header |= {"WTAmount": ZERO, "WTAmountFC": ZERO}
        asked: Document = next(iter(header.get("WithholdingTaxDataCollection") or []), {})
        code = self._withholding_code(asked.get("WTCode"))
        if not liable or not subject or code is None:
            return
        rate = tax_rate({"VatGroups_Lines": code["WithholdingTaxCodes_Lines"]}, header["DocDate"]) or ZERO
        taxable = asked.get("TaxableAmount") or _sum(liable, "LineTotal")
        header["WTAmount"] = rounded(taxable * rate / 100)
        header["WTAmountFC"] = rounded(_sum(liable, "RowTotalFC") * rate / 100)
        header["DocTotal"] -= header["WTAmount"]
        header["DocTotalFc"] -= header["WTAmountFC"]

    def _withholding_code(self, asked: str | None) -> Document | None:
        """The code that the document names, else the company's first."""
        codes = self._company.collection("WithholdingTaxCodes")
        if not asked:
            return next(iter(codes.values()), None)
        if asked not in codes:
            raise business_error(f"Enter valid code  [WithholdingTaxDataCollection.WTCode] , '{asked}'")
        return codes[asked]

    def _instalments(self, header: Document) -> None:
        term = self._company.collection("PaymentTermsTypes")[header["PaymentGroupCode"]]
        count = int(term["NumberOfInstallments"])
        if count < 2 or header.get("DocumentInstallments"):
            return
        share = rounded(header["DocTotal"] / count)
        totals = [share] * (count - 1) + [header["DocTotal"] - share * (count - 1)]
        header["DocumentInstallments"] = [
            {
                "InstallmentId": number,
                "DueDate": header["DocDueDate"],
                "Total": total,
                "Percentage": Decimal(100) / count,
            }
            for number, total in enumerate(totals, start=1)
        ]
        header["NumberOfInstallments"] = count

    def _check_duplicate(self, set_name: str, header: Document) -> None:
        if not self._company.settings["duplicate_block"] or not header.get("NumAtCard"):
            return
        for other in self._company.collection(set_name).values():
            same = other["CardCode"] == header["CardCode"] and other.get("NumAtCard") == header["NumAtCard"]
            if same and other["CancelStatus"] == "csNo":
                raise ServiceLayerError(
                    -10, f"Vendor reference number already exists  [OPCH.NumAtCard] , '{header['NumAtCard']}'"
                )

    def _take(self, taken: Taken, document: Document) -> None:
        base = self._company.collection(taken.set_name)[taken.entry]
        line = _line(base, taken.line)
        if taken.set_name == "PurchaseInvoices":
            taking = document["DocumentLines"][taken.number]
            self.settle(base, _gross(taking), _gross_fc(taking))
        change_open(line, -taken.quantity)
        if all(entry["LineStatus"] == "bost_Close" for entry in base["DocumentLines"]):
            base["DocumentStatus"] = "bost_Close"
        self._bump(taken.set_name, base)

    def _bump(self, set_name: str, document: Document) -> None:
        """A line-only effect: the version moves, the stamps do not (contracts: SAP §9)."""
        document["DataVersion"] = document.get("DataVersion", 1) + 1
        self._company.collection(set_name).put(document["DocEntry"], document)

    def settle(self, invoice: Document, amount: Decimal, amount_fc: Decimal) -> None:
        """Raises (or lowers) what is paid of an invoice; it closes at nothing open and opens again above it."""
        invoice["PaidToDate"] = invoice.get("PaidToDate", ZERO) + amount
        invoice["PaidToDateFC"] = invoice.get("PaidToDateFC", ZERO) + amount_fc
        closed = invoice["PaidToDate"] >= invoice["DocTotal"] and invoice["PaidToDateFC"] >= invoice["DocTotalFc"]
        invoice["DocumentStatus"] = "bost_Close" if closed else "bost_Open"
        self._bump("PurchaseInvoices", invoice)

    def patch(self, set_name: str, document: Document, changes: Document) -> None:
        """Only few header fields may change after posting."""
        fixed = [name for name in changes if name not in PATCHABLE and not name.startswith("U_")]
        if fixed and set_name != "Drafts":
            raise ServiceLayerError(-1029, f"Field cannot be updated (ODBC -1029)  [{fixed[0]}]")
        document |= changes
        self._company.touch(set_name, document)

    def close(self, set_name: str, document: Document) -> None:
        if document["DocumentStatus"] == "bost_Close":
            raise business_error("Document is already closed")
        for line in document["DocumentLines"]:
            close_line(document, line["LineNum"])
        self._company.touch(set_name, document)

    def cancel(self, set_name: str, document: Document, more: Document | None = None) -> Document | None:
        """Orders and drafts are only marked; posted documents get a mirror and give back what they took."""
        if document["CancelStatus"] != "csNo":
            raise business_error("Document has already been cancelled")
        if set_name in POSTABLE:
            self._company.period(document["DocDate"])
            if document["DocumentStatus"] == "bost_Close" or document.get("PaidToDate"):
                raise business_error("Document is paid, partly paid or credited and cannot be cancelled")
        document |= {"CancelStatus": "csYes", "Cancelled": "tYES", "DocumentStatus": "bost_Close"}
        if set_name == "Drafts":
            document["AuthorizationStatus"] = "dasCancelled"
        mirror = self._mirror(set_name, document, more or {}) if set_name in POSTABLE else None
        for line in document["DocumentLines"]:
            line.update(CLOSED_LINE)
        self._company.touch(set_name, document)
        return mirror

    def _mirror(self, set_name: str, document: Document, more: Document) -> Document:
        mirror = deepcopy(document) | self._defaults() | more
        mirror |= {
            "DocEntry": self._company.next_entry(set_name),
            "DocNum": self._company.next_number(set_name),
            "TransNum": self._company.next_transaction(),
            "CancelStatus": "csCancellation",
            "DocumentStatus": "bost_Close",
        }
        for line in mirror["DocumentLines"]:
            line.update(CLOSED_LINE)
            line.update(BaseType=OBJECT_NUMBERS[set_name], BaseEntry=document["DocEntry"], BaseLine=line["LineNum"])
        self._company.collection(set_name).put(mirror["DocEntry"], mirror)
        self._give_back(document)
        return mirror

    def double(self, set_name: str, document: Document) -> Document:
        """Posts it a second time behind everybody's back: the same words, marks and sums under numbers of its own."""
        copy = deepcopy(document) | self._defaults()
        copy["TransNum"] = self._company.next_transaction()
        copy |= {"DocEntry": self._company.next_entry(set_name), "DocNum": self._company.next_number(set_name)}
        self._company.collection(set_name).put(copy["DocEntry"], copy)
        return copy

    def _give_back(self, document: Document) -> None:
        for line in document["DocumentLines"]:
            set_name = BASE_SETS.get(line["BaseType"])
            if set_name is None:
                continue
            base = self._company.collection(set_name)[line["BaseEntry"]]
            change_open(_line(base, line["BaseLine"]), line["Quantity"])
            base["DocumentStatus"] = "bost_Open"
            if set_name == "PurchaseInvoices":
                self.settle(base, -_gross(line), -_gross_fc(line))
            self._bump(set_name, base)


def change_open(line: Document, quantity: Decimal) -> None:
    """Takes a quantity from a base line (negative) or gives it back, and closes or opens the line.

    What is open in money is the line's own share at its own price and rate, whatever was invoiced. A line without
    quantity goes and comes as a whole.
    """
    if line["Quantity"]:
        line["RemainingOpenQuantity"] += quantity
        share = line["RemainingOpenQuantity"] / line["Quantity"]
    else:
        share = Decimal(line["LineStatus"] == "bost_Close")
    line["OpenAmount"], line["OpenAmountFC"] = rounded(line["LineTotal"] * share), rounded(line["RowTotalFC"] * share)
    line["LineStatus"] = "bost_Open" if share > 0 else "bost_Close"


def close_line(document: Document, number: int) -> None:
    """Closes one line; with the last open one the document closes."""
    _line(document, number).update(CLOSED_LINE)
    if all(line["LineStatus"] == "bost_Close" for line in document["DocumentLines"]):
        document["DocumentStatus"] = "bost_Close"


def _gross(line: Document) -> Decimal:
    """What a line of a credit note settles of the invoice it is based on, tax included."""
    return Decimal(line["LineTotal"] + line["TaxTotal"])


def _gross_fc(line: Document) -> Decimal:
    return Decimal(line["RowTotalFC"] + line["NetTaxAmountFC"])


def _line(document: Document, number: int) -> Document:
    for line in document["DocumentLines"]:
        if line["LineNum"] == number:
            found: Document = line
            return found
    raise KeyError(number)


def _sum(lines: list[Document], name: str) -> Decimal:
    return sum((line.get(name) or ZERO for line in lines), ZERO)
