"""Business partners: 300 suppliers, 190 customers and 10 leads, and as many more suppliers as `scale` asks for."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from syncengine.sandbox.dataset.values import day

Document = dict[str, Any]

SUPPLIERS, CUSTOMERS, LEADS = 300, 190, 10
ORDINARY = 280
"""Suppliers below this index have nothing odd about them; the odd ones follow."""

FIRST = [
    "Pohjolan",
    "Nordic",
    "Suomen",
    "Baltic",
    "Arctic",
    "Lakeland",
    "Teho",
    "Turun",
    "Oulun",
    "Metso",
    "Kymi",
    "Saimaa",
    "Ilves",
    "Karhu",
    "Hanko",
]
SECOND = [
    "Laakeri",
    "Fasteners",
    "Hydraulics",
    "Työkalu",
    "Logistics",
    "Tools",
    "Safety",
    "Kiinteistö",
    "Energia",
    "Steel",
    "Pneumatics",
    "Sähkö",
    "Welding",
    "Software",
    "Consulting",
    "Transport",
    "Cleaning",
    "Packaging",
    "Lubricants",
    "Print",
]
# country: legal form, cities, currency, bank code
COUNTRIES: dict[str, tuple[str, list[tuple[str, str]], str, str]] = {
    "FI": (
        "Oy",
        [("00100", "Helsinki"), ("33100", "Tampere"), ("90100", "Oulu"), ("20100", "Turku")],
        "EUR",
        "NDEAFIHH",
    ),
    "DE": ("GmbH", [("20095", "Hamburg"), ("80331", "München"), ("50667", "Köln")], "EUR", "DEUTDEFF"),
    "SE": ("AB", [("111 20", "Stockholm"), ("411 03", "Göteborg")], "SKR", "ESSESESS"),
    "US": ("Inc.", [("60601", "Chicago"), ("77002", "Houston")], "$", "CHASUS33"),
    "GB": ("Ltd", [("M1 1AE", "Manchester")], "GBP", "BARCGB22"),
}
STREETS = ["Tehtaankatu", "Satamatie", "Hallituskatu", "Industrial Road", "Hauptstraße", "Varastokuja", "Sepänkatu"]
TERM_CYCLE = [3, 3, 2, 4, 5, 6, 7, 8, 9, -1, 1, 3, 10, 11]
ADDRESS_KINDS = [("bo_BillTo", "Head office"), ("bo_ShipTo", "Warehouse")]
IBAN_LENGTHS = {"FI": 14, "DE": 18, "SE": 20}


def partner_groups() -> list[Document]:
    names = [("Customers", "bbpgt_CustomerGroup"), ("Goods suppliers", "bbpgt_VendorGroup")]
    names.append(("Service suppliers", "bbpgt_VendorGroup"))
    return [{"Code": 100 + number, "Name": name, "Type": kind} for number, (name, kind) in enumerate(names)]


def business_partners(today: date, scale: int = 0) -> list[Document]:
    """In the order of their codes within each kind; suppliers V10000…, customers C20000…, leads L30000…"""
    suppliers = [supplier(index, today) for index in range(SUPPLIERS)]
    for index, oddity in enumerate(_oddities(today)):
        suppliers[ORDINARY + index] |= oddity
    customers = [_partner(f"C{20000 + index}", index, "cCustomer", 100, today) for index in range(CUSTOMERS)]
    leads = [_partner(f"L{30000 + index}", index, "cLid", 100, today) for index in range(LEADS)]
    return [*suppliers, *customers, *leads, *(_scaled(index, today) for index in range(scale))]


def country_of(index: int) -> str:
    """Mostly Finnish; the others at fixed places."""
    by_place = {3: "DE", 6: "SE", 8: "US" if index % 20 == 8 else "DE"}
    return "GB" if index % 50 == 41 else by_place.get(index % 10, "FI")


def supplier(index: int, today: date) -> Document:
    made = _partner(f"V{10000 + index}", index, "cSupplier", 101 + index % 2, today)
    country = country_of(index)
    _, _, currency, bank = COUNTRIES[country]
    made |= {
        "Currency": currency,
        "PayTermsGrpCode": TERM_CYCLE[index % len(TERM_CYCLE)],
        "VatGroup": _tax_of(country),
        "BPBankAccounts": _bank_accounts(made["CardCode"], index, country, bank),
    }
    if index % 13 == 5:
        made["BPAddresses"].append(_address(made["CardCode"], index + 3, country, 1))
    return made


def iban(country: str, number: int) -> str:
    """With its check digits."""
    account = str(number).rjust(IBAN_LENGTHS[country], "0")
    letters = "".join(str(ord(letter) - 55) for letter in country)
    check = 98 - int(f"{account}{letters}00") % 97
    return f"{country}{check:02d}{account}"


def _oddities(today: date) -> list[Document]:
    frozen, no_window = {"Frozen": "tYES"}, {"FrozenFrom": None, "FrozenTo": None}
    return [
        *({**frozen, **no_window} for _ in range(5)),
        frozen | {"FrozenRemarks": "Fraud suspected", "FrozenFrom": day(today, -20)},
        frozen | {"FrozenFrom": day(today, -300), "FrozenTo": day(today, -100)},
        {"Valid": "tYES", "ValidFrom": "2020-01-01", "ValidTo": day(today, -15)},
        {"Valid": "tYES", "ValidFrom": day(today, 30)},
        {"Valid": "tNO"},
        {"PaymentBlock": "tYES"},
        {"PaymentBlock": "tYES", "PaymentBlockDescription": "1"},
        {"SubjectToWithholdingTax": "boYES"},
        {"SubjectToWithholdingTax": "boYES"},
        {"CardName": None},
        {"CardName": "K"},
        {"Currency": "##"},
        {"CardName": "Long " * 19 + "Name"},
        {"BPBankAccounts": []},
        {"Currency": None, "FederalTaxID": None, "EmailAddress": None, "Phone1": None},
    ]


def _partner(code: str, index: int, kind: str, group: int, today: date) -> Document:
    country = country_of(index)
    form = COUNTRIES[country][0]
    trade = SECOND[index // len(FIRST) % len(SECOND)]
    return {
        "CardCode": code,
        "CardName": f"{FIRST[index % len(FIRST)]} {trade} {form}",
        "CardType": kind,
        "GroupCode": group,
        "Currency": "##",
        "PayTermsGrpCode": 3,
        "VatLiable": "vLiable",
        "FederalTaxID": f"{country}{10000000 + index * 7919 % 89999999}",
        "EmailAddress": f"invoices{index}@{_host(trade)}.example",
        "Phone1": f"+358 9 {5550000 + index}",
        "Country": country,
        "Valid": "tYES",
        "Frozen": "tNO",
        "PaymentBlock": "tNO",
        "SubjectToWithholdingTax": "boNO",
        "CreateDate": day(today, -700 - index),
        "CreateTime": "09:12:44",
        "UpdateDate": None if index % 17 == 4 else day(today, -10 - index % 200),
        "UpdateTime": "16:40:02",
        "DataVersion": 1 + index % 4,
        "BPAddresses": [_address(code, index, country, 0)],
        "BPBankAccounts": [],
    }


def _host(trade: str) -> str:
    return trade.lower().encode("ascii", "ignore").decode()


def _address(code: str, index: int, country: str, row: int) -> Document:
    kind, name = ADDRESS_KINDS[row]
    zip_code, city = COUNTRIES[country][1][index % len(COUNTRIES[country][1])]
    long_name = ", Building complex of the former machine works, entrance from the yard" if index % 97 == 11 else ""
    return {
        "AddressName": name,
        "AddressType": kind,
        "Street": STREETS[index % len(STREETS)] + long_name,
        "StreetNo": str(index % 120 + 1),
        "ZipCode": zip_code,
        "City": city,
        "Country": country,
        "State": "IL" if country == "US" else None,
        "BPCode": code,
        "RowNum": row,
    }


def _tax_of(country: str) -> str:
    return {"FI": "I255", "DE": "IEU", "SE": "IEU"}.get(country, "I0")


def _bank_accounts(code: str, index: int, country: str, bank: str) -> list[Document]:
    return [_bank_account(code, index, country, bank, row) for row in range(2 if index % 9 == 0 else 1)]


def _bank_account(code: str, index: int, country: str, bank: str, row: int) -> Document:
    number = 10_000_000_000 + index * 104_729 + row
    account = {"InternalKey": index * 2 + row + 1, "BPCode": code, "BankCode": bank, "Country": country}
    account |= {"AccountNo": str(number), "BICSwiftCode": bank, "AccountName": f"{code} {row + 1}"}
    if country in IBAN_LENGTHS:
        whole = iban(country, number)
        spaced = " ".join(whole[start : start + 4] for start in range(0, len(whole), 4))
        account["IBAN"] = spaced if index % 11 == 0 else whole
    return account


def _scaled(index: int, today: date) -> Document:
    code = f"VX{index:07d}"
    return {
        "CardCode": code,
        "CardName": f"Generated supplier {index}",
        "CardType": "cSupplier",
        "GroupCode": 101,
        "Currency": "EUR",
        "PayTermsGrpCode": 3,
        "VatGroup": "I255",
        "FederalTaxID": f"FI{20000000 + index}",
        "Valid": "tYES",
        "Frozen": "tNO",
        "PaymentBlock": "tNO",
        "CreditLimit": Decimal(0),
        "CreateDate": day(today, -400),
        "UpdateDate": day(today, -40),
        "UpdateTime": "10:00:00",
        "DataVersion": 1,
        "BPAddresses": [_address(code, index, "FI", 0)],
        "BPBankAccounts": [_bank_account(code, index, "FI", "NDEAFIHH", 0)],
    }
