"""The chart of accounts."""

from __future__ import annotations

from datetime import date
from typing import Any

from syncengine.sandbox.dataset.values import window, yes

Document = dict[str, Any]

ACCOUNT_GROUPS: list[tuple[int, str, str, list[str]]] = [
    (1000, "Intangible assets", "at_Other", ["Software licences", "Development costs", "Goodwill"]),
    (1100, "Machinery and equipment", "at_Other", ["Forklifts", "Warehouse racking", "Vehicles", "IT equipment"]),
    (
        1500,
        "Inventories",
        "at_Other",
        ["Goods for resale", "Goods in transit", "Packaging material", "Advance payments"],
    ),
    (1700, "Receivables", "at_Other", ["Trade receivables", "Other receivables", "Prepaid expenses", "VAT receivable"]),
    (1900, "Cash and bank", "at_Other", ["Petty cash", "Nordea current account", "OP current account", "USD account"]),
    (2000, "Equity", "at_Other", ["Share capital", "Retained earnings", "Profit for the year"]),
    (2500, "Payables", "at_Other", ["Trade payables", "Trade payables, foreign", "Accrued expenses", "VAT payable"]),
    (3000, "Sales", "at_Revenues", ["Sales, domestic", "Sales, EU", "Sales, export", "Freight invoiced", "Discounts"]),
    (
        4000,
        "Purchases",
        "at_Expenses",
        [
            "Goods purchased, domestic",
            "Goods purchased, EU",
            "Goods purchased, import",
            "Bearings and transmissions",
            "Fasteners",
            "Tools",
            "Safety equipment",
            "Hydraulics",
            "Purchase discounts",
        ],
    ),
    (
        4500,
        "External services for sale",
        "at_Expenses",
        [
            "Subcontracting",
            "Calibration services",
            "Installation services",
            "Inbound freight",
            "Customs duties",
            "Forwarding",
        ],
    ),
    (
        5000,
        "Personnel",
        "at_Expenses",
        ["Wages", "Salaries", "Holiday pay", "Pension insurance", "Social security", "Training", "Occupational health"],
    ),
    (
        6000,
        "Premises",
        "at_Expenses",
        [
            "Rent, Helsinki",
            "Rent, Tampere",
            "Rent, Oulu",
            "Electricity",
            "Heating",
            "Water",
            "Cleaning",
            "Security",
            "Repairs",
        ],
    ),
    (
        6300,
        "Vehicles and machinery",
        "at_Expenses",
        ["Fuel", "Vehicle leasing", "Vehicle service", "Forklift maintenance", "Machine hire", "Spare parts", "Tyres"],
    ),
    (
        6400,
        "Transport",
        "at_Expenses",
        ["Freight, domestic", "Freight, EU", "Freight, overseas", "Courier", "Packaging", "Pallets"],
    ),
    (
        6500,
        "IT and communication",
        "at_Expenses",
        [
            "Software subscriptions",
            "IT support",
            "Cloud services",
            "Telephone",
            "Data connections",
            "Small IT equipment",
        ],
    ),
    (
        6600,
        "Marketing",
        "at_Expenses",
        ["Advertising", "Trade fairs", "Catalogues", "Web shop", "Sponsoring", "Business gifts", "Representation"],
    ),
    (
        6700,
        "Administration",
        "at_Expenses",
        [
            "Office supplies",
            "Professional services",
            "Audit",
            "Legal services",
            "Insurance",
            "Bank charges",
            "Subscriptions",
            "Membership fees",
            "Postage",
        ],
    ),
    (
        6800,
        "Travel",
        "at_Expenses",
        ["Flights", "Trains", "Hotels", "Daily allowances", "Kilometre allowances", "Taxis"],
    ),
    (
        6900,
        "Other expenses",
        "at_Expenses",
        ["Waste management", "Protective clothing", "Credit losses", "Sundry expenses"],
    ),
    (7000, "Depreciation", "at_Expenses", ["Depreciation, machinery", "Depreciation, vehicles", "Depreciation, IT"]),
    (8000, "Financial items", "at_Other", ["Interest income", "Interest expense", "Exchange gains", "Exchange losses"]),
    (9000, "Taxes", "at_Other", ["Income tax", "Deferred tax"]),
]
CONTROL = {"1701", "2501", "2502", "1704", "2504"}
BLOCKED = {"2003", "5005"}
FROZEN: dict[str, tuple[int | None, int | None]] = {"6606": (None, None), "6704": (-90, None), "6709": (-400, -30)}
WINDOWS: dict[str, tuple[int | None, int | None]] = {"6603": (-900, -40), "6904": (60, None), "6506": (-700, 400)}
TAX_BY_ACCOUNT = {"6606": "IND", "6607": "IND", "6707": "I10", "6706": "I0", "6705": "I0", "5006": "I255"}


def accounts(today: date) -> list[Document]:
    """Titles, control accounts, frozen ones and validity windows among 140."""
    made = [_title("A", "Balance sheet", None, 1), _title("P", "Profit and loss", None, 1)]
    for base, title, kind, names in ACCOUNT_GROUPS:
        parent = "A" if base < 3000 else "P"
        made.append(_title(str(base), title, parent, 2, kind))
        made += [_account(str(base + number), name, base, kind, today) for number, name in enumerate(names, start=1)]
    return made


def _title(code: str, name: str, parent: str | None, level: int, kind: str = "at_Other") -> Document:
    return {
        "Code": code,
        "Name": name,
        "FatherAccountKey": parent,
        "AccountLevel": level,
        "AccountType": kind,
        "ActiveAccount": "tNO",
        "AcctCurrency": "##",
        "LockManualTransaction": "tNO",
        "BlockManualPosting": "tNO",
        "ValidFor": "tNO",
        "FrozenFor": "tNO",
    }


def _account(code: str, name: str, parent: int, kind: str, today: date) -> Document:
    account = _title(code, name, str(parent), 3, kind) | {
        "ActiveAccount": "tYES",
        "FormatCode": code,
        "LockManualTransaction": yes(code in CONTROL),
        "BlockManualPosting": yes(code in BLOCKED),
        "ProjectRelevant": "tNO",
        "DistributionRuleRelevant": yes(kind == "at_Expenses"),
        "FrozenFor": yes(code in FROZEN),
        "ValidFor": yes(code in WINDOWS),
    }
    account["FrozenFrom"], account["FrozenTo"] = window(FROZEN.get(code), today)
    account["ValidFrom"], account["ValidTo"] = window(WINDOWS.get(code), today)
    default_tax = "I255" if kind == "at_Expenses" and code[:2] not in {"50", "70"} else None
    account["DefaultVatGroup"] = TAX_BY_ACCOUNT.get(code, default_tax)
    return account
