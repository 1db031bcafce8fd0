"""Projects: Projects → /v2/projects (default-mapping.md, "projects")."""

from __future__ import annotations

from typing import Any

from syncengine.connectors.sap_b1.literals import is_yes
from syncengine.flows.company import FlowContext
from syncengine.flows.master import MasterDataFlow, Part, Source, rule
from syncengine.flows.values import FIRST_DAY, LAST_DAY, moment, title


class Projects(MasterDataFlow):
    """SAP's projects; Basware keeps their validity itself, so no window is evaluated here."""

    name = "projects"
    title = "Projects"
    position = 50
    entity_set = "Projects"
    key_field = "Code"
    select = ("Code", "Name", "ValidFrom", "ValidTo", "Active")
    prefix = "PJ"
    parts = (Part("record", "projects"),)
    resend_field = "description"

    def default_rules(self) -> list[dict[str, Any]]:
        return [
            rule("externalCode", "derived.externalCode", required=True),
            rule("projectCode", "Code", required=True),
            rule("projectName", "default(Name, Code)", required=True),
            rule("validFrom", "derived.validFrom", required=True),
            rule("validUntil", "derived.validUntil", required=True),
            rule("companies", "derived.companies", required=True),
        ]

    def label(self, source: Source) -> str:
        return title(source["Code"], source.get("Name"))

    def in_scope(self, source: Source, ctx: FlowContext) -> bool:
        return True

    def derive(self, source: Source, ctx: FlowContext) -> dict[str, Any]:
        return {
            "validFrom": moment(source.get("ValidFrom")) or FIRST_DAY,
            "validUntil": moment(source.get("ValidTo")) or LAST_DAY,
            "companies": [{"companyCode": ctx.company, "active": is_yes(source.get("Active"))}],
        }
