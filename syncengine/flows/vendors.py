"""Vendors: BusinessPartners of type supplier → /v1/vendors (default-mapping.md, "vendors")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from datetime import date
from typing import Any

from syncengine.connectors.basware.external_codes import external_code
from syncengine.connectors.sap_b1.literals import is_yes
from syncengine.flows.bank_changes import created_as_known, hold_bank_change, hold_replaced_vendor
from syncengine.flows.company import FlowContext, Payload
from syncengine.flows.master import Built, Held, MasterDataFlow, Part, Source, rule
from syncengine.flows.values import compact, title, usable, window_edges
from syncengine.mapping.text import as_text

STREET = 50
ADDRESS_TYPES = {"bo_BillTo": ("PostalAddress", "B"), "bo_ShipTo": ("DeliveryAddress", "S")}


class Vendors(MasterDataFlow):
    """SAP's suppliers with their addresses, their bank accounts and whether they may be used and paid today."""

    name = "vendors"
    title = "Vendors"
    depends_on = ("payment_terms",)
    position = 60
    entity_set = "BusinessPartners"
    key_field = "CardCode"
    select = (
        "CardCode",
        "CardName",
        "CardType",
        "Currency",
        "PayTermsGrpCode",
        "FederalTaxID",
        "EmailAddress",
        "Phone1",
        "Valid",
        "ValidFrom",
        "ValidTo",
        "Frozen",
        "FrozenFrom",
        "FrozenTo",
        "PaymentBlock",
        "CreateDate",
        "UpdateDate",
        "DataVersion",
        "BPAddresses",
        "BPBankAccounts",
    )
    prefix = "V"
    parts = (Part("record", "vendors"),)
    scope = "CardType eq 'cSupplier'"
    stamps = ("UpdateDate", "CreateDate")
    resend_field = "description"

    def default_rules(self) -> list[dict[str, Any]]:
        return [
            rule("externalCode", "derived.externalCode", required=True),
            rule("vendorCode", "CardCode", required=True),
            rule("name", "default(CardName, CardCode)", required=True),
            rule("sourceSystem", "derived.sourceSystem"),
            rule("identifiers", "derived.identifiers"),
            rule("addresses", "derived.addresses"),
            rule("contacts", "derived.contacts"),
            rule("paymentTerms.paymentTermCode", "PayTermsGrpCode"),
            rule("paymentMeans", "derived.paymentMeans"),
            rule("orderingDetails.orderingFormat", "'none'"),
            rule("processingStatus.active", "derived.active"),
            rule("processingStatus.paymentDenied", "derived.paymentDenied"),
            rule("companies", "derived.companies", required=True),
        ]

    def label(self, source: Source) -> str:
        return title(source["CardCode"], source.get("CardName"))

    def search_terms(self, source: Source) -> str:
        return as_text(source.get("FederalTaxID"))

    def in_scope(self, source: Source, ctx: FlowContext) -> bool:
        return source.get("CardType") == "cSupplier"

    def edges(self, source: Source) -> list[date]:
        return window_edges(source, "Valid", "Frozen")

    def derive(self, source: Source, ctx: FlowContext) -> dict[str, Any]:
        tax_number = as_text(source.get("FederalTaxID"))
        identifier = {"schemeId": ctx.settings.vat_scheme_id, "id": tax_number}
        return {
            "identifiers": [identifier] if tax_number else None,
            "addresses": _addresses(source, ctx),
            "contacts": _contacts(source),
            "paymentMeans": [_payment_means(source, ctx)],
            "active": usable(source, ctx.today),
            "paymentDenied": is_yes(source.get("PaymentBlock")),
            "companies": [{"companyCode": ctx.company, "inheritToChildUnits": True}],
            "created": created_as_known(source.get("CreateDate"), ctx.before(self.key(source))),
        }

    def left(self, last: Payload, ctx: FlowContext, source: Source | None = None) -> Payload:
        payload = deepcopy(last)
        for body in payload["record"]:
            body.setdefault("processingStatus", {})["active"] = False
        return payload

    def hold(self, built: Built, ctx: FlowContext) -> Held:
        known = ctx.before(self.key(built.source))
        replaced = hold_replaced_vendor(built)
        if replaced is not None:
            return replaced
        if not ctx.settings.hold_bank_changes or not known.confirmed.get("record"):
            return Held(built.payload)
        return hold_bank_change(built.payload, known)

    def dependencies(self, payload: Payload) -> list[tuple[str, str]]:
        terms = [body.get("paymentTerms", {}).get("paymentTermCode") for body in payload["record"]]
        return [("payment_terms", term) for term in terms if term]


def _addresses(vendor: Source, ctx: FlowContext) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for position, entry in enumerate(vendor.get("BPAddresses") or ()):
        kind, letter = ADDRESS_TYPES.get(entry.get("AddressType"), ADDRESS_TYPES["bo_BillTo"])
        row = entry.get("RowNum")
        code = external_code(ctx.company, "A", vendor["CardCode"], letter, position if row is None else row)
        first = kind == "PostalAddress" and not any(address["addressType"] == kind for address in found)
        found.append({"externalCode": code, "addressType": kind, "default": first, **_address(entry, kind)})
    return found


def _address(entry: Mapping[str, Any], kind: str) -> dict[str, Any]:
    street = f"{as_text(entry.get('Street'))} {as_text(entry.get('StreetNo'))}".strip()
    country = as_text(entry.get("Country"))
    rest = {"key": "AdditionalStreetName", "value": street[STREET:].strip()}
    return compact(
        {
            "name": as_text(entry.get("AddressName")) or kind,
            "streetName": street[:STREET].strip(),
            "additionalAddressFields": [rest] if rest["value"] else None,
            "postalZone": as_text(entry.get("ZipCode")),
            "cityName": as_text(entry.get("City")),
            "countryId": country.upper() if re.fullmatch("[A-Za-z]{2}", country) else None,
            "countrySubEntity": as_text(entry.get("State")),
        }
    )


def _contacts(vendor: Source) -> list[dict[str, Any]] | None:
    ways = compact({"email": as_text(vendor.get("EmailAddress")), "telephone": as_text(vendor.get("Phone1"))})
    name = as_text(vendor.get("CardName")) or vendor["CardCode"]
    return [{"name": name, **ways, "role": "PrimaryContact"}] if ways else None


def _payment_means(vendor: Source, ctx: FlowContext) -> dict[str, Any]:
    currency = ctx.facts.iso(as_text(vendor.get("Currency"))) or ""
    return compact(
        {
            "paymentMeansCode": ctx.settings.payment_means_code,
            "default": True,
            "currencyCode": currency if len(currency) == 3 else None,
            "financialAccounts": _financial_accounts(vendor),
        }
    )


def _financial_accounts(vendor: Source) -> list[dict[str, Any]]:
    """Each distinct account once, however SAP's entries write it; the first is the default, as on SAP's own form."""
    found: dict[str, Mapping[str, Any]] = {}
    for entry in vendor.get("BPBankAccounts") or ():
        _scheme, number = _account_number(entry)
        if number:
            found.setdefault(number.upper(), entry)
    return [
        compact(
            {
                "financialInstitution": _institution(entry),
                "financialAccountIdentifiers": [_identifier(entry, default=index == 0)],
            }
        )
        for index, entry in enumerate(found.values())
    ]


def _identifier(entry: Mapping[str, Any], *, default: bool) -> dict[str, Any]:
    scheme, number = _account_number(entry)
    return {"schemeId": scheme, "id": number, "default": default}


def _without_blanks(value: Any) -> str:
    return "".join(as_text(value).split())


def _account_number(entry: Mapping[str, Any]) -> tuple[str, str]:
    iban = _without_blanks(entry.get("IBAN"))
    return ("IBAN", iban) if iban else ("BBAN", _without_blanks(entry.get("AccountNo")))


def _institution(entry: Mapping[str, Any]) -> dict[str, str] | None:
    bic = _without_blanks(entry.get("BICSwiftCode"))
    return {"name": as_text(entry.get("BankCode")) or bic, "id": bic, "schemeId": "BIC"} if bic else None
