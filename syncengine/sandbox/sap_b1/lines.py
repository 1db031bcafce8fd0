"""Lines and charges of a purchase document as it is posted: what they are based on, checked and priced.

Nothing is written here: a line that passes comes with what it will take from its base (`Taken`), which `documents`
applies once the whole document is sound.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from syncengine.sandbox.sap_b1.calculation import ZERO, charged_rate, rounded, tax_on, tax_rate
from syncengine.sandbox.sap_b1.company import LOCAL, Company
from syncengine.sandbox.sap_b1.errors import BASE_CLOSED, ServiceLayerError, business_error

Document = dict[str, Any]

BASE_SETS = {22: "PurchaseOrders", 20: "PurchaseDeliveryNotes", 18: "PurchaseInvoices"}
DIMENSIONS = ["CostingCode", "CostingCode2", "CostingCode3", "CostingCode4", "CostingCode5"]
INHERITED = [
    "ItemCode",
    "ItemDescription",
    "AccountCode",
    "VatGroup",
    "ProjectCode",
    "WarehouseCode",
    "MeasureUnit",
    *DIMENSIONS,
]


@dataclass(frozen=True)
class Taken:
    """What a line takes from the line it is based on."""

    set_name: str
    entry: int
    line: int
    quantity: Decimal
    number: int
    """The line that takes, within its own document."""


class LineBuilder:
    """Builds the lines of one document; `header` is the document so far, in stored form."""

    def __init__(self, company: Company, header: Document, vendor: Document) -> None:
        self._company, self._header, self._vendor = company, header, vendor
        self._day, self._currency, self._rate = header["DocDate"], header["DocCurrency"], header["DocRate"]
        self._asked: Counter[tuple[str, int, int]] = Counter()
        self.taken: list[Taken] = []

    @property
    def _foreign(self) -> bool:
        return bool(self._currency != LOCAL)

    def build(self, given: list[Document]) -> list[Document]:
        if not given:
            raise business_error("Document must contain at least one line  [DocumentLines]")
        return [self._line(number, line) for number, line in enumerate(given)]

    def _line(self, number: int, given: Document) -> Document:
        base = self._base(number, given)
        line = {name: base[1][name] for name in INHERITED if name in base[1]} if base else {}
        line |= {name: value for name, value in given.items() if value is not None}
        line |= {"LineNum": number, "VisualOrder": number, "LineStatus": "bost_Open"}
        line.setdefault("BaseType", -1)
        self._check_codes(number, line)
        group = self._company.vat_group(line.get("VatGroup") or self._vendor.get("VatGroup"), number)
        rate = self._tax_rate(group, number)
        net = self._net(number, line, given, base)
        line |= {"VatGroup": group["Code"], "TaxPercentagePerRow": rate, **self._amounts(line, net, rate)}
        return line

    def _tax_rate(self, group: Document, number: int) -> Decimal:
        if tax_rate(group, self._header["TaxDate"]) is None:
            raise business_error(
                f"Tax group '{group['Code']}' has no rate yet  [DocumentLines.VatGroup][line: {number}]"
            )
        return charged_rate(group, self._header["TaxDate"])

    def _base(self, number: int, given: Document) -> tuple[Document, Document] | None:
        base_type = given.get("BaseType", -1)
        if base_type == -1:
            return None
        set_name = self._base_set(base_type, number)
        document = self._company.collection(set_name).get(given.get("BaseEntry") or 0)
        lines = document["DocumentLines"] if document else []
        line = next((line for line in lines if line["LineNum"] == given.get("BaseLine")), None)
        if document is None or line is None:
            raise ServiceLayerError(-2028, f"No matching records found  [DocumentLines.BaseEntry][line: {number}]")
        self._check_base(number, document, line)
        return document, line

    def _base_set(self, base_type: int, number: int) -> str:
        allowed = {18} if self._header["DocObjectCode"] == "oPurchaseCreditNotes" else {20, 22}
        if base_type not in allowed:
            raise business_error(f"Enter valid code  [DocumentLines.BaseType][line: {number}] , '{base_type}'")
        return BASE_SETS[base_type]

    def _check_base(self, number: int, document: Document, line: Document) -> None:
        if document["CardCode"] != self._header["CardCode"]:
            raise business_error("Base document card and target document card do not match.")
        if document["DocType"] != self._header["DocType"]:
            raise business_error("234103405 - Base document type and target document type do not match")
        closed = "bost_Close" in {document["DocumentStatus"], line["LineStatus"]}
        if closed or document["CancelStatus"] != "csNo":
            raise ServiceLayerError(-10, f"{BASE_CLOSED}  [DocumentLines.BaseEntry][line: {number}]")

    def _check_codes(self, number: int, line: Document) -> None:
        if self._header["DocType"] == "dDocument_Items":
            self._check_item(number, line)
        if self._header["DocType"] == "dDocument_Service" or line.get("AccountCode"):
            self._company.account(line.get("AccountCode"), self._day, number)
        for dimension, field in enumerate(DIMENSIONS, start=1):
            if line.get(field):
                self._company.costing_code(field, dimension, line[field], self._day, number)
        if line.get("ProjectCode"):
            self._company.project(line["ProjectCode"], self._day, number)

    def _check_item(self, number: int, line: Document) -> None:
        place = f"[DocumentLines.ItemCode][line: {number}]"
        if not line.get("ItemCode"):
            raise business_error(f"Item number is missing; specify an item number {place}")
        if line["ItemCode"] not in self._company.collection("Items"):
            raise business_error(f"Enter valid code  {place} , '{line['ItemCode']}'")

    def _net(self, number: int, line: Document, given: Document, base: tuple[Document, Document] | None) -> Decimal:
        """The line's net in the document's currency."""
        if base is None:
            return self._own_net(number, line)
        document, base_line = base
        set_name = BASE_SETS[line["BaseType"]]
        if not base_line["Quantity"]:
            # SAP takes what is open of a line without a quantity and ignores a smaller amount (contracts: SAP §8.4).
            net = Decimal(base_line["OpenAmountFC"] if self._foreign else base_line["OpenAmount"])
            line |= {"Quantity": ZERO, "UnitPrice": net}
        else:
            line.setdefault("Quantity", base_line["RemainingOpenQuantity"])
            if not {"UnitPrice", "Price", "LineTotal", "RowTotalFC"} & set(given):
                line["UnitPrice"] = base_line["UnitPrice"]
            net = self._own_net(number, line)
            self._check_quantity(number, line, base_line, (set_name, document["DocEntry"], base_line["LineNum"]))
        self.taken.append(Taken(set_name, document["DocEntry"], base_line["LineNum"], line["Quantity"], number))
        return net

    def _check_quantity(self, number: int, line: Document, base: Document, key: tuple[str, int, int]) -> None:
        """Over all lines on the same base no more than is open."""
        self._asked[key] += line["Quantity"]
        if line["Quantity"] <= 0 or self._asked[key] > base["RemainingOpenQuantity"]:
            raise business_error(
                f"Quantity exceeds the base document's open quantity  [DocumentLines.Quantity][line: {number}]"
            )

    def _own_net(self, number: int, line: Document) -> Decimal:
        quantity = line.get("Quantity") or Decimal(1)
        price = line.get("UnitPrice", line.get("Price"))
        if self._foreign and line.get("RowTotalFC"):
            net = line["RowTotalFC"]
        elif price is not None and (self._foreign or line.get("LineTotal") is None):
            net = self._in_document_currency(line, price) * quantity
        elif line.get("LineTotal") is not None:
            net = line["LineTotal"] / self._rate  # LineTotal is local currency whatever the document's
        else:
            raise business_error(f"Enter a price or total  [DocumentLines.LineTotal][line: {number}]")
        net = rounded(net * (100 - (line.get("DiscountPercent") or ZERO)) / 100)
        line["UnitPrice"] = price if price is not None else net / quantity
        return Decimal(net)

    def _in_document_currency(self, line: Document, price: Decimal) -> Decimal:
        currency = line.get("Currency") or self._currency
        if currency == self._currency:
            return price
        return Decimal(price * self._company.rate(currency, self._day) / self._rate)

    def _amounts(self, line: Document, net: Decimal, rate: Decimal) -> Document:
        local, foreign = rounded(net * self._rate), net if self._foreign else ZERO
        tax = tax_on(net, rate)
        return {
            "Price": line["UnitPrice"],
            "Currency": self._currency,
            "LineTotal": local,
            "RowTotalFC": foreign,
            "OpenAmount": local,
            "OpenAmountFC": foreign,
            "Quantity": line.get("Quantity") or ZERO,
            "RemainingOpenQuantity": line.get("Quantity") or ZERO,
            "TaxTotal": rounded(tax * self._rate),
            "NetTaxAmount": rounded(tax * self._rate),
            "NetTaxAmountFC": tax if self._foreign else ZERO,
        }

    def charges(self, given: list[Document]) -> list[Document]:
        """DocumentAdditionalExpenses: freight and the like."""
        return [self._charge(number, charge) for number, charge in enumerate(given)]

    def _charge(self, number: int, given: Document) -> Document:
        known = self._company.collection("AdditionalExpenses").get(given.get("ExpenseCode") or 0)
        if known is None:
            raise business_error(f"Enter valid code  [DocumentAdditionalExpenses.ExpenseCode][line: {number}]")
        self._check_charge_codes(number, given)
        group = self._company.vat_group(given.get("VatGroup") or known.get("InputVATGroup"), number)
        rate = self._tax_rate(group, number)
        field = "LineTotalFC" if self._foreign and given.get("LineTotalFC") else "LineTotal"
        net = rounded((given.get(field) or ZERO) / (self._rate if field == "LineTotal" else 1))
        tax = tax_on(net, rate)
        return given | {
            "LineNum": number,
            "VatGroup": group["Code"],
            "TaxPercent": rate,
            "LineTotal": rounded(net * self._rate),
            "LineTotalFC": net if self._foreign else ZERO,
            "TaxSum": rounded(tax * self._rate),
            "TaxSumFC": tax if self._foreign else ZERO,
            "Status": "bost_Open",
        }

    def _check_charge_codes(self, number: int, charge: Document) -> None:
        fields = ["DistributionRule", *(f"DistributionRule{dimension}" for dimension in range(2, 6))]
        for dimension, field in enumerate(fields, start=1):
            if charge.get(field):
                self._company.costing_code(field, dimension, charge[field], self._day, number)
        if charge.get("Project"):
            self._company.project(charge["Project"], self._day, number)
