"""What a document needs to know of SAP, in few calls, remembered for a short while.

Eighty invoices name the same accounts; reading them eighty times would cost more than posting. What is remembered is
master data only, for as long as `lifetime`; documents (orders, receipts, duplicates) are always read anew. A record
that is missing is not remembered, and a fault that rests on memory is looked at again (`afresh`). What the next
documents will need (`expect`) is read along with what the first of them needs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from threading import RLock
from typing import Any, Protocol, cast

from syncengine.connectors.outcomes import Rejected
from syncengine.connectors.sap_b1.literals import all_of, equals, is_yes, parse_date
from syncengine.mapping.text import as_text, to_decimal
from syncengine.posting.duplicates import DOWN_PAYMENTS, Finder
from syncengine.posting.findings import Period, Tax
from syncengine.posting.sap_values import NOT_CANCELLED, OPEN, is_cancelled

Record = Mapping[str, Any]

LIFETIME = timedelta(seconds=120)
PERIOD_LIFETIME = timedelta(minutes=10)
MOST_PERIOD_CATEGORIES = 40
MOST_AHEAD = 190
OPEN_PERIODS = frozenset({"ltUnlocked", "ltUnlockedExceptSales"})

VENDOR = (
    "CardCode",
    "CardName",
    "CardType",
    "FederalTaxID",
    "Valid",
    "ValidFrom",
    "ValidTo",
    "Frozen",
    "FrozenFrom",
    "FrozenTo",
    "SubjectToWithholdingTax",
    "IBAN",
    "DefaultAccount",
    "BPBankAccounts",
)
ACCOUNT = (
    "Code",
    "ActiveAccount",
    "LockManualTransaction",
    "BlockManualPosting",
    "ValidFor",
    "ValidFrom",
    "ValidTo",
    "FrozenFor",
    "FrozenFrom",
    "FrozenTo",
)
CENTER = ("CenterCode", "InWhichDimension", "Active", "EffectiveFrom", "EffectiveTo")
RULE = ("FactorCode", "InWhichDimension", "Active")
PROJECT = ("Code", "Active", "ValidFrom", "ValidTo")
VAT_GROUP = ("Code", "Category", "Inactive", "AcquisitionReverse", "NonDeduct", "VatGroups_Lines")
SALES_TAX = ("Code", "Rate", "ValidForAP", "Inactive")
TERM = ("GroupNumber", "NumberOfInstallments", "DiscountCode")
BRANCH = ("BPLID", "BPLName", "Disabled")
ORDER = (
    "DocEntry",
    "DocNum",
    "DocType",
    "DocDate",
    "CardCode",
    "DocCurrency",
    "DocumentStatus",
    "CancelStatus",
    "DocumentLines",
)
DOWN_PAYMENT = (
    "DocEntry",
    "DocNum",
    "CardCode",
    "NumAtCard",
    "DocDate",
    "TaxDate",
    "DocCurrency",
    "DocTotal",
    "DocTotalFc",
    "PaidToDate",
    "PaidToDateFC",
    "CancelStatus",
    "DownPaymentStatus",
)


class SapReads(Finder, Protocol):
    """What look-ups need of the SAP client (`connectors.sap_b1.SapB1`)."""

    def by_keys(
        self, entity_set: str, key_name: str, keys: Iterable[str | int], select: Sequence[str]
    ) -> list[dict[str, Any]]: ...

    def pages(self, entity_set: str, *, key: str, select: Sequence[str]) -> Iterator[list[dict[str, Any]]]: ...

    def service(self, name: str, body: Mapping[str, Any] | None = None) -> Any: ...


class SapFacts:
    """One company's master data for one run: thread-safe, each record at most `lifetime` old."""

    def __init__(self, sap: SapReads, clock: Callable[[], datetime], lifetime: timedelta = LIFETIME) -> None:
        self._sap, self._clock, self._lifetime = sap, clock, lifetime
        self._known: dict[tuple[str, Hashable], tuple[datetime, Any]] = {}
        self._ahead: dict[str, dict[str, None]] = {}
        self._lock = RLock()

    def expect(self, entity_set: str, codes: Iterable[str]) -> None:
        """Codes that documents still to come will name: asked for in the same calls as the first of them."""
        with self._lock:
            self._ahead.setdefault(entity_set, {}).update((code, None) for code in codes if code)

    def _expected(self, entity_set: str, now: Iterable[str]) -> list[str]:
        """Some of the codes to come, taken off the list, without those that are asked for now."""
        with self._lock:
            waiting = self._ahead.get(entity_set, {})
            for code in now:
                waiting.pop(code, None)
            taken = list(waiting)[:MOST_AHEAD]
            for code in taken:
                del waiting[code]
        return [code for code in taken if self._recall(entity_set, code) is None]

    # Remembering

    def afresh(self) -> SapFacts:
        """The same without memory: before a fault is believed, everything it rests on is read anew."""
        return SapFacts(self._sap, self._clock, self._lifetime)

    def _recall(self, kind: str, key: Hashable, lifetime: timedelta | None = None) -> Any:
        with self._lock:
            stored = self._known.get((kind, key))
        if stored is None or self._clock() - stored[0] > (lifetime or self._lifetime):
            return None
        return stored[1]

    def _remember(self, kind: str, key: Hashable, value: Any) -> None:
        with self._lock:
            self._known[kind, key] = (self._clock(), value)

    def _records(self, entity_set: str, key: str, codes: Iterable[str], select: Sequence[str]) -> dict[str, Record]:
        """The records of these codes that exist, by code as text; only what is not remembered is asked for."""
        wanted = list(dict.fromkeys(code for code in codes if code != ""))
        found = {code: self._recall(entity_set, code) for code in wanted}
        missing = [code for code, record in found.items() if record is None]
        if missing:
            ahead = self._expected(entity_set, missing)
            for record in self._sap.by_keys(entity_set, key, [*missing, *ahead], select):
                self._remember(entity_set, str(record[key]), record)
                if record[key] in found:
                    found[record[key]] = record
        return {code: record for code, record in found.items() if record is not None}

    def _table(self, entity_set: str, key: str, select: Sequence[str]) -> dict[str, Record]:
        """A small table as a whole, by key as text."""
        table = self._recall(entity_set, "")
        if table is None:
            pages = self._sap.pages(entity_set, key=key, select=select)
            table = {str(record[key]): record for page in pages for record in page}
            self._remember(entity_set, "", table)
        return cast("dict[str, Record]", table)

    # Master data by code

    def vendors(self, codes: Iterable[str]) -> dict[str, Record]:
        return self._records("BusinessPartners", "CardCode", codes, VENDOR)

    def accounts(self, codes: Iterable[str]) -> dict[str, Record]:
        return self._records("ChartOfAccounts", "Code", codes, ACCOUNT)

    def cost_centers(self, codes: Iterable[str]) -> dict[str, Record]:
        """Profit centers, and distribution rules for what is none: lines carry the code of either (SAP §8.2)."""
        wanted = list(codes)
        found = self._records("ProfitCenters", "CenterCode", wanted, CENTER)
        rest = [code for code in wanted if code and code not in found]
        return found | (self._records("DistributionRules", "FactorCode", rest, RULE) if rest else {})

    def projects(self, codes: Iterable[str]) -> dict[str, Record]:
        return self._records("Projects", "Code", codes, PROJECT)

    def taxes(self, codes: Iterable[str], tax_field: str, on: date) -> dict[str, Tax]:
        """The tax codes as they are on the tax date."""
        if tax_field == "TaxCode":
            sales = self._records("SalesTaxCodes", "Code", codes, SALES_TAX)
            return {code: _sales_tax(record) for code, record in sales.items()}
        groups = self._records("VatGroups", "Code", codes, VAT_GROUP)
        return {code: _vat_group(record, on) for code, record in groups.items()}

    def payment_term(self, code: str) -> Record | None:
        if not _is_whole(code):
            return None
        return self._table("PaymentTermsTypes", "GroupNumber", TERM).get(str(int(code)))

    def branch(self, code: str) -> Record | None:
        if not _is_whole(code):
            return None
        return self._table("BusinessPlaces", "BPLID", BRANCH).get(str(int(code)))

    def down_payments(self, card_code: str) -> list[Record]:
        """The vendor's down payment invoices that are not cancelled: duplicates to look at, and advances to draw."""
        known = self._recall(DOWN_PAYMENTS, card_code)
        if known is None:
            vendors = [card_code, *self._expected(DOWN_PAYMENTS, [card_code])]
            by_vendor: dict[str, list[Record]] = {vendor: [] for vendor in vendors}
            for row in self._sap.by_keys(DOWN_PAYMENTS, "CardCode", vendors, DOWN_PAYMENT):
                if not is_cancelled(row):
                    by_vendor.setdefault(row["CardCode"], []).append(row)
            for vendor, rows in by_vendor.items():
                self._remember(DOWN_PAYMENTS, vendor, rows)
            known = by_vendor[card_code]
        return cast("list[Record]", known)

    # Periods

    def period(self, on: date) -> Period:
        """Whether the posting date is open. What SAP does not tell of counts as open: SAP itself decides then."""
        periods: list[Record] = []
        for chunk in self._period_categories():
            periods += chunk
            covering = [period for period in chunk if _covers(period, on)]
            if any(is_open_period(period) for period in covering):
                return Period(known=True, is_open=True)
        if not any(_covers(period, on) for period in periods):
            return Period()
        later = (parse_date(period.get("PostingDateFrom")) for period in periods if is_open_period(period))
        return Period(
            known=True, is_open=False, next_open=min((day for day in later if day and day > on), default=None)
        )

    def periods(self) -> list[Record]:
        """All posting periods that SAP tells of, fiscal year by fiscal year."""
        return [period for chunk in self._period_categories() for period in chunk]

    def _period_categories(self) -> Iterator[list[Record]]:
        """The sub-periods of one fiscal year after the other, until SAP knows no more."""
        seen: set[tuple[Any, ...]] = set()
        for category in range(1, MOST_PERIOD_CATEGORIES + 1):
            periods = self._recall("periods", category, PERIOD_LIFETIME)
            if periods is None:
                periods = self._read_periods(category)
                self._remember("periods", category, periods)
            marks = tuple(period.get("AbsoluteEntry") or period.get("PeriodCode") for period in periods)
            if not periods or marks in seen:
                return
            seen.add(marks)
            yield periods

    def _read_periods(self, category: int) -> list[Record]:
        try:
            body = {"PeriodCategoryParams": {"AbsoluteEntry": category}}
            answer = self._sap.service("CompanyService_GetFinancePeriods", body)
        except Rejected:
            return []
        rows = answer if isinstance(answer, list) else next(_lists(answer), [])
        return [row for row in rows if isinstance(row, Mapping)]

    # Documents: never remembered

    def orders(self, doc_entries: Iterable[int]) -> list[Record]:
        return list(self._sap.by_keys("PurchaseOrders", "DocEntry", sorted(set(doc_entries)), ORDER))

    def receipts(self, card_code: str) -> list[Record]:
        """The vendor's goods receipts that are open and not cancelled, oldest first.

        They cannot be asked for by the order they fulfil (contracts: SAP §4), so it is all of the vendor's open ones.
        """
        where = all_of(
            equals("CardCode", card_code), equals("DocumentStatus", OPEN), equals("CancelStatus", NOT_CANCELLED)
        )
        rows = self._sap.find("PurchaseDeliveryNotes", where=where, select=ORDER, top=2000)
        return sorted(rows, key=lambda row: (parse_date(row.get("DocDate")) or date.min, row["DocEntry"]))


def _is_whole(code: str) -> bool:
    return code.lstrip("-").isdigit()


def _lists(answer: Any) -> Iterator[list[Any]]:
    if isinstance(answer, Mapping):
        yield from (value for value in answer.values() if isinstance(value, list))


def _covers(period: Record, on: date) -> bool:
    begins, ends = parse_date(period.get("PostingDateFrom")), parse_date(period.get("PostingDateTo"))
    return begins is not None and ends is not None and begins <= on <= ends


def is_open_period(period: Record) -> bool:
    """A period of which SAP does not say how it stands counts as open: posting will tell."""
    return period.get("PeriodStatus") in {None, *OPEN_PERIODS} and not is_yes(period.get("Locked"))


def _sales_tax(record: Record) -> Tax:
    return Tax(
        code=as_text(record["Code"]),
        usable=not is_yes(record.get("Inactive")),
        purchasing=is_yes(record.get("ValidForAP")),
        rate=to_decimal(record.get("Rate")),
    )


def _vat_group(record: Record, on: date) -> Tax:
    """The rate in force on a day: the row with the latest Effectivefrom not after it (contracts: SAP §8.2)."""
    rates = [(parse_date(row.get("Effectivefrom")) or date.min, row) for row in record.get("VatGroups_Lines") or ()]
    in_force = max((pair for pair in rates if pair[0] <= on), key=lambda pair: pair[0], default=None)
    return Tax(
        code=as_text(record["Code"]),
        usable=not is_yes(record.get("Inactive")),
        purchasing=record.get("Category") == "bovcInputTax",
        rate=None if in_force is None else to_decimal(in_force[1].get("Rate")),
        reverse=is_yes(record.get("AcquisitionReverse")),
        partly=(to_decimal(record.get("NonDeduct")) or 0) > 0,
    )
