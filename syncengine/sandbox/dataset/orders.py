"""Items, 120 purchase orders in every state, their goods receipts, and the invoices that were posted before we came.

The plan is the table PLAN: so many orders of a kind, one after another; a finisher brings each into its state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from syncengine.sandbox.dataset.finance import CURRENCIES
from syncengine.sandbox.dataset.partners import ORDINARY
from syncengine.sandbox.dataset.values import day
from syncengine.sandbox.sap_b1.calculation import charged_rate, rounded, tax_on

Document = dict[str, Any]

PLAN = [
    ("open", 40),
    ("partly_received", 20),
    ("received", 15),
    ("invoiced", 10),
    ("cancelled", 8),
    ("service", 12),
    ("service_closed", 4),
    ("foreign", 5),
    ("foreign_received", 4),
    ("closed_line", 1),
    ("same_number", 1),
]
ITEM_NAMES = ["Deep groove ball bearing", "Pillow block bearing", "Hex bolt", "Hydraulic hose", "Safety helmet"]
ITEM_NAMES += ["Air cylinder", "Welding rod", "Grease cartridge"]
ITEM_ACCOUNTS = ["4004", "4004", "4005", "4008", "4007", "4001", "4001", "4001"]
ITEM_LINES = ["L-BRG", "L-BRG", "L-FAS", "L-HYD", "L-SAF", "L-PNE", "L-WLD", "L-LUB"]
SERVICE_LINES = [
    ("Maintenance contract", "6304", "WH1"),
    ("Cleaning contract", "6007", "HEL"),
    ("IT support", "6502", "IT"),
]
FIRST_ORDER, FIRST_RECEIPT = 801, 601
QUANTITIES = [40, 10, 250, 24, 60, 12, 100, 8]
PRICES = ["12.50", "48.00", "0.85", "31.20", "19.90", "86.40", "7.35", "4.10"]
RATES = {code: Decimal(rate) for code, _, _, rate in CURRENCIES}
LOCAL = "EUR"


@dataclass
class Order:
    """One order with its receipts."""

    kind: str
    number: int
    place: int
    """Position among its kind, from 0."""
    document: Document
    receipts: list[Document] = field(default_factory=list)

    @property
    def lines(self) -> list[Document]:
        lines: list[Document] = self.document["DocumentLines"]
        return lines


class OrderBook:
    """All orders of the data set, made in one pass."""

    def __init__(self, today: date, partners: list[Document], vat_groups: list[Document]) -> None:
        self.today = today
        self._vat = {group["Code"]: group for group in vat_groups}
        ordinary = [partner for partner in partners if partner["CardType"] == "cSupplier"][:ORDINARY]
        self._domestic = [partner for partner in ordinary if partner["Country"] == "FI"]
        self._foreign = [partner for partner in ordinary if partner["Currency"] in {"$", "SKR"}]
        self.orders: list[Order] = []
        self.receipts: list[Document] = []
        self.invoices: list[Document] = []
        self._finishers: dict[str, Callable[[Order], None]] = {
            "partly_received": self._finish_partly_received,
            "foreign_received": self._finish_partly_received,
            "received": self._finish_received,
            "invoiced": self._finish_invoiced,
            "cancelled": self._finish_cancelled,
            "service_closed": self._finish_service_closed,
            "closed_line": self._finish_closed_line,
            "same_number": self._finish_same_number,
        }
        for kind, count in PLAN:
            for place in range(count):
                self._add(kind, place)

    def of(self, kind: str) -> list[Order]:
        return [order for order in self.orders if order.kind == kind]

    def _add(self, kind: str, place: int) -> None:
        number = len(self.orders)
        order = Order(kind, number, place, self._order(kind, number, place))
        self.orders.append(order)
        if kind in self._finishers:
            self._finishers[kind](order)
        _close_if_done(order.document)

    def _order(self, kind: str, number: int, place: int) -> Document:
        foreign = kind.startswith("foreign")
        pool = self._foreign if foreign else self._domestic
        vendor = pool[(number * 5 + 2) % len(pool)]
        service = kind.startswith("service")
        header = self._header(vendor, number, day(self.today, -25 - number % 60))
        header |= {"DocType": "dDocument_Service" if service else "dDocument_Items", "Comments": f"Order {number + 1}"}
        make = self._service_line if service else self._item_line
        count = 1 if service else 1 + number % 3
        header["DocumentLines"] = [make(header, number, place, index) for index in range(count)]
        if number % 10 == 7 and count == 3:
            header["DocumentLines"][2]["LineNum"] = 4  # a line was deleted before this one: LineNum has gaps
        return add_totals(header)

    def _header(self, vendor: Document, number: int, doc_date: str) -> Document:
        currency = vendor["Currency"]
        return {
            "DocEntry": FIRST_ORDER + number,
            "DocNum": self.today.year % 100 * 1_000_000 + 300 + number,
            "CardCode": vendor["CardCode"],
            "CardName": vendor["CardName"],
            "DocDate": doc_date,
            "DocDueDate": day(self.today, 10 + number % 20),
            "TaxDate": doc_date,
            "DocCurrency": currency,
            "DocRate": RATES[currency],
            "PaymentGroupCode": vendor["PayTermsGrpCode"],
            "VatGroupOfLines": vendor["VatGroup"],
            **header_defaults(doc_date),
        }

    def _item_line(self, header: Document, number: int, place: int, index: int) -> Document:
        item = (number * 3 + index) % 40
        kind = item % len(ITEM_NAMES)
        line: Document = {
            "LineNum": index,
            "ItemCode": item_code(item),
            "ItemDescription": f"{ITEM_NAMES[kind]} {6200 + item}",
            "Quantity": Decimal(QUANTITIES[kind]),
            "RemainingOpenQuantity": Decimal(QUANTITIES[kind]),
            "UnitPrice": Decimal(PRICES[kind]),
            "AccountCode": ITEM_ACCOUNTS[kind],
            "CostingCode": "WH2" if number % 4 == 3 else "WH1",
            "CostingCode2": ITEM_LINES[kind],
            "ProjectCode": "P009" if number % 9 == 5 else None,
            "WarehouseCode": "01",
            "MeasureUnit": ["PCE", "PCE", "PCE", "MTR"][kind % 4],
            "BaseType": -1,
        }
        return self._priced(header, line, rounded(line["Quantity"] * line["UnitPrice"]))

    def _service_line(self, header: Document, number: int, place: int, index: int) -> Document:
        name, account, center = SERVICE_LINES[number % len(SERVICE_LINES)]
        months = Decimal(10) if place % 2 else Decimal(0)
        price = Decimal(400 + 35 * place)
        line = {
            "LineNum": index,
            "ItemDescription": f"{name} {self.today.year}",
            "Quantity": months,
            "RemainingOpenQuantity": months,
            "UnitPrice": price,
            "AccountCode": account,
            "CostingCode": center,
            "BaseType": -1,
        }
        return self._priced(header, line, rounded(price * (months or 1)))

    def _priced(self, header: Document, line: Document, net: Decimal) -> Document:
        group = self._vat[header["VatGroupOfLines"]]
        line |= {"VatGroup": group["Code"], "LineStatus": "bost_Open", "VisualOrder": line["LineNum"]}
        return price_line(header, line, net, charged_rate(group, header["TaxDate"]))

    def _receive(self, order: Order, quantities: list[Decimal | int], days_ago: int, **header: Any) -> Document:
        """A goods receipt over the order's lines (0 = line not on it)."""
        number = len(self.receipts)
        source = order.document
        receipt = {key: source[key] for key in ("CardCode", "CardName", "DocCurrency", "DocRate", "PaymentGroupCode")}
        doc_date = day(self.today, -days_ago)
        receipt |= {
            **header_defaults(doc_date),
            "DocEntry": FIRST_RECEIPT + number,
            "DocNum": self.today.year % 100 * 1_000_000 + 700 + number,
            "DocType": source["DocType"],
            "NumAtCard": f"DN-{70000 + number * 13}",
            "DocDate": doc_date,
            "DocDueDate": doc_date,
            "TaxDate": doc_date,
            "DocumentLines": [],
        }
        for line, quantity in zip(order.lines, quantities, strict=True):
            if quantity:
                receipt["DocumentLines"].append(self._receipt_line(receipt, source, line, Decimal(quantity)))
        receipt |= header
        self.receipts.append(add_totals(receipt))
        return receipt

    def _receipt_line(self, receipt: Document, order: Document, line: Document, quantity: Decimal) -> Document:
        made = {key: value for key, value in line.items() if key not in {"LineTotal", "TaxTotal", "RowTotalFC"}}
        made |= {"LineNum": len(receipt["DocumentLines"]), "Quantity": quantity, "RemainingOpenQuantity": quantity}
        made |= {"BaseType": 22, "BaseEntry": order["DocEntry"], "BaseLine": line["LineNum"], "LineStatus": "bost_Open"}
        made["VisualOrder"] = made["LineNum"]
        return price_line(receipt, made, rounded(quantity * line["UnitPrice"]), line["TaxPercentagePerRow"])

    def _book(self, order: Order, receipt: Document) -> None:
        for line in receipt["DocumentLines"]:
            base = next(entry for entry in order.lines if entry["LineNum"] == line["BaseLine"])
            take_quantity(base, line["Quantity"])
        order.receipts.append(receipt)

    def _finish_partly_received(self, order: Order) -> None:
        first = [line["Quantity"] // 2 for line in order.lines]
        self._book(order, self._receive(order, [*first], 14))
        if order.place < 3:
            rest = [max(line["RemainingOpenQuantity"] // 2, Decimal(1)) for line in order.lines]
            self._book(order, self._receive(order, [*rest], 9))
        if order.place == 19:
            self._cancelled_receipt(order)

    def _cancelled_receipt(self, order: Order) -> None:
        """A receipt that was cancelled: the goods are open on the order again, with a mirror document beside it."""
        quantities: list[Decimal | int] = [1 for _ in order.lines]
        for status in ("csYes", "csCancellation"):
            made = self._receive(order, quantities, 6, CancelStatus=status, DocumentStatus="bost_Close")
            for line in made["DocumentLines"]:
                line |= {"LineStatus": "bost_Close", "RemainingOpenQuantity": Decimal(0), "OpenAmount": Decimal(0)}

    def _finish_received(self, order: Order) -> None:
        self._book(order, self._receive(order, [line["Quantity"] for line in order.lines], 12))

    def _finish_invoiced(self, order: Order) -> None:
        self._finish_received(order)
        receipt = order.receipts[0]
        invoice = {key: value for key, value in receipt.items() if key not in {"DocEntry", "DocNum", "DocumentLines"}}
        invoice |= {
            "DocEntry": 501 + len(self.invoices),
            "DocNum": self.today.year % 100 * 1_000_000 + 100 + len(self.invoices),
            "NumAtCard": f"H-{4400 + order.number}",
            "TransNum": 20100 + order.number,
            "PaidToDate": Decimal(0),
            "DocDueDate": day(self.today, 18),
            "DocumentLines": [_copied(line, 20, receipt["DocEntry"]) for line in receipt["DocumentLines"]],
        }
        self.invoices.append(invoice)
        for line in receipt["DocumentLines"]:
            take_quantity(line, line["Quantity"])
        _close_if_done(receipt)

    def _finish_cancelled(self, order: Order) -> None:
        order.document |= {"CancelStatus": "csYes", "Cancelled": "tYES"}
        close_lines(order.document)

    def _finish_service_closed(self, order: Order) -> None:
        close_lines(order.document)

    def _finish_closed_line(self, order: Order) -> None:
        """The first line was closed by hand; the order stays open by the others."""
        order.document["DocumentLines"] = [
            self._item_line(order.document | {"VatGroupOfLines": "I255"}, order.number, 0, index) for index in range(2)
        ]
        add_totals(order.document)
        close_line(order.lines[0])

    def _finish_same_number(self, order: Order) -> None:
        """DocNum repeats over series and years: this one bears the number of the last open order."""
        order.document["DocNum"] = self.of("open")[-1].document["DocNum"]


def items() -> list[Document]:
    return [
        {
            "ItemCode": item_code(number),
            "ItemName": f"{ITEM_NAMES[number % len(ITEM_NAMES)]} {6200 + number}",
            "PurchaseItem": "tYES",
            "SalesItem": "tYES",
            "InventoryItem": "tYES",
            "PurchaseVATGroup": "I255",
            "Valid": "tYES",
            "Frozen": "tNO",
            "CreateDate": "2023-02-01",
            "DataVersion": 1,
        }
        for number in range(40)
    ]


def item_code(number: int) -> str:
    prefix = ITEM_LINES[number % len(ITEM_LINES)][2:]
    return f"{prefix}-{6200 + number}"


def header_defaults(doc_date: str) -> Document:
    return {
        "DocumentStatus": "bost_Open",
        "CancelStatus": "csNo",
        "Cancelled": "tNO",
        "Confirmed": "tYES",
        "AuthorizationStatus": "dasWithout",
        "DiscountPercent": Decimal(0),
        "CreationDate": doc_date,
        "UpdateDate": doc_date,
        "UpdateTime": "10:31:07",
        "DataVersion": 1,
    }


def price_line(header: Document, line: Document, net: Decimal, rate: Decimal) -> Document:
    """Fills a line's amounts; `net` is in the document's currency."""
    local = rounded(net * header["DocRate"])
    foreign = header["DocCurrency"] != LOCAL
    return line | {
        "Price": line["UnitPrice"],
        "Currency": header["DocCurrency"],
        "LineTotal": local,
        "RowTotalFC": net if foreign else Decimal(0),
        "OpenAmount": local,
        "OpenAmountFC": net if foreign else Decimal(0),
        "TaxPercentagePerRow": rate,
        "TaxTotal": tax_on(local, rate),
        "DiscountPercent": Decimal(0),
    }


def add_totals(document: Document) -> Document:
    document.pop("VatGroupOfLines", None)
    lines = document["DocumentLines"]
    document["VatSum"] = sum((line["TaxTotal"] for line in lines), Decimal(0))
    document["DocTotal"] = sum((line["LineTotal"] for line in lines), Decimal(0)) + document["VatSum"]
    taxes = [tax_on(line["RowTotalFC"], line["TaxPercentagePerRow"]) for line in lines]
    document["VatSumFc"] = sum(taxes, Decimal(0))
    document["DocTotalFc"] = sum((line["RowTotalFC"] for line in lines), Decimal(0)) + document["VatSumFc"]
    return document


def take_quantity(line: Document, quantity: Decimal) -> None:
    """Reduces what is open of a line; at nothing the line is closed."""
    left = line["RemainingOpenQuantity"] - quantity
    share = left / line["Quantity"]
    line["RemainingOpenQuantity"] = left
    line["OpenAmount"], line["OpenAmountFC"] = rounded(line["LineTotal"] * share), rounded(line["RowTotalFC"] * share)
    if left <= 0:
        close_line(line)


def close_line(line: Document) -> None:
    line |= {"LineStatus": "bost_Close", "RemainingOpenQuantity": Decimal(0)}
    line |= {"OpenAmount": Decimal(0), "OpenAmountFC": Decimal(0)}


def close_lines(document: Document) -> None:
    for line in document["DocumentLines"]:
        close_line(line)


def _close_if_done(document: Document) -> None:
    if all(line["LineStatus"] == "bost_Close" for line in document["DocumentLines"]):
        document["DocumentStatus"] = "bost_Close"


def _copied(line: Document, base_type: int, base_entry: int) -> Document:
    return line | {"BaseType": base_type, "BaseEntry": base_entry, "BaseLine": line["LineNum"]}
