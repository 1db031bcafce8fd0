"""GL accounts: ChartOfAccounts → /v1/accounts (default-mapping.md, "gl_accounts")."""

from __future__ import annotations

from datetime import date
from typing import Any

from syncengine.connectors.sap_b1.literals import is_yes
from syncengine.flows.company import FlowContext, Payload
from syncengine.flows.master import Enrich, MasterDataFlow, Part, Source, rule
from syncengine.flows.reading import SapReader
from syncengine.flows.tax_codes import codes_sent
from syncengine.flows.values import names, title, usable, window_edges
from syncengine.mapping.text import as_text


class GlAccounts(MasterDataFlow):
    """Postable accounts without the control accounts; `TaxCodeGoes` says whether the default tax code is sent too."""

    name = "gl_accounts"
    title = "GL accounts"
    depends_on = ("tax_codes",)
    position = 30
    entity_set = "ChartOfAccounts"
    key_field = "Code"
    select = (
        "Code",
        "Name",
        "FormatCode",
        "ActiveAccount",
        "LockManualTransaction",
        "BlockManualPosting",
        "ValidFor",
        "ValidFrom",
        "ValidTo",
        "FrozenFor",
        "FrozenFrom",
        "FrozenTo",
        "DefaultVatGroup",
    )
    prefix = "GL"
    parts = (Part("record", "accounts"),)
    scope = "ActiveAccount eq 'tYES' and LockManualTransaction eq 'tNO'"
    resend_field = "text5"

    def default_rules(self) -> list[dict[str, Any]]:
        return [
            rule("externalCode", "derived.externalCode", required=True),
            rule("accountCode", "Code", required=True),
            rule("accountNames", "derived.names", required=True),
            rule("taxCode", "derived.taxCode"),
            rule("text1", "derived.formatCode"),
            rule("companies", "derived.companies", required=True),
        ]

    def enricher(self, sap: SapReader, ctx: FlowContext) -> Enrich:
        sent = codes_sent(sap, ctx)

        def enrich(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return [record | {"TaxCodeGoes": record.get("DefaultVatGroup") in sent} for record in records]

        return enrich

    def label(self, source: Source) -> str:
        return title(as_text(source.get("FormatCode")) or source["Code"], source.get("Name"))

    def search_terms(self, source: Source) -> str:
        return as_text(source.get("FormatCode"))

    def in_scope(self, source: Source, ctx: FlowContext) -> bool:
        return is_yes(source.get("ActiveAccount")) and not is_yes(source.get("LockManualTransaction"))

    def edges(self, source: Source) -> list[date]:
        return window_edges(source, "Valid", "Frozen")

    def derive(self, source: Source, ctx: FlowContext) -> dict[str, Any]:
        format_code = as_text(source.get("FormatCode"))
        active = usable(source, ctx.today, valid="ValidFor", frozen="FrozenFor")
        active = active and not is_yes(source.get("BlockManualPosting"))
        return {
            "names": names(source["Code"], source.get("Name")),
            "companies": [{"companyCode": ctx.company, "inherit": True, "active": active}],
            "taxCode": source.get("DefaultVatGroup") if source.get("TaxCodeGoes") else None,
            # Only where accounts are segmented do the two differ: then people know this one.
            "formatCode": format_code if format_code != source["Code"] else None,
        }

    def dependencies(self, payload: Payload) -> list[tuple[str, str]]:
        return [("tax_codes", body["taxCode"]) for body in payload["record"] if body.get("taxCode")]
