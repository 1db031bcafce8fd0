"""The demo company "Nordic Industrial Supply Oy": what stands in SAP and which invoices Basware has approved.

    dataset = Dataset()                 # today's date; Dataset(today=date(2026, 5, 4), scale=10_000)
    dataset.sap()                       # {"BusinessPartners": [documents …], "PurchaseOrders": […], …}
    dataset.invoices()                  # 80 documents in the shape of AccountingDocumentEntity
    dataset.bad_invoices()              # {"unknown_codes": invoiceId, …}: the four that cannot be posted

Deterministic: the same day and scale give the same data. Documents hold what is filled, dates as "YYYY-MM-DD", amounts
as Decimal. `sap` hands out the data set's own documents, orders aside: one Dataset for one sandbox.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

from syncengine.sandbox.dataset import finance, partners
from syncengine.sandbox.dataset.accounts import accounts
from syncengine.sandbox.dataset.headers import COMPANY_CODE, COMPANY_NAME
from syncengine.sandbox.dataset.invoices import BAD_KINDS, PLAN, InvoiceBook
from syncengine.sandbox.dataset.orders import OrderBook, items

__all__ = ["COMPANY_CODE", "COMPANY_DB", "COMPANY_NAME", "Dataset"]

Document = dict[str, Any]

COMPANY_DB = "SBO_NORDIC"


class Dataset:
    """One day's data set; `scale` adds so many generated suppliers."""

    def __init__(self, today: date | None = None, scale: int = 0) -> None:
        self.today = today or datetime.now(UTC).date()
        self.scale = scale

    @cached_property
    def _ledger(self) -> dict[str, list[Document]]:
        centers = finance.profit_centers(self.today)
        return {
            "BusinessPartnerGroups": partners.partner_groups(),
            "BusinessPartners": partners.business_partners(self.today, self.scale),
            "ChartOfAccounts": accounts(self.today),
            "Currencies": finance.currencies(self.today),
            "Dimensions": finance.dimensions(),
            "DistributionRules": finance.distribution_rules(centers),
            "Items": items(),
            "PaymentTermsTypes": finance.payment_terms(),
            "ProfitCenters": centers,
            "Projects": finance.projects(self.today),
            "VatGroups": finance.vat_groups(self.today),
            "AdditionalExpenses": finance.additional_expenses(),
            "FinancePeriods": finance.finance_periods(self.today),
        }

    @cached_property
    def _orders(self) -> OrderBook:
        return OrderBook(self.today, self._ledger["BusinessPartners"], self._ledger["VatGroups"])

    def sap(self) -> dict[str, list[Document]]:
        """Everything in SAP by entity set (FinancePeriods is none, but kept likewise)."""
        documents = {
            "PurchaseOrders": [order.document for order in self._orders.orders],
            "PurchaseDeliveryNotes": self._orders.receipts,
            "PurchaseInvoices": self._orders.invoices,
        }
        return {**self._ledger, **deepcopy(documents)}

    def invoices(self) -> list[Document]:
        """Approved invoices, all WaitingForTransfer."""
        return InvoiceBook(self.today, self._orders, self._ledger).invoices()

    def bad_invoices(self) -> dict[str, str]:
        """The invoiceIds of the four that cannot be posted, by what is wrong with them."""
        kinds = [kind for kind, count in PLAN for _ in range(count)]
        pairs = zip(kinds, self.invoices(), strict=True)
        return {kind: invoice["invoiceId"] for kind, invoice in pairs if kind in BAD_KINDS}
