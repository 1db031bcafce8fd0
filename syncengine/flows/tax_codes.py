"""Tax codes: VatGroups or SalesTaxCodes → /v1/taxCodes (default-mapping.md, "tax_codes")."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from syncengine.connectors.sap_b1.literals import is_yes
from syncengine.flows.company import FlowContext
from syncengine.flows.master import MasterDataFlow, Part, ReadWindow, Source, rule
from syncengine.flows.reading import Feed, SapReader, read, read_keys
from syncengine.flows.values import day, names, number, title
from syncengine.mapping.text import to_decimal

VAT_GROUPS = Feed(
    "VatGroups",
    "Code",
    ("Code", "Name", "Category", "Inactive", "AcquisitionReverse", "NonDeduct", "VatGroups_Lines"),
    "Category eq 'bovcInputTax'",
)
SALES_TAX_CODES = Feed(
    "SalesTaxCodes", "Code", ("Code", "Name", "Rate", "ValidForAP", "Inactive"), "ValidForAP eq 'tYES'"
)


def feed_of(ctx: FlowContext) -> Feed:
    """Where the company keeps the tax codes of its purchases."""
    return SALES_TAX_CODES if ctx.facts.tax_field == "TaxCode" else VAT_GROUPS


def codes_sent(sap: SapReader, ctx: FlowContext) -> set[str]:
    """Every code that goes to Basware as a tax code, inactive ones included."""
    feed = feed_of(ctx)
    codes_only = Feed(feed.entity_set, feed.key, ("Code",), feed.filter)
    return {str(record["Code"]) for page in read(sap, codes_only) for record in page.records}


def _history(group: Source) -> list[tuple[date, Decimal]]:
    """The rates by the day they take effect, oldest first; one without a date has always been."""
    lines = group.get("VatGroups_Lines") or []
    rates = [(day(line.get("Effectivefrom")) or date.min, to_decimal(line.get("Rate"))) for line in lines]
    return sorted((since, rate) for since, rate in rates if rate is not None)


def rate_on(group: Source, today: date) -> tuple[Decimal | None, bool]:
    """The group's rate, and whether it is in force; before the first entry that is the first future one."""
    if "Rate" in group:
        return to_decimal(group["Rate"]), True
    history = _history(group)
    in_force = [rate for since, rate in history if since <= today]
    if in_force:
        return in_force[-1], True
    return (history[0][1] if history else None), False


class TaxCodes(MasterDataFlow):
    """The codes of purchase taxes with today's rate; reverse charge and partly deductible ones carry a second rate."""

    name = "tax_codes"
    title = "Tax codes"
    position = 20
    entity_set = VAT_GROUPS.entity_set
    key_field = VAT_GROUPS.key
    select = VAT_GROUPS.select
    prefix = "TX"
    parts = (Part("record", "taxCodes"),)
    resend_field = "taxCodeNames"

    def default_rules(self) -> list[dict[str, Any]]:
        return [
            rule("externalCode", "derived.externalCode", required=True),
            rule("taxCode", "Code", required=True),
            rule("taxCodeNames", "derived.names", required=True),
            rule("taxPercentage", "derived.taxPercentage", required=True),
            rule("taxPercentage2", "derived.taxPercentage2"),
            rule("companies", "derived.companies", required=True),
        ]

    def feeds(self, window: ReadWindow, ctx: FlowContext) -> list[Feed]:
        return [feed_of(ctx)]

    def by_keys(self, sap: SapReader, keys: Sequence[str], ctx: FlowContext) -> list[dict[str, Any]]:
        return read_keys(sap, feed_of(ctx), keys)

    def label(self, source: Source) -> str:
        return title(source["Code"], source.get("Name"))

    def in_scope(self, source: Source, ctx: FlowContext) -> bool:
        return source.get("Category") == "bovcInputTax" or is_yes(source.get("ValidForAP"))

    def edges(self, source: Source) -> list[date]:
        return [since for since, _ in _history(source) if since > date.min]

    def derive(self, source: Source, ctx: FlowContext) -> dict[str, Any]:
        rate, in_force = rate_on(source, ctx.today)
        percentages = {"taxPercentage": rate}
        # A reverse-charge code must show its rate as the second one: invoices are checked by it.
        if is_yes(source.get("AcquisitionReverse")):
            percentages = {"taxPercentage": Decimal(0), "taxPercentage2": rate}
        elif number(source.get("NonDeduct")) > 0:
            percentages["taxPercentage2"] = number(source.get("NonDeduct"))
        active = in_force and not is_yes(source.get("Inactive"))
        return {
            "names": names(source["Code"], source.get("Name")),
            "companies": [{"companyCode": ctx.company, "inherit": True, "active": active}],
            **percentages,
            "notes": [] if in_force else ["no rate is in force yet: sent as inactive with the first future one"],
        }
