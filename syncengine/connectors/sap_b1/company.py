"""What the product must know of a company before it reads or posts (contracts: SAP §2.2, §8.2, §8.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from syncengine.connectors.erp import ErpClient
from syncengine.connectors.sap_b1.answers import as_record
from syncengine.connectors.sap_b1.literals import equals, is_yes

_ANY_CURRENCY = "##"  # SAP's marker for "all currencies"
_DEFAULT_DECIMALS = 2
_DECIMALS = {"cdWithoutDecimals": 0, **{f"cd{n}Digit{'s' if n > 1 else ''}": n for n in range(1, 7)}}


@dataclass(frozen=True)
class Currency:
    """A currency of the company: `code` is its own name for it, `iso` the international one."""

    code: str
    iso: str
    decimals: int


@dataclass(frozen=True)
class CompanyFacts:
    """Read once per connection and kept by the caller.

    `branches`: documents must name one. `approval`: an invoice added through the API may become a draft.
    `tax_field` is `VatGroup` or `TaxCode`, decided. `indirect_rates`: its rate table holds foreign units for one of its
    own currency; that SAP's DirectIndirectRate says so by tNO is unconfirmed.
    """

    name: str
    version: str
    country: str
    local_currency: str
    system_currency: str
    branches: bool
    approval: bool
    price_decimals: int
    total_decimals: int
    tax_field: str
    currencies: Mapping[str, Currency] = field(default_factory=dict)
    indirect_rates: bool = False

    def iso(self, code: str | None) -> str | None:
        """The international code of a company currency; None for none and for the marker `##`."""
        if not code or code == _ANY_CURRENCY:
            return None
        known = self.currencies.get(code)
        return known.iso if known else code

    def code(self, iso: str) -> str | None:
        """The company's own code of an international currency, None when it has none."""
        matches = [currency.code for currency in self.currencies.values() if currency.iso == iso]
        preferred = [code for code in matches if code in {self.local_currency, iso}]
        return next(iter(preferred or matches), None)

    def decimals(self, code: str) -> int:
        """How many decimals amounts in a company currency have."""
        known = self.currencies.get(code)
        return known.decimals if known else self.total_decimals


def read_company_facts(client: ErpClient, known: CompanyFacts | None = None) -> CompanyFacts:
    """Ask SAP for all of it: three to four calls; for two of them `known`, read some time before, stands in.

    Name, version, country and kind of tax are taken from there: what changes with an upgrade of SAP, if ever.
    """
    admin = as_record(client.service("CompanyService_GetAdminInfo"))
    total_decimals = _whole(admin.get("TotalsAccuracy"))
    name, version, country, tax_field = (
        (known.name, known.version, known.country, known.tax_field) if known else _lasting(client, admin)
    )
    return CompanyFacts(
        name=name,
        version=version,
        country=country,
        local_currency=admin.get("LocalCurrency") or "",
        system_currency=admin.get("SystemCurrency") or "",
        branches=is_yes(admin.get("EnableBranches")),
        approval=is_yes(admin.get("EnableApprovalProcedureInDI")),
        price_decimals=_whole(admin.get("PriceAccuracy")),
        total_decimals=total_decimals,
        tax_field=tax_field,
        currencies=_currencies(client, total_decimals),
        indirect_rates=admin.get("DirectIndirectRate") == "tNO",
    )


def _lasting(client: ErpClient, admin: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Name, version, country and tax field."""
    company = as_record(client.service("CompanyService_GetCompanyInfo"))
    return (
        company.get("CompanyName") or admin.get("CompanyName") or "",
        readable_version(company.get("Version")),
        admin.get("Country") or company.get("Localization") or "",
        _tax_field(client),
    )


def readable_version(version: Any) -> str:
    """`1000280` → `10.00.280`."""
    text = str(version or "")
    return f"{text[:-5]}.{text[-5:-3]}.{text[-3:]}" if text.isdigit() and len(text) >= 6 else text


def _tax_field(client: ErpClient) -> str:
    """VAT countries have input VAT groups; the others work with sales tax codes."""
    if client.settings.tax_field != "auto":
        return client.settings.tax_field
    groups = client.find("VatGroups", where=equals("Category", "bovcInputTax"), select=["Code"], top=1)
    return "VatGroup" if groups else "TaxCode"


def _currencies(client: ErpClient, total_decimals: int) -> dict[str, Currency]:
    rows = client.pages("Currencies", key="Code", select=["Code", "DocumentsCode", "Decimals"])
    return {row["Code"]: _currency(row, total_decimals) for page in rows for row in page}


def _currency(row: Mapping[str, Any], total_decimals: int) -> Currency:
    return Currency(
        code=row["Code"],
        iso=row.get("DocumentsCode") or row["Code"],
        decimals=_DECIMALS.get(str(row.get("Decimals")), total_decimals),
    )


def _whole(value: Any) -> int:
    return int(value) if value is not None else _DEFAULT_DECIMALS
