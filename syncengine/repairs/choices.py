"""The codes that SAP would take, read from SAP now: a bounded search for whoever has to choose one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils import timezone

from syncengine.connectors.erp import ErpClient
from syncengine.connectors.sap_b1.literals import all_of, equals, is_yes
from syncengine.engine.connections import systems
from syncengine.engine.context import company_facts
from syncengine.engine.gate import Caller
from syncengine.flows.settings import FlowSettings
from syncengine.mapping.text import as_text
from syncengine.posting.sap_values import is_frozen, is_out_of_validity, within
from tenants.models import Integration

MOST_READ = 60
MOST_SHOWN = 12
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Choice:
    """A code and how people call it."""

    code: str
    name: str


@dataclass(frozen=True)
class Source:
    """Where a table's right side is kept in SAP; `usable` says whether it may be posted to on a day."""

    entity_set: str
    key: str
    name: str
    more: tuple[str, ...]
    usable: Callable[[Record, date], bool]
    numbered: bool = False
    where: str = ""


def _account(record: Record, on: date) -> bool:
    blocked = is_yes(record.get("LockManualTransaction")) or is_yes(record.get("BlockManualPosting"))
    if blocked or not is_yes(record.get("ActiveAccount")):
        return False
    return not (is_frozen(record, on, "FrozenFor") or is_out_of_validity(record, on, "ValidFor"))


def _center(record: Record, on: date) -> bool:
    return record.get("Active") != "tNO" and within(on, record.get("EffectiveFrom"), record.get("EffectiveTo"))


def _project(record: Record, on: date) -> bool:
    return record.get("Active") != "tNO" and within(on, record.get("ValidFrom"), record.get("ValidTo"))


def _vat_group(record: Record, _on: date) -> bool:
    return record.get("Category") == "bovcInputTax" and not is_yes(record.get("Inactive"))


def _sales_tax(record: Record, _on: date) -> bool:
    return is_yes(record.get("ValidForAP")) and not is_yes(record.get("Inactive"))


def _branch(record: Record, _on: date) -> bool:
    return not is_yes(record.get("Disabled"))


def _any(_record: Record, _on: date) -> bool:
    return True


_FROZEN = ("FrozenFor", "FrozenFrom", "FrozenTo", "ValidFor", "ValidFrom", "ValidTo")
SOURCES: Mapping[str, Source] = {
    "accounts": Source(
        "ChartOfAccounts",
        "Code",
        "Name",
        ("ActiveAccount", "LockManualTransaction", "BlockManualPosting", *_FROZEN),
        _account,
        where=equals("ActiveAccount", "tYES"),
    ),
    "cost_centers": Source(
        "ProfitCenters", "CenterCode", "CenterName", ("Active", "EffectiveFrom", "EffectiveTo"), _center
    ),
    "projects": Source("Projects", "Code", "Name", ("Active", "ValidFrom", "ValidTo"), _project),
    "tax_codes": Source("VatGroups", "Code", "Name", ("Category", "Inactive"), _vat_group),
    "payment_terms": Source("PaymentTermsTypes", "GroupNumber", "PaymentTermsGroupName", (), _any, numbered=True),
    "branches": Source("BusinessPlaces", "BPLID", "BPLName", ("Disabled",), _branch, numbered=True),
    "charges": Source("AdditionalExpenses", "ExpensCode", "Name", (), _any, numbered=True),
}
_SALES_TAX = Source("SalesTaxCodes", "Code", "Name", ("ValidForAP", "Inactive"), _sales_tax)


def can_search(table: str) -> bool:
    """Whether SAP has a list of what the table may lead to."""
    return table in SOURCES


def search(integration: Integration, table: str, text: str) -> list[Choice]:
    """The first MOST_SHOWN that may be posted to and hold the text in code or name.

    Raises NotConfigured and ConnectorError.
    """
    with systems(integration, Caller.PERSON) as both:
        source = SOURCES[table]
        if table == "tax_codes" and company_facts(integration, both).tax_field == "TaxCode":
            source = _SALES_TAX
        today = FlowSettings(**integration.settings).today(timezone.now())
        rows = _rows(both.sap, source, text.strip())
    found = [row for row in rows if source.usable(row, today)]
    return [Choice(as_text(row[source.key]), as_text(row.get(source.name))) for row in found[:MOST_SHOWN]]


def _rows(sap: ErpClient, source: Source, text: str) -> list[dict[str, Any]]:
    select = (source.key, source.name, *source.more)
    if source.numbered:  # SAP searches no text in numbers, and these tables are small
        rows = sap.find(source.entity_set, where="", select=select, top=MOST_READ)
        wanted = text.lower()
        return [row for row in rows if wanted in f"{row[source.key]} {row.get(source.name)}".lower()]
    found = " or ".join((sap.contains(source.key, text), sap.contains(source.name, text))) if text else ""
    where = all_of(source.where, found) if found else source.where
    return sap.find(source.entity_set, where=where, select=select, top=MOST_READ, case_insensitive=True)
