"""The company's ledger beside its accounts: cost centers, projects, terms, tax codes, currencies, periods."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from syncengine.sandbox.dataset.values import day, yes

Document = dict[str, Any]

COST_CENTERS = [
    ("ADM", "Administration"),
    ("FIN", "Finance"),
    ("HR", "Human resources"),
    ("IT", "Information technology"),
    ("MKT", "Marketing"),
    ("PUR", "Purchasing"),
    ("QUA", "Quality"),
    ("HEL", "Helsinki branch"),
    ("TRE", "Tampere branch"),
    ("OUL", "Oulu branch"),
    ("TKU", "Turku branch"),
    ("VAA", "Vaasa branch"),
    ("WH1", "Central warehouse"),
    ("WH2", "Northern warehouse"),
    ("SRV", "Field service"),
    ("CAL", "Calibration laboratory"),
    ("WEB", "Web shop"),
    ("OLD", "Lahti branch (closed)"),
    ("END", "Project office 2024"),
    ("NEW", "Kuopio branch (opens)"),
]
PRODUCT_LINES = [
    ("L-BRG", "Bearings"),
    ("L-FAS", "Fasteners"),
    ("L-HYD", "Hydraulics"),
    ("L-PNE", "Pneumatics"),
    ("L-SAF", "Safety"),
    ("L-TOO", "Tools"),
    ("L-WLD", "Welding"),
    ("L-ELE", "Electrical"),
    ("L-LUB", "Lubricants"),
    ("L-MIS", "Other products"),
]
PROJECT_NAMES = [
    "Warehouse automation",
    "ERP renewal",
    "Oulu expansion",
    "Solar roof Helsinki",
    "Web shop 2.0",
    "Fleet renewal",
    "ISO 14001",
    "Paper mill service contract",
    "Wind farm spare parts",
    "Mine site Kittilä",
    "Customer portal",
    "Energy audit",
    "Lahti closing",
    None,
    "Kuopio opening",
]
# group number, name, start from, months, days, instalments, cash discount code
TERMS: list[tuple[int, str, str, int, int, int, str]] = [
    (-1, "Cash basic", "pdt_None", 0, 0, 1, ""),
    (1, "Immediately", "pdt_None", 0, 0, 1, ""),
    (2, "14 days net", "pdt_None", 0, 14, 1, ""),
    (3, "30 days net", "pdt_None", 0, 30, 1, ""),
    (4, "60 days net", "pdt_None", 0, 60, 1, ""),
    (5, "End of month", "pdt_MonthEnd", 0, 0, 1, ""),
    (6, "End of month + 15 days", "pdt_MonthEnd", 0, 15, 1, ""),
    (7, "End of next month + 10 days", "pdt_MonthEnd", 1, 10, 1, ""),
    (8, "15th of next month", "pdt_MonthStart", 0, 14, 1, ""),
    (9, "30 days, 2 % within 10", "pdt_None", 0, 30, 1, "2-10"),
    (10, "Three instalments", "pdt_None", 0, 30, 3, ""),
    (11, "One month", "pdt_None", 1, 0, 1, ""),
]
STANDARD_HISTORY = [("2013-01-01", "24"), ("2024-09-01", "25.5")]
# code, name, category, rate history, further properties; a history given as a number starts so many days from today
TAX_CODES: list[tuple[str, str, str, list[tuple[str | int, str]], Document]] = [
    ("I255", "Purchases 25.5 %", "bovcInputTax", [*STANDARD_HISTORY], {}),
    ("I135", "Purchases, food and books", "bovcInputTax", [("2013-01-01", "14"), ("2026-01-01", "13.5")], {}),
    ("I10", "Purchases 10 %", "bovcInputTax", [("2013-01-01", "10")], {}),
    ("I0", "Purchases 0 %", "bovcInputTax", [("2013-01-01", "0")], {}),
    ("IRC", "Services, reverse charge", "bovcInputTax", [*STANDARD_HISTORY], {"AcquisitionReverse": "tYES"}),
    ("IEU", "Goods from the EU", "bovcInputTax", [*STANDARD_HISTORY], {"AcquisitionReverse": "tYES", "EU": "tYES"}),
    ("IND", "Purchases, half deductible", "bovcInputTax", [*STANDARD_HISTORY], {"NonDeduct": Decimal(50)}),
    ("I22", "Purchases 22 % (old)", "bovcInputTax", [("2010-01-01", "22")], {"Inactive": "tYES"}),
    ("INEW", "Purchases, rate to come", "bovcInputTax", [(120, "26")], {}),
    ("O255", "Sales 25.5 %", "bovcOutputTax", [*STANDARD_HISTORY], {}),
]
# company's own code, ISO code, name, units of local currency for one
CURRENCIES = [
    ("EUR", "EUR", "Euro", "1"),
    ("$", "USD", "US Dollar", "0.92"),
    ("SKR", "SEK", "Swedish Krona", "0.0875"),
    ("GBP", "GBP", "Pound Sterling", "1.17"),
    ("NKR", "NOK", "Norwegian Krone", "0.0855"),
]
OPEN_DAYS_BACK = 120


def profit_centers(today: date) -> list[Document]:
    centers = [_center(code, name, 1) for code, name in COST_CENTERS]
    centers += [_center(code, name, 2) for code, name in PRODUCT_LINES]
    by_code = {center["CenterCode"]: center for center in centers}
    by_code["OLD"]["Active"] = "tNO"
    by_code["END"]["EffectiveTo"] = day(today, -60)
    by_code["NEW"]["EffectiveFrom"] = day(today, 45)
    return centers


def distribution_rules(centers: list[Document]) -> list[Document]:
    """The automatic rule of every cost center, and three that split."""
    rules = [_rule(c["CenterCode"], c["CenterName"], c["InWhichDimension"], [c["CenterCode"]]) for c in centers]
    return [
        *rules,
        _rule("S-BRANCH", "Branches, equal shares", 1, ["HEL", "TRE", "OUL", "TKU", "VAA"]),
        _rule("S-WHS", "Both warehouses", 1, ["WH1", "WH2"]),
        _rule("S-HQ", "Head office", 1, ["ADM", "FIN", "HR", "IT"]),
    ]


def dimensions() -> list[Document]:
    names = ["Cost center", "Product line", "Dimension 3", "Dimension 4", "Dimension 5"]
    return [
        {
            "DimensionCode": number,
            "DimensionName": f"Dimension {number}",
            "DimensionDescription": name,
            "IsActive": active,
        }
        for number, (name, active) in enumerate(zip(names, ["tYES", "tYES", "tNO", "tNO", "tNO"], strict=True), start=1)
    ]


def projects(today: date) -> list[Document]:
    made = [
        {"Code": f"P{number:03d}", "Name": name, "Active": "tYES", "ValidFrom": "2023-01-01" if number % 2 else None}
        for number, name in enumerate(PROJECT_NAMES, start=1)
    ]
    made[5]["ValidTo"] = day(today, 300)
    made[11]["ValidTo"] = day(today, -20)
    made[12]["Active"] = "tNO"
    made[14]["ValidFrom"] = day(today, 45)
    return made


def payment_terms() -> list[Document]:
    return [
        {
            "GroupNumber": number,
            "PaymentTermsGroupName": name,
            "StartFrom": start,
            "NumberOfAdditionalMonths": months,
            "NumberOfAdditionalDays": days,
            "NumberOfToleranceDays": 0,
            "NumberOfInstallments": instalments,
            "BaselineDate": "bld_TaxDate",
            "DiscountCode": discount,
            "GeneralDiscount": Decimal(0),
            "InterestOnArrears": Decimal(8),
        }
        for number, name, start, months, days, instalments, discount in TERMS
    ]


def vat_groups(today: date) -> list[Document]:
    return [
        {
            "Code": code,
            "Name": name,
            "Category": category,
            "Inactive": "tNO",
            "EU": "tNO",
            "AcquisitionReverse": "tNO",
            "NonDeduct": Decimal(0),
            "TaxAccount": "1704",
            "VatGroups_Lines": [_rate_line(start, rate, today) for start, rate in history],
        }
        | more
        for code, name, category, history, more in TAX_CODES
    ]


def currencies(today: date) -> list[Document]:
    """The company's currencies; the rate table reaches from 500 days back to 60 ahead."""
    return [
        {
            "Code": code,
            "Name": name,
            "DocumentsCode": iso,
            "InternationalDescription": name,
            "Decimals": "cd2Digits",
            "Rate": Decimal(rate),
            "RatesFrom": day(today, -500),
            "RatesTo": day(today, 60),
        }
        for code, iso, name, rate in CURRENCIES
    ]


def additional_expenses() -> list[Document]:
    accounts_by_name = [("Freight", "6401"), ("Packaging", "6405"), ("Customs", "4505"), ("Insurance", "6705")]
    return [
        {"ExpensCode": number, "Name": name, "ExpenseAccount": account, "InputVATGroup": "I255", "DataVersion": 1}
        for number, (name, account) in enumerate(accounts_by_name, start=1)
    ]


def finance_periods(today: date) -> list[Document]:
    """Every month of last year, this one and the next; locked are those that ended more than OPEN_DAYS_BACK ago."""
    months = [(year, month) for year in (today.year - 1, today.year, today.year + 1) for month in range(1, 13)]
    return [_period(number, year, month, today) for number, (year, month) in enumerate(months, start=1)]


def _period(number: int, year: int, month: int, today: date) -> Document:
    first, last = date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
    locked = last < today - timedelta(days=OPEN_DAYS_BACK)
    return {
        "AbsoluteEntry": number,
        "PeriodCode": f"{year}-{month:02d}",
        "PeriodName": f"{year}-{month:02d}",
        "PostingDateFrom": first.isoformat(),
        "PostingDateTo": last.isoformat(),
        "ValueDateFrom": (first - timedelta(days=365)).isoformat(),
        "ValueDateTo": (last + timedelta(days=730)).isoformat(),
        "TaxDateFrom": (first - timedelta(days=730)).isoformat(),
        "TaxDateTo": last.isoformat(),
        "PeriodIndicator": str(year),
        "SubNum": month,
        "PeriodStatus": "ltLocked" if locked else "ltUnlocked",
        "Locked": yes(locked),
    }


def _center(code: str, name: str, dimension: int) -> Document:
    return {
        "CenterCode": code,
        "CenterName": name,
        "GroupCode": "",
        "InWhichDimension": dimension,
        "EffectiveFrom": "2020-01-01",
        "Active": "tYES",
    }


def _rule(code: str, name: str, dimension: int, centers: list[str]) -> Document:
    return {
        "FactorCode": code,
        "FactorDescription": name,
        "TotalFactor": Decimal(len(centers)),
        "Direct": "tYES" if centers == [code] else "tNO",
        "InWhichDimension": dimension,
        "Active": "tYES",
        "IsFixedAmount": "tNO",
        "DistributionRuleLines": [
            {"CenterCode": center, "TotalInCenter": Decimal(1), "EffectiveFrom": "2020-01-01"} for center in centers
        ],
    }


def _rate_line(start: str | int, rate: str, today: date) -> Document:
    effective = day(today, start) if isinstance(start, int) else start
    return {"Effectivefrom": effective, "Rate": Decimal(rate)}
