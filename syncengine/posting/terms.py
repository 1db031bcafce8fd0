"""What decides a posting besides the document and SAP's records: the company, its settings and lookup tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from syncengine.posting.amounts import CENT


@dataclass(frozen=True)
class Terms:
    """One integration's terms of posting on one day.

    local_currency     SAP's code (AdminInfo.LocalCurrency); `currencies` leads from Basware's codes to SAP's
    currency_decimals  those of SAP's Currencies; `decimals` and `price_decimals` are AdminInfo's accuracies
    mark_field         the user-defined field that carries the invoice id, "" where there is none

    The rest are settings of default-mapping.md by their names.
    """

    today: date
    local_currency: str = "EUR"
    currencies: Mapping[str, str] = field(default_factory=dict)
    currency_decimals: Mapping[str, int] = field(default_factory=dict)
    decimals: int = 2
    price_decimals: int = 6
    tax_field: Literal["VatGroup", "TaxCode"] = "VatGroup"
    dimension: int = 1
    branches: bool = False
    mark_field: str = ""
    source_system: str = "SAPB1"
    credit_note_types: Collection[str] = ()
    invoice_types: Collection[str] = ()
    allow_zero_total: bool = False
    next_open_day: bool = False
    allow_unusual_dates: bool = False
    foreign_amount_field: Literal["UnitPrice", "RowTotalFC"] = "UnitPrice"
    withholding_tax: Literal["problem", "sap", "none"] = "problem"
    allow_unlinked_returns: bool = False
    lookups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def costing_field(self) -> str:
        """The line field of the connection's dimension: CostingCode, CostingCode2 … CostingCode5."""
        return f"CostingCode{self._dimension_suffix}"

    @property
    def distribution_field(self) -> str:
        """The same of an additional expense: DistributionRule, DistributionRule2 …"""
        return f"DistributionRule{self._dimension_suffix}"

    @property
    def _dimension_suffix(self) -> str:
        return "" if self.dimension == 1 else str(self.dimension)

    def sap_currency(self, code: str) -> str:
        """SAP's code for Basware's currency (contracts: SAP §8.4: codes are the company's own)."""
        return self.currencies.get(code.upper(), code)

    def decimals_of(self, currency: str) -> int:
        """How many decimals amounts in SAP's currency have."""
        return self.currency_decimals.get(currency, self.decimals)

    def unit_of(self, currency: str) -> Decimal:
        """What rounding may cost a sum in SAP's currency: a cent, or a whole where it has no decimals."""
        return max(CENT, Decimal(1).scaleb(-self.decimals_of(currency)))

    def looked_up(self, table: str, value: str) -> str | None:
        return self.lookups.get(table, {}).get(value)
