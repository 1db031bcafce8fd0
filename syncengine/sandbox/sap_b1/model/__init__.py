"""The entity model: sets, their keys, and every property with its kind (contracts: sap-b1-entities.json).

Kinds: s text, i whole number, n double, b boolean, d calendar date, t time of day, y yes/no, an enum's name,
`Type[]` a collection and `Type{}` a single complex value (`Any` = taken as it is).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from syncengine.sandbox.sap_b1.model import documents, enums, finance, partners

OWN_TABLES = {
    "UserFieldMD": """
s Name TableName Description LinkedTable DefaultValue
s Type SubType
i FieldID Size EditSize
y Mandatory
""",
}
# set: type, key, kind of key
SETS = {
    "AdditionalExpenses": ("AdditionalExpense", "ExpensCode", "i"),
    "ApprovalRequests": ("ApprovalRequest", "Code", "i"),
    "Attachments2": ("Attachments2", "AbsoluteEntry", "i"),
    "BusinessPartnerGroups": ("BusinessPartnerGroup", "Code", "i"),
    "BusinessPartners": ("BusinessPartner", "CardCode", "s"),
    "BusinessPlaces": ("BusinessPlace", "BPLID", "i"),
    "ChartOfAccounts": ("ChartOfAccount", "Code", "s"),
    "Currencies": ("Currency", "Code", "s"),
    "Dimensions": ("Dimension", "DimensionCode", "i"),
    "DistributionRules": ("DistributionRule", "FactorCode", "s"),
    "Drafts": ("Document", "DocEntry", "i"),
    "Items": ("Item", "ItemCode", "s"),
    "PaymentTermsTypes": ("PaymentTermsType", "GroupNumber", "i"),
    "ProfitCenters": ("ProfitCenter", "CenterCode", "s"),
    "Projects": ("Project", "Code", "s"),
    "PurchaseCreditNotes": ("Document", "DocEntry", "i"),
    "PurchaseDeliveryNotes": ("Document", "DocEntry", "i"),
    "PurchaseDownPayments": ("Document", "DocEntry", "i"),
    "PurchaseInvoices": ("Document", "DocEntry", "i"),
    "PurchaseOrders": ("Document", "DocEntry", "i"),
    "PurchaseReturns": ("Document", "DocEntry", "i"),
    "SalesTaxCodes": ("SalesTaxCode", "Code", "s"),
    "UserFieldsMD": ("UserFieldMD", "FieldID", "i"),
    "VatGroups": ("VatGroup", "Code", "s"),
    "VendorPayments": ("Payment", "DocEntry", "i"),
    "WithholdingTaxCodes": ("WithholdingTaxCode", "WTCode", "s"),
}
# (type, navigation property): set, own field that holds the key
NAVIGATION = {
    ("Document", "BusinessPartner"): ("BusinessPartners", "CardCode"),
    ("Document", "PaymentTermsType"): ("PaymentTermsTypes", "PaymentGroupCode"),
    ("Document", "Currency"): ("Currencies", "DocCurrency"),
    ("BusinessPartner", "PaymentTermsType"): ("PaymentTermsTypes", "PayTermsGrpCode"),
    ("BusinessPartner", "BusinessPartnerGroup"): ("BusinessPartnerGroups", "GroupCode"),
    ("Payment", "BusinessPartner"): ("BusinessPartners", "CardCode"),
}
UDF_TABLES = {
    "Document": {"OPCH", "ORPC", "OPOR", "OPDN", "ODPO", "ODRF", "ORPD"},
    "BusinessPartner": {"OCRD"},
    "Payment": {"OVPM"},
    "Item": {"OITM"},
}
YES_NO = {"tYES": "tYES", "tNO": "tNO", "Y": "tYES", "N": "tNO", "boYES": "boYES", "boNO": "boNO", "boNONE": "boNONE"}


@dataclass(frozen=True)
class EntityType:
    name: str
    kinds: dict[str, str]

    @property
    def has_etag(self) -> bool:
        return "DataVersion" in self.kinds


@dataclass(frozen=True)
class EntitySet:
    name: str
    type: EntityType
    key: str
    key_kind: str


@cache
def entity_type(name: str) -> EntityType:
    tables = {**documents.TABLES, **partners.TABLES, **finance.TABLES, **OWN_TABLES}
    kinds = {}
    for line in tables[name].split("\n"):
        kind, _, names = line.partition(" ")
        kinds.update(dict.fromkeys(names.split(), kind))
    return EntityType(name, kinds)


@cache
def entity_set(name: str) -> EntitySet | None:
    if name not in SETS:
        return None
    type_name, key, kind = SETS[name]
    return EntitySet(name, entity_type(type_name), key, kind)


@cache
def literals(enum: str) -> dict[str, str]:
    """Everything that is taken for a value of the enum, and the name that is given back."""
    if enum == "y":
        return YES_NO
    names = enums.LITERALS[enum].split()
    return {**{name: name for name in names}, **enums.LETTERS.get(enum, {})}


def is_enum(kind: str) -> bool:
    return kind == "y" or kind in enums.LITERALS


def complex_type(kind: str) -> EntityType | None:
    """The type inside `Type[]` or `Type{}`; None for a primitive kind and for what is taken as it is."""
    name = kind[:-2]
    return entity_type(name) if kind.endswith(("[]", "{}")) and name != "Any" else None


def default(kind: str) -> Any:
    """What SAP answers for a property that nobody filled."""
    if kind.endswith("[]"):
        return []
    return {"y": "tNO", "n": 0}.get(kind)
