"""The company behind the service: its collections, switches and checks of master data that several modules need."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from syncengine.sandbox.dataset import COMPANY_NAME, Dataset
from syncengine.sandbox.sap_b1.calculation import exchange_rate, usable, within
from syncengine.sandbox.sap_b1.errors import ServiceLayerError, business_error
from syncengine.sandbox.sap_b1.model import SETS, UDF_TABLES, entity_set
from syncengine.sandbox.store import Collection, Store

Document = dict[str, Any]

LOCAL = "EUR"
DRAFTS_START = 501
"""Drafts count from where the first invoices are: a draft's DocEntry names another document among the invoices."""
DEFAULT_SETTINGS: Document = {
    "session_timeout": 30,
    "nodes": 3,
    "route_id": True,
    "secure_cookies": True,
    "login_seconds": 0,
    "overlapping_logins_clash": False,
    "duplicate_block": False,
    "approval_mode": False,
    "approval_variant": "draft",
    "branches": False,
    "attachments_folder": r"\\srv-sap\attach",
    "payment_mirrors": False,
    "transaction_number": 30000,
}
APPROVAL_VARIANTS = ("draft", "pending", "no_content", "not_found")
USER_FIELDS = [("OPCH", "BW_InvoiceId", "Basware invoice", 50)]


class Company:
    """All state of the SAP sandbox, in one store."""

    def __init__(self, store: Store, dataset: Dataset, now: Callable[[], datetime]) -> None:
        self.store, self.dataset, self.now = store, dataset, now
        if store.is_empty:
            self.fill()

    def fill(self) -> None:
        """Puts the data set in."""
        with self.store.transaction():
            for name, documents in self.dataset.sap().items():
                found = entity_set(name)
                key = found.key if found else "AbsoluteEntry"
                self.collection(name).fill((document[key], document) for document in documents)
            for number, (table, field, text, size) in enumerate(USER_FIELDS):
                self.add_user_field(table, field, text, size, number)
            self.collection("settings").put("settings", dict(DEFAULT_SETTINGS))
            made = {"today": self.dataset.today.isoformat(), "scale": self.dataset.scale}
            self.collection("dataset").put("made", made)

    def reset(self) -> None:
        with self.store.transaction():
            self.store.clear()
            self.dataset = Dataset(self.dataset.today, self.dataset.scale)
            self.fill()

    def collection(self, name: str) -> Collection:
        return self.store.collection(name)

    @property
    def settings(self) -> Document:
        return self.collection("settings")["settings"]

    def change_settings(self, **changed: Any) -> Document:
        unknown = set(changed) - set(DEFAULT_SETTINGS)
        if unknown:
            raise ValueError(f"no setting {sorted(unknown)}; there are {sorted(DEFAULT_SETTINGS)}")
        if changed.get("approval_variant", "draft") not in APPROVAL_VARIANTS:
            raise ValueError(f"approval_variant is one of {APPROVAL_VARIANTS}")
        return self.collection("settings").put("settings", self.settings | changed)

    @property
    def today(self) -> str:
        return self.now().date().isoformat()

    def stamps(self) -> Document:
        moment = self.now()
        return {"UpdateDate": moment.date().isoformat(), "UpdateTime": moment.strftime("%H:%M:%S")}

    def touch(self, set_name: str, document: Document) -> None:
        """Writes a changed document with its next version and stamps."""
        made = entity_set(set_name)
        if made is None:
            raise KeyError(set_name)
        if made.type.has_etag:
            document["DataVersion"] = document.get("DataVersion", 0) + 1
        if "UpdateDate" in made.type.kinds:
            document |= self.stamps()
        self.collection(set_name).put(document[made.key], document)

    def next_transaction(self) -> int:
        number = int(self.settings["transaction_number"]) + 1
        self.change_settings(transaction_number=number)
        return number

    def next_entry(self, set_name: str) -> int:
        collection = self.collection(set_name)
        if len(collection):
            return collection.next_number()
        return DRAFTS_START if set_name == "Drafts" else 1

    def next_number(self, set_name: str) -> int:
        """The next DocNum of the set's only series, which starts anew each year."""
        first = self.now().year % 100 * 1_000_000 + 1
        numbers = [document["DocNum"] for document in self.collection(set_name).values()]
        return int(max([first - 1, *(number for number in numbers if number >= first)])) + 1

    def add_user_field(self, table: str, name: str, text: str, size: int, number: int | None = None) -> Document:
        fields = self.collection("UserFieldsMD")
        key = fields.next_number() if number is None else number
        made = {"FieldID": key, "TableName": table, "Name": name, "Description": text, "Type": "db_Alpha", "Size": size}
        return fields.put(key, made)

    def user_fields(self, type_name: str) -> list[str]:
        """Names with their U_; a field of one marketing document's table is on all of them."""
        tables = UDF_TABLES.get(type_name, set())
        fields = self.collection("UserFieldsMD").values()
        return [f"U_{field['Name']}" for field in fields if field["TableName"] in tables]

    def kinds(self, set_name: str) -> dict[str, str]:
        type_name = SETS[set_name][0]
        made = entity_set(set_name)
        kinds = dict(made.type.kinds) if made else {}
        return kinds | dict.fromkeys(self.user_fields(type_name), "s")

    def vendor(self, code: str | None, day: str) -> Document:
        """The supplier, checked as of the day."""
        if not code:
            raise business_error("Enter valid code  [OPCH.CardCode]")
        vendor = self.collection("BusinessPartners").get(code)
        if vendor is None:
            raise ServiceLayerError(-2028, "Customer record not found")
        if vendor["CardType"] != "cSupplier":
            raise business_error(f"Invalid BP code [OPCH.CardCode] , '{code}'")
        if not usable(vendor, day, "Valid", "Frozen"):
            raise business_error(f"Business partner '{code}' is inactive  [OPCH.CardCode]")
        return vendor

    def account(self, code: str | None, day: str, line: int) -> None:
        account = self.collection("ChartOfAccounts").get(code or "")
        if account is None:
            raise business_error(f"Enter valid code  [DocumentLines.AccountCode][line: {line}] , '{code}'")
        if account["ActiveAccount"] != "tYES":
            raise business_error(f"Select an active account  [DocumentLines.AccountCode][line: {line}] , '{code}'")
        if account["LockManualTransaction"] == "tYES" or account.get("BlockManualPosting") == "tYES":
            raise business_error(
                f"Control account cannot be used  [DocumentLines.AccountCode][line: {line}] , '{code}'"
            )
        if not usable(account, day, "ValidFor", "FrozenFor"):
            raise business_error(f"G/L account '{code}' is inactive  [DocumentLines.AccountCode][line: {line}]")

    def vat_group(self, code: str | None, line: int) -> Document:
        group = self.collection("VatGroups").get(code or "")
        if group is None:
            raise business_error(f"Enter valid code  [DocumentLines.VatGroup][line: {line}] , '{code}'")
        if group["Inactive"] == "tYES" or group["Category"] != "bovcInputTax":
            raise business_error(
                f"Tax group '{code}' is inactive or no input tax  [DocumentLines.VatGroup][line: {line}]"
            )
        return group

    def costing_code(self, field: str, dimension: int, code: str, day: str, line: int) -> None:
        rule = self.collection("DistributionRules").get(code)
        if rule is None or rule["InWhichDimension"] != dimension:
            raise business_error(f"Enter valid code  [DocumentLines.{field}][line: {line}] , '{code}'")
        center = self.collection("ProfitCenters").get(code) or {"Active": "tYES"}
        active = rule["Active"] == "tYES" and center["Active"] == "tYES"
        if not active or not within(day, center.get("EffectiveFrom"), center.get("EffectiveTo")):
            raise business_error(f"Distribution rule '{code}' is inactive  [DocumentLines.{field}][line: {line}]")

    def project(self, code: str, day: str, line: int) -> None:
        project = self.collection("Projects").get(code)
        if project is None:
            raise business_error(f"Enter valid code  [DocumentLines.ProjectCode][line: {line}] , '{code}'")
        if project["Active"] != "tYES" or not within(day, project.get("ValidFrom"), project.get("ValidTo")):
            raise business_error(f"Project '{code}' is inactive  [DocumentLines.ProjectCode][line: {line}]")

    def rate(self, currency: str, day: str) -> Decimal:
        """Local currency for one of the currency on the day."""
        if currency == LOCAL:
            return Decimal(1)
        known = self.collection("Currencies").get(currency)
        if known is None:
            raise business_error("Enter valid code  [OPCH.DocCur]")
        rate = exchange_rate(known, day)
        if rate is None:
            raise business_error(f"Update the exchange rate  , '{currency}'")
        return rate

    def period(self, day: str) -> Document:
        """The open period that the posting date lies in."""
        for period in self.collection("FinancePeriods").values():
            if period["PostingDateFrom"] <= day <= period["PostingDateTo"]:
                if period["PeriodStatus"] in {"ltLocked", "ltPeriodClosing"}:
                    raise ServiceLayerError(-4013, "Posting period locked; specify an alternative posting date")
                return period
        raise business_error("Date deviates from permissible range  [OPCH.DocDate]")

    def branch(self, number: int | None) -> None:
        if not self.settings["branches"]:
            return
        branch = self.collection("BusinessPlaces").get(number or 0)
        if branch is None or branch.get("Disabled") == "tYES":
            raise business_error("Specify an active branch [OPCH.BPLId]")

    def company_info(self) -> Document:
        return {
            "CompanyName": COMPANY_NAME,
            "Version": 1000280,
            "Localization": "FI",
            "EnableTransactionNotification": "tNO",
            "EnableAccountSegmentation": "tNO",
            "EnableExpensesManagement": "tYES",
        }

    def admin_info(self) -> Document:
        approval, branches = self.settings["approval_mode"], self.settings["branches"]
        return {
            "CompanyName": COMPANY_NAME,
            "Country": "FI",
            "LocalCurrency": LOCAL,
            "SystemCurrency": LOCAL,
            "TotalsAccuracy": 2,
            "PriceAccuracy": 4,
            "RateAccuracy": 4,
            "AccuracyofQuantities": 3,
            "PercentageAccuracy": 2,
            "MeasuringAccuracy": 2,
            "RoundingMethod": "tNO",
            "BlockPostingDateEditing": "tNO",
            "EnableBranches": "tYES" if branches else "tNO",
            "EnableApprovalProcedureInDI": "tYES" if approval else "tNO",
            "AllowFuturePostingDate": "tYES",
        }
