"""One line of a purchase order with the receipts based on it: what Basware matches invoices with."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from syncengine.connectors.basware.external_codes import external_code
from syncengine.flows.company import FlowContext
from syncengine.flows.master import Source
from syncengine.flows.values import ZERO, amount, compact, moment, number
from syncengine.mapping.functions import rounded
from syncengine.mapping.text import as_text, to_decimal

ONE = Decimal(1)


def is_foreign(order: Source, ctx: FlowContext) -> bool:
    """Whether the order's amounts are in its own currency rather than the company's."""
    return as_text(order.get("DocCurrency")) not in {"", ctx.facts.local_currency}


def order_decimals(order: Source, ctx: FlowContext) -> int:
    """How many decimals the order's amounts have."""
    return ctx.facts.decimals(as_text(order.get("DocCurrency")) or ctx.facts.local_currency)


def order_lines(order: Source, ctx: FlowContext) -> list[OrderLine]:
    """The lines of an order that was read with its `Receipts` and `Returns`."""
    foreign, decimals = is_foreign(order, ctx), order_decimals(order, ctx)
    return [OrderLine(order, line, ctx, foreign, decimals) for line in order.get("DocumentLines") or ()]


@dataclass(frozen=True)
class OrderLine:
    """A line by default-mapping.md: an item line is matched by quantity, a service line by its sum alone."""

    order: Source
    line: Source
    ctx: FlowContext
    foreign: bool
    decimals: int

    @property
    def external_code(self) -> str:
        """Its key in Basware."""
        return self._code("POL")

    def _code(self, prefix: str) -> str:
        return external_code(self.ctx.company, prefix, self.order["DocEntry"], self.line["LineNum"])

    @property
    def number(self) -> int:
        """The line's number for people: LineNum counts from 0 and never changes."""
        return int(self.line["LineNum"]) + 1

    @property
    def is_service(self) -> bool:
        """Service orders have no items; their lines count as one piece of the whole sum."""
        return self.order.get("DocType") == "dDocument_Service"

    @cached_property
    def receipts(self) -> list[Source]:
        """The receipt lines based on it, cancelled ones included."""
        return [line for line in self.order.get("Receipts", ()) if line["BaseLine"] == self.line["LineNum"]]

    @cached_property
    def returns(self) -> list[Source]:
        """The lines that returned what was received on it; cancelled returns do not count."""
        places = {(receipt["DocEntry"], receipt["LineNum"]) for receipt in self.receipts}
        returned = self.order.get("Returns", ())
        return [line for line in returned if _counts(line) and (line["BaseEntry"], line["BaseLine"]) in places]

    @property
    def quantity(self) -> Decimal:
        """As ordered; 1 for a service line."""
        return ONE if self.is_service else number(self.line.get("Quantity"))

    @property
    def net_sum(self) -> Decimal:
        """In the order's currency: LineTotal is in the company's (contracts: SAP §8.3)."""
        return self._net(self.line)

    def _net(self, line: Source) -> Decimal:
        return amount(line.get("RowTotalFC" if self.foreign else "LineTotal"), self.decimals)

    @property
    def is_sendable(self) -> bool:
        """Basware takes only lines with a positive quantity, and nothing can be matched with no sum."""
        return self.quantity > 0 and self.net_sum > 0

    @property
    def is_open(self) -> bool:
        """Open in Basware: still to come, or received and not yet invoiced, though SAP has closed the order line."""
        return _is_open(self.line) or any(_counts(receipt) and _is_open(receipt) for receipt in self.receipts)

    def derived(self, first_sent: Source) -> dict[str, Any]:
        """The values that line rules address as `derived.x`; `first_sent` are those of the first send, if any."""
        quantity, sum_ = self.invoiced()
        by_receipt = not self.is_service and self.ctx.settings.matching == "receipt"
        tax_code = as_text(self.line.get(self.ctx.facts.tax_field))
        return {
            "lineNum": self.line["LineNum"],
            "externalCode": self.external_code,
            "lineNumber": str(self.number),
            "sortNumber": self.number,
            "matchingMode": "Blanket" if self.is_service else "Standard",
            "quantity": self.quantity,
            "isReceiptRequired": by_receipt,
            "isReceiptBasedMatching": by_receipt,
            "netPrice": self.net_sum if self.is_service else to_decimal(self.line.get("Price")),
            "netSum": self.net_sum,
            "taxCode": tax_code or None,
            "isClosed": not self.is_open,
            # What SAP had invoiced before Basware knew the line; Basware counts on from there by itself.
            "invoicedQuantity": first_sent.get("invoicedQuantity", quantity),
            "invoicedNetSum": first_sent.get("invoicedNetSum", sum_),
            "orderLineCoding": [self._coding()],
            "goodsReceipts": [] if self.is_service else [*self._receipts(), *self._returns()],
        }

    def _coding(self) -> dict[str, Any]:
        dimension = self.ctx.cost_center_dimension
        return compact(
            {
                "externalCode": self._code("OC"),
                "rowIndex": 1,
                "accountCode": as_text(self.line.get("AccountCode")),
                "costCenterCode": as_text(
                    self.line.get("CostingCode" if dimension == 1 else f"CostingCode{dimension}")
                ),
                "projectCode": as_text(self.line.get("ProjectCode")),
                "allocatedQuantity": self.quantity,
                "netTotal": self.net_sum,
            }
        )

    # Receipts

    def _receipts(self) -> list[dict[str, Any]]:
        return [
            self._receipt(line, external_code(self.ctx.company, "GR", line["DocEntry"], line["LineNum"]), ONE)
            | ({} if _counts(line) else {"isDeleted": True})
            for line in self.receipts
            if number(line.get("Quantity")) != 0
        ]

    def _returns(self) -> list[dict[str, Any]]:
        """A return is a receipt of a negative quantity that names the receipt it reduces (contracts: Basware §15.4)."""
        return [
            self._receipt(
                line, external_code(self.ctx.company, "GR", line["DocEntry"], line["LineNum"], suffix="R"), -ONE
            )
            | {"referenceGRExternalCode": external_code(self.ctx.company, "GR", line["BaseEntry"], line["BaseLine"])}
            for line in self.returns
            if number(line.get("Quantity")) != 0
        ]

    def _receipt(self, line: Source, code: str, sign: Decimal) -> dict[str, Any]:
        quantity, net = sign * number(line.get("Quantity")), sign * self._net(line)
        return compact(
            {
                "externalCode": code,
                "goodsReceiptNumber": as_text(line.get("DocNum")),
                "goodsReceiptLineNumber": str(int(line["LineNum"]) + 1),
                "quantity": quantity,
                "netPrice": self._price(line),
                "netSum": net,
                "deliveryDate": moment(line.get("DocDate")),
                "deliveryNoteNumber": as_text(line.get("NumAtCard")),
            }
        )

    def _price(self, line: Source) -> Decimal:
        """Always sent: without a price Basware takes a receipt for worthless (contracts: Basware §15.4)."""
        price = to_decimal(line.get("Price"))
        return price if price is not None else rounded(self._net(line) / number(line.get("Quantity")), 6)

    # Invoiced before

    def invoiced(self) -> tuple[Decimal, Decimal]:
        """Quantity and net sum that SAP's own invoices have taken, straight from the order or by its receipts."""
        if self.is_service:
            sum_ = min(self._invoiced_sum(), self.net_sum)
            return (ONE if sum_ == self.net_sum else ZERO), sum_
        quantity = min(self._invoiced_quantity(), self.quantity)
        share = self.net_sum * quantity / self.quantity if self.quantity else ZERO
        return quantity, rounded(share, self.decimals)

    def _invoiced_quantity(self) -> Decimal:
        counting = [receipt for receipt in self.receipts if _counts(receipt)]
        received = sum((number(receipt.get("Quantity")) for receipt in counting), ZERO)
        waiting = sum((_remaining(receipt) for receipt in counting), ZERO)
        returned = sum((number(line.get("Quantity")) for line in self.returns), ZERO)
        straight = number(self.line.get("Quantity")) - _remaining(self.line) - received
        return max(straight, ZERO) + max(received - waiting - returned, ZERO)

    def _invoiced_sum(self) -> Decimal:
        counting = [receipt for receipt in self.receipts if _counts(receipt)]
        received = sum((self._net(receipt) for receipt in counting), ZERO)
        waiting = sum((self._open_sum(receipt) for receipt in counting), ZERO)
        straight = self.net_sum - self._open_sum(self.line) - received
        return max(straight, ZERO) + max(received - waiting, ZERO)

    def _open_sum(self, line: Source) -> Decimal:
        open_sum = to_decimal(line.get("OpenAmountFC" if self.foreign else "OpenAmount"))
        if open_sum is None:
            open_sum = self._net(line) if _is_open(line) else ZERO
        return rounded(open_sum, self.decimals)


def _counts(line: Source) -> bool:
    return line.get("CancelStatus") != "csYes"


def _is_open(line: Source) -> bool:
    return line.get("LineStatus") == "bost_Open"


def _remaining(line: Source) -> Decimal:
    remaining = to_decimal(line.get("RemainingOpenQuantity"))
    if remaining is None:
        remaining = number(line.get("Quantity")) if _is_open(line) else ZERO
    return remaining
