"""A small SAP in memory, and factories for what flows read: enough of each record, overridden by keyword."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from syncengine.connectors.outcomes import Rejected
from syncengine.connectors.sap_b1.company import CompanyFacts, Currency
from syncengine.flows.company import FlowContext
from syncengine.flows.settings import FlowSettings
from syncengine.sandbox.sap_b1.filters import parse_filter
from syncengine.sandbox.sap_b1.model import entity_set

TODAY = date(2026, 11, 20)
Record = dict[str, Any]


class FakeSap:
    """The reads of the SAP client over lists of records; `asked` keeps (entity set, filter) of each call."""

    def __init__(self, **tables: list[Record]) -> None:
        self.tables = tables
        self.asked: list[tuple[str, str]] = []

    def pages(
        self,
        entity_set: str,
        *,
        key: str,
        select: Sequence[str],
        where: str = "",
        page_size: int = 100,
        after: str | int | None = None,
    ) -> Iterator[list[Record]]:
        found = [row for row in self._matching(entity_set, where, key) if after is None or row[key] > after]
        found.sort(key=lambda row: row[key])
        for start in range(0, len(found), page_size):
            yield [_selected(row, key, select) for row in found[start : start + page_size]]

    def by_keys(self, entity_set: str, key_name: str, keys: Iterable[str | int], select: Sequence[str]) -> list[Record]:
        wanted = set(keys)
        rows = self._matching(entity_set, "", key_name)
        return [_selected(row, key_name, select) for row in rows if row[key_name] in wanted]

    def _matching(self, name: str, where: str, key: str) -> list[Record]:
        self.asked.append((name, where))
        if name not in self.tables:
            raise Rejected(f"Service Not Found: {name}", code="sap_-1002")
        if not where:
            return list(self.tables[name])
        kinds = entity_set("PurchaseDeliveryNotes" if name == "PurchaseReturns" else name).type.kinds
        passes = parse_filter(where, kinds, v1=False, fold=False, key=key).matches
        return [row for row in self.tables[name] if passes(row)]


def _selected(row: Record, key: str, select: Sequence[str]) -> Record:
    return {name: row.get(name) for name in dict.fromkeys((key, *select))}


FACTS = CompanyFacts(
    name="Nordic Industrial Supply Oy",
    version="10.00.280",
    country="FI",
    local_currency="EUR",
    system_currency="EUR",
    branches=False,
    approval=False,
    price_decimals=6,
    total_decimals=2,
    tax_field="VatGroup",
    currencies={
        "EUR": Currency("EUR", "EUR", 2),
        "$": Currency("$", "USD", 2),
        "JPY": Currency("JPY", "JPY", 0),
    },
)


def context(**changed: Any) -> FlowContext:
    """The company 1000 on TODAY; `settings` may be given as a dict."""
    settings = changed.pop("settings", {})
    given = {"company": "1000", "today": TODAY, "facts": FACTS, "settings": FlowSettings(**settings)}
    return FlowContext(**{**given, **changed})


def payment_term(**changed: Any) -> Record:
    return {
        "GroupNumber": 3,
        "PaymentTermsGroupName": "30 days net",
        "StartFrom": "pdt_None",
        "EndAt": None,
        "NumberOfAdditionalMonths": 0,
        "NumberOfAdditionalDays": 30,
        "NumberOfInstallments": 1,
        "DiscountCode": "",
        **changed,
    }


def vat_group(**changed: Any) -> Record:
    return {
        "Code": "I255",
        "Name": "Input 25.5 %",
        "Category": "bovcInputTax",
        "Inactive": "tNO",
        "AcquisitionReverse": "tNO",
        "NonDeduct": Decimal(0),
        "VatGroups_Lines": [
            {"Effectivefrom": "2013-01-01T00:00:00Z", "Rate": Decimal("24.0")},
            {"Effectivefrom": "2024-09-01T00:00:00Z", "Rate": Decimal("25.5")},
        ],
        **changed,
    }


def account(**changed: Any) -> Record:
    return {
        "Code": "6000",
        "Name": "Office supplies",
        "FormatCode": "6000",
        "ActiveAccount": "tYES",
        "LockManualTransaction": "tNO",
        "BlockManualPosting": "tNO",
        "ValidFor": "tNO",
        "ValidFrom": None,
        "ValidTo": None,
        "FrozenFor": "tNO",
        "FrozenFrom": None,
        "FrozenTo": None,
        "DefaultVatGroup": None,
        **changed,
    }


def profit_center(**changed: Any) -> Record:
    return {
        "CenterCode": "CC100",
        "CenterName": "IT",
        "InWhichDimension": 1,
        "EffectiveFrom": "2020-01-01T00:00:00Z",
        "EffectiveTo": None,
        "Active": "tYES",
        **changed,
    }


def distribution_rule(**changed: Any) -> Record:
    return {
        "FactorCode": "SPLIT1",
        "FactorDescription": "IT and HR",
        "InWhichDimension": 1,
        "Active": "tYES",
        **changed,
    }


def project(**changed: Any) -> Record:
    return {
        "Code": "PRJ01",
        "Name": "New warehouse",
        "ValidFrom": "2026-01-01T00:00:00Z",
        "ValidTo": None,
        "Active": "tYES",
        **changed,
    }


def bank_account(**changed: Any) -> Record:
    return {
        "InternalKey": 77,
        "BankCode": "Nordea",
        "AccountNo": "12345600000785",
        "IBAN": "FI21 1234 5600 0007 85",
        "BICSwiftCode": "NDEAFIHH",
        **changed,
    }


def address(**changed: Any) -> Record:
    return {
        "AddressName": "Head office",
        "AddressType": "bo_BillTo",
        "Street": "Tehtaankatu",
        "StreetNo": "1",
        "ZipCode": "00140",
        "City": "Helsinki",
        "Country": "FI",
        "State": None,
        "RowNum": 0,
        **changed,
    }


def vendor(**changed: Any) -> Record:
    return {
        "CardCode": "V10012",
        "CardName": "Nordic Paper Oy",
        "CardType": "cSupplier",
        "Currency": "EUR",
        "PayTermsGrpCode": 3,
        "FederalTaxID": "FI12345678",
        "EmailAddress": "ar@nordicpaper.example",
        "Phone1": "+358 9 1234",
        "Valid": "tYES",
        "ValidFrom": None,
        "ValidTo": None,
        "Frozen": "tNO",
        "FrozenFrom": None,
        "FrozenTo": None,
        "PaymentBlock": "tNO",
        "CreateDate": "2024-02-01T00:00:00Z",
        "UpdateDate": "2026-11-18T00:00:00Z",
        "DataVersion": 3,
        "BPAddresses": [address()],
        "BPBankAccounts": [bank_account()],
        **changed,
    }


def order_line(**changed: Any) -> Record:
    return {
        "LineNum": 0,
        "ItemCode": "PAPER-A4",
        "ItemDescription": "Copy paper A4",
        "Quantity": Decimal(200),
        "RemainingOpenQuantity": Decimal(200),
        "Price": Decimal("5.0"),
        "LineTotal": Decimal("1000.0"),
        "RowTotalFC": Decimal(0),
        "OpenAmount": Decimal(1000),
        "LineStatus": "bost_Open",
        "AccountCode": "6000",
        "CostingCode": "CC100",
        "ProjectCode": None,
        "VatGroup": "I255",
        "TaxPercentagePerRow": Decimal("25.5"),
        "MeasureUnit": "pcs",
        "BaseType": -1,
        "BaseEntry": None,
        "BaseLine": None,
        **changed,
    }


def order(**changed: Any) -> Record:
    return {
        "DocEntry": 812,
        "DocNum": 26000345,
        "DocType": "dDocument_Items",
        "CardCode": "V10012",
        "CardName": "Nordic Paper Oy",
        "DocDate": "2026-11-02T00:00:00Z",
        "DocDueDate": "2026-11-16T00:00:00Z",
        "DocCurrency": "EUR",
        "DocTotal": Decimal(1255),
        "DocTotalFc": Decimal(0),
        "DocumentStatus": "bost_Open",
        "CancelStatus": "csNo",
        "PaymentGroupCode": 3,
        "BPL_IDAssignedToInvoice": None,
        "Comments": "Yearly contract",
        "CreationDate": "2026-11-02",
        "UpdateDate": "2026-11-09",
        "DataVersion": 2,
        "DocumentLines": [order_line()],
        **changed,
    }


def receipt_line(**changed: Any) -> Record:
    return {
        "LineNum": 0,
        "BaseType": 22,
        "BaseEntry": 812,
        "BaseLine": 0,
        "Quantity": Decimal(80),
        "RemainingOpenQuantity": Decimal(80),
        "Price": Decimal(5),
        "LineTotal": Decimal(400),
        "RowTotalFC": Decimal(0),
        "OpenAmount": Decimal(400),
        "LineStatus": "bost_Open",
        **changed,
    }


def receipt(**changed: Any) -> Record:
    return {
        "DocEntry": 530,
        "DocNum": 20001501,
        "CardCode": "V10012",
        "DocDate": "2026-11-10T00:00:00Z",
        "NumAtCard": "DN-88120",
        "DocumentStatus": "bost_Open",
        "CancelStatus": "csNo",
        "CreationDate": "2026-11-10",
        "UpdateDate": None,
        "DocumentLines": [receipt_line()],
        **changed,
    }
