"""Services beside the entity sets: company data, periods, rates and due dates (contracts: SAP §2.2, §8.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from syncengine.sandbox.sap_b1.approval import Approval
from syncengine.sandbox.sap_b1.calculation import due_date
from syncengine.sandbox.sap_b1.company import LOCAL, Company
from syncengine.sandbox.sap_b1.documents import Documents
from syncengine.sandbox.sap_b1.errors import business_error, does_not_exist, not_found, payload_error
from syncengine.sandbox.sap_b1.model import entity_type
from syncengine.sandbox.sap_b1.payload import date_value, number_value, stored
from syncengine.sandbox.sap_b1.shapes import Shape

Document = dict[str, Any]
Service = Callable[[Document, Shape], Any]

BOTH, READ, WRITE = ("GET", "POST"), ("GET",), ("POST",)


class Services:
    """`find(name)` gives the methods it takes and the function; None as a result is a 204."""

    def __init__(self, company: Company, documents: Documents, approval: Approval) -> None:
        self._company, self._documents, self._approval = company, documents, approval
        self._services: dict[str, tuple[tuple[str, ...], Service]] = {
            "CompanyService_GetCompanyInfo": (BOTH, lambda _, __: company.company_info()),
            "CompanyService_GetAdminInfo": (BOTH, lambda _, __: company.admin_info()),
            "CompanyService_GetPathAdmin": (BOTH, self._path_admin),
            "CompanyService_GetPeriods": (READ, self._categories),
            "CompanyService_GetFinancePeriods": (WRITE, self._periods),
            "CompanyService_GetCurrentServerTime": (READ, self._server_time),
            "SBOBobService_GetLocalCurrency": (WRITE, lambda _, __: {"value": LOCAL}),
            "SBOBobService_GetSystemCurrency": (WRITE, lambda _, __: {"value": LOCAL}),
            "SBOBobService_GetCurrencyRate": (WRITE, self._rate),
            "SBOBobService_SetCurrencyRate": (WRITE, self._set_rate),
            "SBOBobService_GetDueDate": (WRITE, self._due_date),
            "DraftsService_SaveDraftToDocument": (WRITE, self._add_draft),
            "PurchaseInvoicesService_Cancel2": (WRITE, self._cancel("PurchaseInvoices")),
            "PurchaseCreditNotesService_Cancel2": (WRITE, self._cancel("PurchaseCreditNotes")),
        }

    def find(self, name: str) -> tuple[tuple[str, ...], Service] | None:
        return self._services.get(name)

    def _path_admin(self, _: Document, __: Shape) -> Document:
        return {"AttachmentsFolderPath": self._company.settings["attachments_folder"], "PrintId": None}

    def _server_time(self, _: Document, __: Shape) -> Document:
        return {"value": self._company.now().strftime("%Y-%m-%dT%H:%M:%SZ")}

    def _years(self) -> dict[int, str]:
        """The period categories: one for each fiscal year, numbered from 1."""
        periods = self._company.collection("FinancePeriods").values()
        return dict(enumerate(sorted({period["PeriodIndicator"] for period in periods}), start=1))

    def _categories(self, _: Document, __: Shape) -> Document:
        return {"value": [{"AbsoluteEntry": entry, "PeriodCategory": year} for entry, year in self._years().items()]}

    def _periods(self, body: Document, shape: Shape) -> Document:
        """The months of one category."""
        params = body.get("PeriodCategoryParams")
        if not isinstance(params, dict) or not str(params.get("AbsoluteEntry", "")).isdigit():
            raise payload_error("Invalid value of property 'PeriodCategoryParams'")
        year = self._years().get(int(params["AbsoluteEntry"]))
        if year is None:
            raise not_found()
        periods = self._company.collection("FinancePeriods").values()
        return {"value": [_dated(period, shape) for period in periods if period["PeriodIndicator"] == year]}

    def _rate(self, body: Document, _: Shape) -> Document:
        return {"value": float(self._company.rate(_text(body, "Currency"), date_value("Date", body.get("Date"))))}

    def _set_rate(self, body: Document, _: Shape) -> None:
        currency = self._company.collection("Currencies").get(_text(body, "Currency"))
        if currency is None:
            raise business_error("Enter valid code  [ORTT.Currency]")
        day, rate = date_value("RateDate", body.get("RateDate")), number_value("Rate", body.get("Rate"))
        currency.setdefault("Rates", {})[day] = rate
        self._company.touch("Currencies", currency)

    def _due_date(self, body: Document, shape: Shape) -> Document:
        vendor = self._company.collection("BusinessPartners").get(_text(body, "CardCode"))
        if vendor is None:
            raise business_error("Enter valid code  [OCRD.CardCode]")
        term = self._company.collection("PaymentTermsTypes")[vendor["PayTermsGrpCode"]]
        day = due_date(term, date_value("RefDate", body.get("RefDate")))
        return {"value": day if shape.is_v1 else f"{day}T00:00:00Z"}

    def _add_draft(self, body: Document, _: Shape) -> None:
        self._approval.add(_entry(body))

    def _cancel(self, set_name: str) -> Service:
        def cancel(body: Document, _: Shape) -> None:
            entry = _entry(body)
            document = self._company.collection(set_name).get(entry)
            if document is None:
                raise does_not_exist(entry)
            more = stored(entity_type("Document"), body["Document"], self._company.user_fields("Document"))
            self._documents.cancel(set_name, document, more)

        return cancel


def _text(body: Document, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise payload_error(f"Invalid value type of property '{name}'")
    return value


def _entry(body: Document) -> int:
    document = body.get("Document")
    if not isinstance(document, dict) or not str(document.get("DocEntry", "")).isdigit():
        raise payload_error("Invalid value of property 'Document'")
    return int(document["DocEntry"])


def _dated(period: Document, shape: Shape) -> Document:
    if shape.is_v1:
        return period
    dates = [name for name in period if name.endswith(("From", "To"))]
    return period | {name: f"{period[name]}T00:00:00Z" for name in dates}
