"""Warehouses: Warehouses → /v2/projects, for companies that code invoices by warehouse."""

from __future__ import annotations

from typing import Any

from syncengine.connectors.sap_b1.literals import is_yes
from syncengine.flows.company import FlowContext
from syncengine.flows.master import MasterDataFlow, Part, Source, rule
from syncengine.flows.values import FIRST_DAY, LAST_DAY, title


class Warehouses(MasterDataFlow):
    """SAP's warehouses as projects in Basware; an inactive one is closed there."""

    name = "warehouses"
    title = "Warehouses"
    position = 55
    entity_set = "Warehouses"
    key_field = "WarehouseCode"
    select = ("WarehouseCode", "WarehouseName", "Inactive")
    prefix = "WH"
    parts = (Part("record", "projects"),)
    resend_field = "description"

    def default_rules(self) -> list[dict[str, Any]]:
        return [
            rule("externalCode", "derived.externalCode", required=True),
            rule("projectCode", "WarehouseCode", required=True),
            rule("projectName", "default(WarehouseName, WarehouseCode)", required=True),
            rule("validFrom", f"'{FIRST_DAY}'", required=True),
            rule("validUntil", f"'{LAST_DAY}'", required=True),
            rule("companies", "derived.companies", required=True),
        ]

    def label(self, source: Source) -> str:
        return title(source["WarehouseCode"], source.get("WarehouseName"))

    def in_scope(self, source: Source, ctx: FlowContext) -> bool:
        return True

    def derive(self, source: Source, ctx: FlowContext) -> dict[str, Any]:
        active = not is_yes(source.get("Inactive"))
        return {"companies": [{"companyCode": ctx.company, "active": active}]}
