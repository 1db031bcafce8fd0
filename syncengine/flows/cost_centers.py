"""Cost centers: ProfitCenters, by setting DistributionRules too → /v1/costCenters (default-mapping.md)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from syncengine.connectors.basware.external_codes import external_code
from syncengine.connectors.sap_b1.literals import is_yes
from syncengine.flows.company import FlowContext
from syncengine.flows.master import Enrich, MasterDataFlow, Part, ReadWindow, Source, rule
from syncengine.flows.reading import Feed, SapReader, read, read_keys
from syncengine.flows.values import names, number, title, window_edges
from syncengine.posting.sap_values import within

CENTERS = Feed(
    "ProfitCenters",
    "CenterCode",
    ("CenterCode", "CenterName", "InWhichDimension", "EffectiveFrom", "EffectiveTo", "Active"),
)
RULES = Feed("DistributionRules", "FactorCode", ("FactorCode", "FactorDescription", "InWhichDimension", "Active"))
RULE_KEY = "DR/"
"""Leads the key of a distribution rule: a profit center made later may bear the same code."""


class CostCenters(MasterDataFlow):
    """What a document line carries in the costing code of the connection's dimension."""

    name = "cost_centers"
    title = "Cost centers"
    position = 40
    entity_set = CENTERS.entity_set
    key_field = CENTERS.key
    select = CENTERS.select
    prefix = "CC"
    parts = (Part("record", "costCenters"),)
    resend_field = "text10"

    def default_rules(self) -> list[dict[str, Any]]:
        return [
            rule("externalCode", "derived.externalCode", required=True),
            rule("costCenterCode", "derived.code", required=True),
            rule("costCenterNames", "derived.names", required=True),
            rule("companies", "derived.companies", required=True),
        ]

    def feeds(self, window: ReadWindow, ctx: FlowContext) -> list[Feed]:
        where = f"InWhichDimension eq {ctx.cost_center_dimension}"
        wanted = [CENTERS, RULES] if ctx.settings.distribution_rules else [CENTERS]
        return [Feed(feed.entity_set, feed.key, feed.select, where) for feed in wanted]

    def enricher(self, sap: SapReader, ctx: FlowContext) -> Enrich:
        """Drops the rule that SAP keeps for every profit center by itself, whatever the center's dimension."""
        if not ctx.settings.distribution_rules:
            return list
        codes = Feed(CENTERS.entity_set, CENTERS.key, (CENTERS.key,))
        centers = {record[CENTERS.key] for page in read(sap, codes) for record in page.records}
        return lambda records: [record for record in records if record.get("FactorCode") not in centers]

    def by_keys(self, sap: SapReader, keys: Sequence[str], ctx: FlowContext) -> list[dict[str, Any]]:
        rules = [key.removeprefix(RULE_KEY) for key in keys if key.startswith(RULE_KEY)]
        centers = [key for key in keys if not key.startswith(RULE_KEY)]
        found = read_keys(sap, CENTERS, centers) + read_keys(sap, RULES, rules)
        return self.enricher(sap, ctx)(found)

    def key(self, source: Source) -> str:
        return f"{RULE_KEY}{source['FactorCode']}" if "FactorCode" in source else str(source["CenterCode"])

    def label(self, source: Source) -> str:
        return title(*_code_and_name(source))

    def in_scope(self, source: Source, ctx: FlowContext) -> bool:
        wanted = "FactorCode" not in source or ctx.settings.distribution_rules
        return wanted and number(source.get("InWhichDimension")) == ctx.cost_center_dimension

    def edges(self, source: Source) -> list[date]:
        return window_edges(source, "Effective")

    def derive(self, source: Source, ctx: FlowContext) -> dict[str, Any]:
        code, name = _code_and_name(source)
        in_force = within(ctx.today, source.get("EffectiveFrom"), source.get("EffectiveTo"))
        active = is_yes(source.get("Active")) and in_force
        own_code = {"externalCode": external_code(ctx.company, "DR", code)} if "FactorCode" in source else {}
        return {
            "code": code,
            "names": names(code, name),
            "companies": [{"companyCode": ctx.company, "active": active}],
            **own_code,
        }


def _code_and_name(source: Source) -> tuple[Any, Any]:
    if "FactorCode" in source:
        return source["FactorCode"], source.get("FactorDescription")
    return source["CenterCode"], source.get("CenterName")
