"""80 approved invoices as Basware hands them out; exactly four of them cannot be posted.

The plan is the table PLAN. Every number is derived from the invoice's position, so the same day gives the same set.
Totals are exact: each row's tax is its net times the code's rate on the invoice date, rounded half up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any

from syncengine.sandbox.dataset.finance import CURRENCIES
from syncengine.sandbox.dataset.headers import invoice_header
from syncengine.sandbox.dataset.orders import Order, OrderBook
from syncengine.sandbox.dataset.partners import ORDINARY
from syncengine.sandbox.sap_b1.calculation import rounded, tax_on, tax_rate

Document = dict[str, Any]

PLAN = [
    ("service", 30),
    ("tax_split", 8),
    ("order", 8),
    ("service_order", 5),
    ("receipt", 13),
    ("foreign_service", 4),
    ("foreign_order", 1),
    ("foreign_receipt", 1),
    ("credit", 6),
    ("unknown_codes", 1),
    ("frozen_vendor", 1),
    ("closed_line", 1),
    ("sums_disagree", 1),
]
BAD_KINDS = ("unknown_codes", "frozen_vendor", "closed_line", "sums_disagree")
RATES = {code: Decimal(rate) for code, _, _, rate in CURRENCIES}
COST_ACCOUNTS = ["6701", "6702", "6501", "6304", "6401", "6007", "6801", "6601", "6305", "6503", "6707", "5006"]
COST_CENTERS = ["ADM", "FIN", "HR", "IT", "MKT", "PUR", "HEL", "TRE", "OUL", "TKU", "SRV", "S-HQ"]
PROJECTS = [None, None, "P001", None, "P003", None, "P002"]
LONG_TEXT = "Condition monitoring of the conveyor drives in the central warehouse, spring round, with report " * 2


class InvoiceBook:
    """Makes the invoices from the ledger and the orders of the data set."""

    def __init__(self, today: date, book: OrderBook, ledger: dict[str, list[Document]]) -> None:
        self.today, self._book = today, book
        self._vat = {group["Code"]: group for group in ledger["VatGroups"]}
        self._terms = {term["GroupNumber"]: term for term in ledger["PaymentTermsTypes"]}
        self._accounts = {account["Code"]: account["Name"] for account in ledger["ChartOfAccounts"]}
        self._centers = {rule["FactorCode"]: rule["FactorDescription"] for rule in ledger["DistributionRules"]}
        suppliers = [partner for partner in ledger["BusinessPartners"] if partner["CardType"] == "cSupplier"]
        self._partners = {partner["CardCode"]: partner for partner in suppliers}
        ordinary = suppliers[:ORDINARY]
        self._domestic = [partner for partner in ordinary if partner["Country"] == "FI"]
        self._german = [partner for partner in ordinary if partner["Country"] == "DE"]
        self._foreign = [partner for partner in ordinary if partner["Currency"] in {"$", "SKR", "GBP"}]
        self._frozen = suppliers[ORDINARY]
        self._unmatched: dict[str, Callable[[Document, int], list[Document]]] = {
            "service": self._service_rows,
            "frozen_vendor": self._service_rows,
            "sums_disagree": self._service_rows,
            "tax_split": self._tax_split_rows,
            "foreign_service": self._foreign_service_rows,
            "credit": self._credit_rows,
            "unknown_codes": self._unknown_codes_rows,
        }
        self._matched: dict[str, Callable[[Document, int, Order], list[Document]]] = {
            "order": self._order_rows,
            "foreign_order": self._order_rows,
            "service_order": self._service_order_rows,
            "receipt": self._receipt_rows,
            "foreign_receipt": self._foreign_receipt_rows,
            "closed_line": self._closed_line_rows,
        }
        self._finishers: dict[str, Callable[[Document, int], None]] = {
            "service": self._finish_service,
            "credit": self._finish_credit,
            "sums_disagree": self._finish_sums_disagree,
        }

    def invoices(self) -> list[Document]:
        return [self._invoice(number, kind, place) for number, (kind, place) in enumerate(_planned())]

    def _invoice(self, number: int, kind: str, place: int) -> Document:
        order = self._order_of(kind, place)
        vendor = self._partners[order.document["CardCode"]] if order else self._vendor(kind, number, place)
        header = invoice_header(number, vendor, self._terms[vendor["PayTermsGrpCode"]], self.today)
        header["codingRows"] = (
            self._matched[kind](header, place, order) if order else self._unmatched[kind](header, place)
        )
        self._add_sums(header, vendor["Currency"])
        if kind in self._finishers:
            self._finishers[kind](header, place)
        return header

    def _order_of(self, kind: str, place: int) -> Order | None:
        source = {
            "order": "open",
            "service_order": "service",
            "foreign_order": "foreign",
            "foreign_receipt": "foreign_received",
            "closed_line": "closed_line",
        }.get(kind)
        if kind == "receipt":
            return self._book.of("partly_received")[place] if place < 8 else self._book.of("received")[place - 8]
        return self._book.of(source)[place] if source else None

    def _vendor(self, kind: str, number: int, place: int) -> Document:
        if kind == "frozen_vendor":
            return self._frozen
        if kind == "foreign_service" or (kind == "credit" and place == 5):
            return self._foreign[(place * 9 + 1) % len(self._foreign)]
        if kind == "service" and place % 10 == 6:
            return self._german[place % len(self._german)]
        return self._domestic[(number * 7 + 3) % len(self._domestic)]

    def _row(self, header: Document, index: int, net: Decimal, tax_code: str, **more: Any) -> Document:
        """A coding row with its sums; `more` overrides what it holds."""
        group = self._vat[tax_code]
        rate = tax_rate(group, header["invoiceDate"][:10]) or Decimal(0)
        reverse = group["AcquisitionReverse"] == "tYES"
        tax, owed = (Decimal(0), tax_on(net, rate)) if reverse else (tax_on(net, rate), Decimal(0))
        row: Document = {
            "externalCode": sha256(f"{header['invoiceId']} row {index}".encode()).hexdigest()[:32],
            "rowIndex": index,
            "netTotal": net,
            "taxCode": tax_code,
            "taxPercent": Decimal(0) if reverse else rate,
            "taxSum": tax,
            "grossTotal": net + tax,
            "plannedAdditionalCostType": 0,
        }
        if reverse:
            row |= {"taxPercent2": rate, "taxSum2": owed}
        row |= {key: value for key, value in more.items() if value is not None}
        return row | self._names(row)

    def _names(self, row: Document) -> Document:
        names = {"accountName": self._accounts.get(row.get("accountCode", ""))}
        names["costCenterName"] = self._centers.get(row.get("costCenterCode", ""))
        return {key: value for key, value in names.items() if value is not None}

    def _cost_row(self, header: Document, index: int, seed: int, tax_code: str, net: Decimal | None = None) -> Document:
        """A row without an order."""
        return self._row(
            header,
            index,
            _amount(seed) if net is None else net,
            tax_code,
            accountCode=COST_ACCOUNTS[seed % len(COST_ACCOUNTS)],
            costCenterCode=COST_CENTERS[(seed * 5) % len(COST_CENTERS)],
            projectCode=PROJECTS[seed % len(PROJECTS)],
        )

    def _service_rows(self, header: Document, place: int) -> list[Document]:
        """One to three rows, numbers with gaps; every tenth from Germany under reverse charge; one with a discount."""
        code = "IRC" if place % 10 == 6 else ("IND" if place % 10 == 3 else "I255")
        rows = [self._cost_row(header, (index + 1) * 10, place * 3 + index, code) for index in range(1 + place % 3)]
        if place == 8:
            rows.append(self._cost_row(header, 5, 99, code, Decimal("-25.00")))
        if place == 11:
            rows[0]["lastComment"] = LONG_TEXT
        return rows

    def _finish_service(self, header: Document, place: int) -> None:
        if place == 12:  # the tax code stands on the header alone
            header["description"] = LONG_TEXT[:200]
            for row in header["codingRows"]:
                del row["taxCode"]

    def _tax_split_rows(self, header: Document, place: int) -> list[Document]:
        codes = ["I255", "I135", "I10"] if place % 2 else ["I255", "I0"]
        return [
            self._cost_row(header, index, place * 5 + index + 40, code) for index, code in enumerate(codes, start=1)
        ]

    def _foreign_service_rows(self, header: Document, place: int) -> list[Document]:
        return [self._cost_row(header, index, place * 4 + index + 60, "IRC") for index in range(1, 2 + place % 2)]

    def _credit_rows(self, header: Document, place: int) -> list[Document]:
        code = "IRC" if place == 5 else "I255"
        rows = [self._cost_row(header, 1, place + 80, code, -_amount(place + 80))]
        if place == 2:
            rows.append(self._cost_row(header, 2, 7, code, Decimal("10.00")))
        return rows

    def _finish_credit(self, header: Document, place: int) -> None:
        header |= {"invoiceTypeCode": "CRN", "invoiceTypeName": "Credit note"}

    def _matched_row(
        self,
        header: Document,
        index: int,
        matched: tuple[Order, Document],
        quantity: Decimal,
        net: Decimal,
        **more: Any,
    ) -> Document:
        """A row matched to an order line, as the product sent that line to Basware."""
        order, line = matched
        return self._row(
            header,
            index,
            net,
            line["VatGroup"],
            accountCode=line["AccountCode"],
            costCenterCode=line.get("CostingCode"),
            projectCode=line.get("ProjectCode"),
            matchingType=0,
            orderNumber=str(order.document["DocNum"]),
            orderLineNumber=str(line["LineNum"] + 1),
            orderedQuantity=line["Quantity"] or Decimal(1),
            orderedNetPrice=line["UnitPrice"],
            matchedQuantity=quantity,
            matchedNetSum=net,
            allocatedQuantity=more.pop("allocatedQuantity", quantity),
            productCode=line.get("ItemCode"),
            orderLineDescription=line["ItemDescription"],
            **more,
        )

    def _order_rows(self, header: Document, place: int, order: Order) -> list[Document]:
        """Whole lines, but the last of every second order only in part."""
        rows = []
        for index, line in enumerate(order.lines, start=1):
            part = place % 2 and index == len(order.lines)
            quantity = line["Quantity"] // 2 if part else line["Quantity"]
            rows.append(
                self._matched_row(header, index, (order, line), quantity, rounded(quantity * line["UnitPrice"]))
            )
        return rows

    def _service_order_rows(self, header: Document, place: int, order: Order) -> list[Document]:
        """Lines without a quantity are invoiced whole, those with one for one month."""
        line = order.lines[0]
        return [self._matched_row(header, 1, (order, line), Decimal(1), line["UnitPrice"])]

    def _receipt_rows(self, header: Document, place: int, order: Order) -> list[Document]:
        """The first names no receipts; the fifth splits each received line into two coding rows."""
        if place == 0:
            return self._rows_without_receipt(header, order)
        return self._rows_by_receipt(header, order, split=place == 4)

    def _foreign_receipt_rows(self, header: Document, place: int, order: Order) -> list[Document]:
        return self._rows_by_receipt(header, order, split=False)

    def _rows_by_receipt(self, header: Document, order: Order, *, split: bool) -> list[Document]:
        rows: list[Document] = []
        for receipt in order.receipts:
            for line in receipt["DocumentLines"]:
                rows += self._received_rows(header, len(rows) + 1, order, receipt, line, split=split)
        return rows

    def _rows_without_receipt(self, header: Document, order: Order) -> list[Document]:
        """Matched to the order alone though it has two receipts: the product has to spread it over them.

        At these quantities the tax of the parts is that of the whole.
        """
        rows = []
        for index, line in enumerate(order.lines, start=1):
            received = [entry for receipt in order.receipts for entry in receipt["DocumentLines"]]
            quantity = sum(
                (entry["Quantity"] for entry in received if entry["BaseLine"] == line["LineNum"]), Decimal(0)
            )
            rows.append(
                self._matched_row(header, index, (order, line), quantity, rounded(quantity * line["UnitPrice"]))
            )
        return rows

    def _received_rows(
        self, header: Document, index: int, order: Order, receipt: Document, line: Document, *, split: bool
    ) -> Iterator[Document]:
        ordered = next(entry for entry in order.lines if entry["LineNum"] == line["BaseLine"])
        half = line["Quantity"] // 2
        parts = [half, line["Quantity"] - half] if split and half else [line["Quantity"]]
        for offset, quantity in enumerate(parts):
            yield self._matched_row(
                header,
                index + offset,
                (order, ordered),
                line["Quantity"],
                rounded(quantity * line["UnitPrice"]),
                allocatedQuantity=quantity,
                goodsReceiptNumber=str(receipt["DocNum"]),
                goodsReceiptItemNumber=str(line["LineNum"] + 1),
                deliveryNoteNumber=receipt["NumAtCard"],
                receivedQuantity=line["Quantity"],
                receivedNetPrice=line["UnitPrice"],
                receivedNetTotal=rounded(line["Quantity"] * line["UnitPrice"]),
            )

    def _closed_line_rows(self, header: Document, place: int, order: Order) -> list[Document]:
        line = order.lines[0]
        net = rounded(line["Quantity"] * line["UnitPrice"])
        return [self._matched_row(header, 1, (order, line), line["Quantity"], net)]

    def _unknown_codes_rows(self, header: Document, place: int) -> list[Document]:
        row = self._cost_row(header, 1, 3, "I255")
        row |= {"accountCode": "699999", "accountName": "No such account", "taxCode": "I99"}
        return [row | {"costCenterCode": "NOWHERE", "costCenterName": "No such cost center"}]

    def _finish_sums_disagree(self, header: Document, place: int) -> None:
        header["netSum"] += Decimal(100)
        header["grossSum"] += Decimal(100)

    def _add_sums(self, header: Document, currency: str) -> None:
        rows = header["codingRows"]
        sums = {
            "netSum": _total(rows, "netTotal"),
            "taxSum1": _total(rows, "taxSum"),
            "taxSum2": _total(rows, "taxSum2"),
        }
        sums["grossSum"] = sums["netSum"] + sums["taxSum1"]
        header |= sums | {"exchangeRateCompany": RATES[currency], "currencyCodeCompany": "EUR"}
        for name in ("netSum", "taxSum1", "grossSum"):
            header[f"{name}Company"] = rounded(sums[name] * RATES[currency])
        orders = sorted({row["orderNumber"] for row in rows if "orderNumber" in row})
        if orders:
            header |= {
                "orderNumbers": orders,
                "invoiceTypeCode": "PO",
                "invoiceTypeName": "Purchase order based invoice",
            }
        codes = {(row["taxCode"], row["taxPercent"]) for row in rows}
        if len(codes) == 1:
            header["taxCode"], header["taxPercent1"] = codes.pop()


def _planned() -> Iterator[tuple[str, int]]:
    for kind, count in PLAN:
        for place in range(count):
            yield kind, place


def _total(rows: list[Document], name: str) -> Decimal:
    return sum((row.get(name, Decimal(0)) for row in rows), Decimal(0))


def _amount(seed: int) -> Decimal:
    return Decimal(25 + seed * 131 % 1900) + Decimal(seed * 37 % 100) / 100
