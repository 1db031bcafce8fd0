"""The demo company's data set as the REST ERP keeps it: flat, in its own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Item = dict[str, Any]


def of(data: Mapping[str, list[Item]]) -> dict[str, dict[Any, Item]]:
    """Every resource, its items by key; no invoice is booked and nothing is paid yet."""
    vendors = [_vendor(one) for one in data["BusinessPartners"] if one["CardType"] == "cSupplier"]
    accounts = [_account(one) for one in data["ChartOfAccounts"] if one["ActiveAccount"] == "tYES"]
    centers = [_center(one) for one in data["ProfitCenters"] if one["InWhichDimension"] == 1]
    taxes = [_tax(one) for one in data["VatGroups"] if one["Category"] == "bovcInputTax"]
    terms = [_term(one) for one in data["PaymentTermsTypes"]]
    orders = [_order(one) for one in data["PurchaseOrders"] if one["DocType"] == "dDocument_Service"]
    return {
        "vendors": {item["code"]: item for item in vendors},
        "accounts": {item["code"]: item for item in accounts},
        "cost-centers": {item["code"]: item for item in centers},
        "tax-codes": {item["code"]: item for item in taxes},
        "payment-terms": {item["number"]: item for item in terms},
        "purchase-orders": {item["id"]: item for item in orders},
        "invoices": {},
        "payments": {},
    }


def _vendor(one: Item) -> Item:
    return {
        "code": one["CardCode"],
        "name": one["CardName"],
        "payment_term": one.get("PayTermsGrpCode"),
        "tax_number": one.get("FederalTaxID"),
        "email": one.get("EmailAddress"),
        "active": one.get("Frozen") != "tYES",
        "payment_blocked": one.get("PaymentBlock") == "tYES",
        "created_on": one.get("CreateDate"),
        "updated_on": one.get("UpdateDate"),
    }


def _account(one: Item) -> Item:
    return {
        "code": one["Code"],
        "name": one["Name"],
        "postable": one.get("LockManualTransaction") != "tYES",
        "active": one.get("FrozenFor") != "tYES",
    }


def _center(one: Item) -> Item:
    return {
        "code": one["CenterCode"],
        "name": one["CenterName"],
        "active": one["Active"] == "tYES",
        "valid_from": one.get("EffectiveFrom"),
        "valid_to": one.get("EffectiveTo"),
    }


def _tax(one: Item) -> Item:
    newest = max(one["VatGroups_Lines"], key=lambda line: line["Effectivefrom"])
    return {"code": one["Code"], "name": one["Name"], "rate": newest["Rate"], "active": one["Inactive"] != "tYES"}


def _term(one: Item) -> Item:
    return {
        "number": one["GroupNumber"],
        "name": one["PaymentTermsGroupName"],
        "days": max(one.get("NumberOfAdditionalDays") or 0, 0),
    }


def _order(one: Item) -> Item:
    return {
        "id": one["DocEntry"],
        "number": one["DocNum"],
        "vendor": one["CardCode"],
        "vendor_name": one.get("CardName"),
        "date": one["DocDate"],
        "delivery_date": one.get("DocDueDate"),
        "currency": one["DocCurrency"],
        "total": one["DocTotal"],
        "open": one["DocumentStatus"] == "bost_Open",
        "created_on": one.get("CreationDate"),
        "updated_on": one.get("UpdateDate"),
        "lines": [_line(line) for line in one["DocumentLines"]],
    }


def _line(line: Item) -> Item:
    is_open = line["LineStatus"] == "bost_Open"
    return {
        "line": line["LineNum"] + 1,
        "text": line.get("ItemDescription"),
        "account": line.get("AccountCode"),
        "cost_center": line.get("CostingCode"),
        "tax_code": line.get("VatGroup"),
        "net": line["LineTotal"],
        "open_net": line["LineTotal"] if is_open else 0,
        "open": is_open,
    }
