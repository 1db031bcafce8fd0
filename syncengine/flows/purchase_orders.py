"""Purchase orders: PurchaseOrders with their receipts → /v1/matchingOrders, then /v1/matchingOrderLines.

default-mapping.md, "purchase_orders"; contracts: SAP §8.3, Basware §15. A full read takes the open orders and those
that open receipts are based on; an incremental one also what changed, since a closed order passes no filter any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from decimal import Decimal
from typing import Any

from syncengine.flows.company import FlowContext, Payload
from syncengine.flows.master import Enrich, MasterDataFlow, Part, ReadWindow, Source, rule
from syncengine.flows.order_lines import is_foreign, order_decimals, order_lines
from syncengine.flows.reading import Feed, Page, SapReader, read, read_keys
from syncengine.flows.receipts import ORDER, RECEIPTS, ReceiptReader, lines_based_on
from syncengine.flows.values import amount, day, moment, title
from syncengine.mapping import Mapped
from syncengine.mapping.text import as_text, is_empty, to_decimal

OPEN = "DocumentStatus eq 'bost_Open' and CancelStatus eq 'csNo'"


class PurchaseOrders(MasterDataFlow):
    """Open orders and all that is received and not yet invoiced, which is what AP matches."""

    name = "purchase_orders"
    title = "Purchase orders"
    depends_on = ("payment_terms", "tax_codes", "gl_accounts", "cost_centers", "projects", "vendors")
    position = 70
    entity_set = "PurchaseOrders"
    key_field = "DocEntry"
    select = (
        "DocEntry",
        "DocNum",
        "DocType",
        "CardCode",
        "CardName",
        "DocDate",
        "DocDueDate",
        "DocCurrency",
        "DocTotal",
        "DocTotalFc",
        "DocumentStatus",
        "CancelStatus",
        "PaymentGroupCode",
        "BPL_IDAssignedToInvoice",
        "Comments",
        "CreationDate",
        "UpdateDate",
        "DataVersion",
        "DocumentLines",
    )
    prefix = "PO"
    parts = (Part("header", "matchingOrders"), Part("lines", "matchingOrderLines", many=True))
    scope = OPEN
    stamps = ("UpdateDate", "CreationDate")
    resend_field = "text10"

    def default_rules(self) -> list[dict[str, Any]]:
        return [dict(rule) for rule in (*HEADER_RULES, *LINE_RULES)]

    def default_lookups(self) -> dict[str, dict[str, str]]:
        return {"branches": {}, "units": {}}

    # Reading

    def filter(self, window: ReadWindow, ctx: FlowContext) -> str:
        """Open orders at every run: a receipt may take from one without touching its stamp (contracts: SAP §9)."""
        changed = super().filter(window, ctx)
        return OPEN if changed == OPEN else f"({OPEN}) or {changed}"

    def feeds(self, window: ReadWindow, ctx: FlowContext) -> list[Feed]:
        where = self.filter(window, ctx)
        receipts = Feed(RECEIPTS.entity_set, RECEIPTS.key, RECEIPTS.select, where)
        return [Feed(self.entity_set, self.key_field, self.select, where), receipts]

    def enricher(self, sap: SapReader, ctx: FlowContext) -> Enrich:
        return ReceiptReader(sap).complete

    def pages(self, sap: SapReader, window: ReadWindow, ctx: FlowContext) -> Iterator[Page]:
        """The orders by their own filter, then those found through their receipts, each of these once."""
        orders, receipts = self.feeds(window, ctx)
        complete = self.enricher(sap, ctx)
        position, _, after = window.after.partition(":")
        if position != "1":
            for page in read(sap, orders, after, self.stamps):
                yield Page(complete(page.records), f"0:{page.cursor}", page.server_date)
        seen: set[int] = set()
        for page in read(sap, receipts, after if position == "1" else "", self.stamps):
            bases = {int(line["BaseEntry"]) for document in page.records for line in lines_based_on(document, ORDER)}
            found = read_keys(sap, orders, [str(entry) for entry in sorted(bases - seen)])
            seen |= bases
            missed = [order for order in found if not self._read_before(order, window)]
            yield Page(complete(missed) if missed else [], f"1:{page.cursor}", page.server_date)

    def _read_before(self, order: Source, window: ReadWindow) -> bool:
        """Whether the orders' own filter has found it."""
        since = window.changed_since
        stamps = [day(order.get(stamp)) for stamp in self.stamps]
        changed = since is not None and any(stamp is not None and stamp >= since for stamp in stamps)
        return changed or (order.get("DocumentStatus") == "bost_Open" and order.get("CancelStatus") == "csNo")

    # Describing

    def label(self, source: Source) -> str:
        return title(source.get("DocNum"), source.get("CardName"))

    def search_terms(self, source: Source) -> str:
        return f"{as_text(source.get('DocNum'))} {as_text(source.get('CardCode'))}"

    def amount(self, source: Source, ctx: FlowContext) -> tuple[Decimal | None, str]:
        foreign = is_foreign(source, ctx)
        total = to_decimal(source.get("DocTotalFc" if foreign else "DocTotal"))
        currency = ctx.facts.iso(as_text(source.get("DocCurrency")))
        return (None if total is None else amount(total, order_decimals(source, ctx))), currency or ""

    def reference(self, source: Source) -> str:
        return as_text(source.get("DocNum"))

    def party(self, source: Source) -> str:
        return as_text(source.get("CardCode"))

    # Deciding

    def in_scope(self, source: Source, ctx: FlowContext) -> bool:
        if source.get("CancelStatus") != "csNo":
            return False
        lines = order_lines(source, ctx)
        return source.get("DocumentStatus") == "bost_Open" or any(line.is_open for line in lines)

    # Building

    def derive(self, source: Source, ctx: FlowContext) -> dict[str, Any]:
        lines = order_lines(source, ctx)
        sendable = [line for line in lines if line.is_sendable]
        organization = self._organization(source, ctx)
        order_number, notes = self._number(source, ctx, organization)
        before = _derived_lines(self._first_sent(source, ctx))
        skipped = [
            f"line {line.number} is not sent: it has no positive quantity or sum"
            for line in lines
            if not line.is_sendable
        ]
        currency = ctx.facts.iso(as_text(source.get("DocCurrency")) or ctx.facts.local_currency)
        return {
            "orderNumber": order_number,
            "organizationElementCode": organization,
            "currencyCode": currency,
            "created": moment(source.get("DocDate")),
            "requestedDeliveryDate": moment(source.get("DocDueDate")),
            "isClosed": not any(line.is_open for line in sendable),
            "lines": [line.derived(before.get(line.external_code, {})) for line in sendable],
            "notes": [*notes, *skipped],
        }

    def _first_sent(self, source: Source, ctx: FlowContext) -> Source:
        """What was derived when the order was sent before; some of it is fixed for ever by that."""
        known = ctx.before(self.key(source))
        return known.source.get("derived", {}) if known.sent else {}

    def _organization(self, source: Source, ctx: FlowContext) -> str:
        before = self._first_sent(source, ctx).get("organizationElementCode")
        branch = as_text(source.get("BPL_IDAssignedToInvoice"))
        return before or ctx.lookups.get("branches", {}).get(branch) or ctx.company

    def _number(self, source: Source, ctx: FlowContext, organization: str) -> tuple[str, list[str]]:
        """DocNum is not unique in SAP, the order number is in Basware (contracts: SAP §8.3, Basware §15.1)."""
        plain = as_text(source.get("DocNum"))
        long = f"{plain}-{self.key(source)}"
        holder = ctx.taken.get(order_identity(plain, ctx.company, organization))
        taken = holder not in {None, self.key(source)}
        order_number = self._first_sent(source, ctx).get("orderNumber") or (long if taken else plain)
        notes = [f"another order has the number {plain} too: sent as {order_number}"] if order_number == long else []
        return order_number, notes

    def rows(self, prepared: Source) -> dict[str, list[dict[str, Any]]]:
        """Each line with its own fields, what is derived for it, and the header as `document`."""
        header = {key: value for key, value in prepared.items() if key not in {"DocumentLines", "Receipts", "Returns"}}
        header["derived"] = {key: value for key, value in header["derived"].items() if key != "lines"}
        by_number = {line.get("LineNum"): line for line in prepared.get("DocumentLines") or ()}
        return {
            "lines": [
                {**by_number[derived["lineNum"]], "derived": derived, "document": header}
                for derived in prepared["derived"]["lines"]
            ]
        }

    def payload(self, mapped: Mapped, prepared: Source, ctx: FlowContext) -> Payload:
        """Header and lines; a line sent before that the order has no more is sent as deleted."""
        lines = mapped.target.get("lines", [])
        codes = {line.get("externalCode") for line in lines}
        known = ctx.before(self.key(prepared))
        gone = [line for line in known.sent.get("lines", ()) if line.get("externalCode") not in codes]
        deleted = [deepcopy(line) | {"isDeleted": True, "isClosed": True} for line in gone]
        return {"header": [mapped.target.get("header", {})], "lines": [*lines, *deleted]}

    def left(self, last: Payload, ctx: FlowContext, source: Source | None = None) -> Payload:
        """The order closed with all its lines; those of a cancelled one are deleted."""
        payload = deepcopy(last)
        cancelled = source is not None and source.get("CancelStatus") != "csNo"
        for header in payload["header"]:
            header["isClosed"] = True
        for line in payload["lines"]:
            line["isClosed"] = True
            line["isDeleted"] = cancelled or line.get("isDeleted", False)
        return payload

    def identity(self, payload: Payload) -> str:
        header = payload["header"][0]
        parts = [as_text(header.get(name)) for name in ("orderNumber", "companyCode", "organizationElementCode")]
        return order_identity(*parts)

    def dependencies(self, payload: Payload) -> list[tuple[str, str]]:
        header = payload["header"][0]
        codings = [coding for line in payload["lines"] for coding in line.get("orderLineCoding", ())]
        found = [
            ("vendors", header.get("supplierCode")),
            ("payment_terms", header.get("paymentTermCode")),
            *(("tax_codes", line.get("taxCode")) for line in payload["lines"]),
            *(("gl_accounts", coding.get("accountCode")) for coding in codings),
            *(("cost_centers", coding.get("costCenterCode")) for coding in codings),
            *(("projects", coding.get("projectCode")) for coding in codings),
        ]
        return list(dict.fromkeys((flow, str(key)) for flow, key in found if not is_empty(key)))


def order_identity(order_number: str, company: str, organization: str) -> str:
    """What Basware tells orders apart by, besides the source system (contracts: Basware §15.1)."""
    return "|".join((order_number, company, organization))


def _derived_lines(derived: Source) -> dict[str, dict[str, Any]]:
    return {line["externalCode"]: line for line in derived.get("lines", ())}


HEADER_RULES = [
    rule("header.externalCode", "derived.externalCode", required=True),
    rule("header.orderNumber", "derived.orderNumber", required=True),
    rule("header.sourceSystem", "derived.sourceSystem", required=True),
    rule("header.companyCode", "derived.companyCode", required=True),
    rule("header.organizationElementCode", "derived.organizationElementCode", required=True),
    rule("header.currencyCode", "derived.currencyCode", required=True),
    rule("header.supplierCode", "CardCode", required=True),
    rule("header.supplierName", "CardName"),
    rule("header.created", "derived.created"),
    rule("header.requestedDeliveryDate", "derived.requestedDeliveryDate"),
    rule("header.paymentTermCode", "PaymentGroupCode"),
    rule("header.description", "Comments"),
    rule("header.isClosed", "derived.isClosed"),
]
LINE_RULES = [
    rule("lines[].externalCode", "derived.externalCode", required=True),
    rule("lines[].orderExternalCode", "document.derived.externalCode", required=True),
    rule("lines[].lineNumber", "derived.lineNumber", required=True),
    rule("lines[].sortNumber", "derived.sortNumber"),
    rule("lines[].productCode", "ItemCode"),
    rule("lines[].description", "ItemDescription"),
    rule("lines[].matchingMode", "derived.matchingMode", required=True),
    rule("lines[].quantity", "derived.quantity", required=True),
    rule("lines[].isReceiptRequired", "derived.isReceiptRequired"),
    rule("lines[].isReceiptBasedMatching", "derived.isReceiptBasedMatching"),
    rule("lines[].uom", "lookup('units', MeasureUnit)"),
    rule("lines[].netPrice", "derived.netPrice"),
    rule("lines[].netSum", "derived.netSum"),
    rule("lines[].taxCode", "derived.taxCode"),
    rule("lines[].taxPercent", "TaxPercentagePerRow"),
    rule("lines[].isClosed", "derived.isClosed"),
    rule("lines[].isDeleted", "`false`"),
    rule("lines[].invoicedQuantity", "derived.invoicedQuantity"),
    rule("lines[].invoicedNetSum", "derived.invoicedNetSum"),
    rule("lines[].orderLineCoding", "derived.orderLineCoding"),
    rule("lines[].goodsReceipts", "derived.goodsReceipts"),
]
