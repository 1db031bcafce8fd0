"""The ERP's resources in the words of the seam, and our documents in the words of the ERP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from syncengine.connectors.rest_erp.settings import MARK

Row = dict[str, Any]
Item = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """An entity set of the seam: the resource behind it, its key, and what an item of it looks like here."""

    resource: str
    key: str
    shape: Callable[[Item], Row]


def _yes(value: Any) -> str:
    return "tYES" if value else "tNO"


def _open(value: Any) -> str:
    return "bost_Open" if value else "bost_Close"


def vendor(item: Item) -> Row:
    return {
        "CardCode": item["code"],
        "CardName": item["name"],
        "CardType": "cSupplier",
        "Currency": item.get("currency"),
        "PayTermsGrpCode": item.get("payment_term"),
        "FederalTaxID": item.get("tax_number"),
        "EmailAddress": item.get("email"),
        "Phone1": item.get("phone"),
        "Valid": _yes(item["active"]),
        "Frozen": _yes(not item["active"]),
        "PaymentBlock": _yes(item.get("payment_blocked")),
        "CreateDate": item.get("created_on"),
        "UpdateDate": item.get("updated_on"),
        "BPAddresses": [],
        "BPBankAccounts": [],
    }


def account(item: Item) -> Row:
    return {
        "Code": item["code"],
        "Name": item["name"],
        "FormatCode": item["code"],
        "ActiveAccount": "tYES",
        "LockManualTransaction": _yes(not item["postable"]),
        "BlockManualPosting": "tNO",
        "ValidFor": _yes(item["active"]),
        "FrozenFor": _yes(not item["active"]),
        "DefaultVatGroup": item.get("tax_code"),
    }


def cost_center(item: Item) -> Row:
    return {
        "CenterCode": item["code"],
        "CenterName": item["name"],
        "InWhichDimension": 1,
        "Active": _yes(item["active"]),
        "EffectiveFrom": item.get("valid_from"),
        "EffectiveTo": item.get("valid_to"),
    }


def tax_code(item: Item) -> Row:
    return {
        "Code": item["code"],
        "Name": item["name"],
        "Category": "bovcInputTax",
        "Inactive": _yes(not item["active"]),
        "AcquisitionReverse": "tNO",
        "NonDeduct": Decimal(0),
        "VatGroups_Lines": [{"Effectivefrom": None, "Rate": item["rate"]}],
    }


def payment_term(item: Item) -> Row:
    return {
        "GroupNumber": item["number"],
        "PaymentTermsGroupName": item["name"],
        "StartFrom": "pdt_None",
        "NumberOfAdditionalMonths": 0,
        "NumberOfAdditionalDays": item["days"],
        "NumberOfInstallments": 1,
        "DiscountCode": "",
    }


def order(item: Item) -> Row:
    """An order is matched by sum, as one for services is: the ERP knows no receipts."""
    return {
        "DocEntry": item["id"],
        "DocNum": item["number"],
        "DocType": "dDocument_Service",
        "CardCode": item["vendor"],
        "CardName": item.get("vendor_name"),
        "DocDate": item["date"],
        "DocDueDate": item.get("delivery_date"),
        "DocCurrency": item["currency"],
        "DocTotal": item["total"],
        "DocTotalFc": item["total"],
        "DocumentStatus": _open(item["open"]),
        "CancelStatus": "csYes" if item.get("cancelled") else "csNo",
        "PaymentGroupCode": item.get("payment_term"),
        "Comments": item.get("comment"),
        "CreationDate": item.get("created_on"),
        "UpdateDate": item.get("updated_on"),
        "DocumentLines": [_order_line(line) for line in item["lines"]],
    }


def _order_line(line: Item) -> Row:
    return {
        **_coded(line),
        "LineStatus": _open(line["open"]),
        "Quantity": Decimal(1),
        "Price": line["net"],
        "OpenAmount": line["open_net"],
        "OpenAmountFC": line["open_net"],
    }


def _coded(line: Item) -> Row:
    return {
        "LineNum": line["line"] - 1,
        "ItemDescription": line.get("text"),
        "AccountCode": line.get("account"),
        "CostingCode": line.get("cost_center"),
        "VatGroup": line.get("tax_code"),
        "LineTotal": line["net"],
        "RowTotalFC": line["net"],
    }


def invoice(item: Item) -> Row:
    """Amounts are in the invoice's own currency; in the local one they are the same only for local invoices."""
    return {
        "DocEntry": item["id"],
        "DocNum": item["number"],
        "DocType": "dDocument_Service",
        "CardCode": item["vendor"],
        "NumAtCard": item["vendor_number"],
        "DocDate": item["posting_date"],
        "TaxDate": item["date"],
        "DocDueDate": item.get("due_date"),
        "DocCurrency": item["currency"],
        "DocTotal": item["gross"],
        "DocTotalFc": item["gross"],
        "VatSum": item["tax"],
        "VatSumFc": item["tax"],
        "PaidToDate": item["paid"],
        "PaidToDateFC": item["paid"],
        "PaymentBlock": _yes(item["payment_blocked"]),
        "DocumentStatus": _open(item["paid"] < item["gross"] and not item["cancelled"]),
        "CancelStatus": "csYes" if item["cancelled"] else "csNo",
        "AuthorizationStatus": "dasWithout",
        "TransNum": item["number"],
        "CreationDate": item["created_on"],
        "Comments": item.get("comment"),
        MARK: item.get("external_reference"),
        "DocumentLines": [_coded(line) for line in item["lines"]],
        "DocumentAdditionalExpenses": [],
    }


def payment(item: Item) -> Row:
    lines = [
        {
            "LineNum": place,
            "DocEntry": paid["invoice"],
            "InvoiceType": "it_PurchaseInvoice",
            "SumApplied": paid["amount"],
            "AppliedFC": paid["amount"],
        }
        for place, paid in enumerate(item["invoices"])
    ]
    return {
        "DocEntry": item["id"],
        "DocNum": item["number"],
        "DocType": "rSupplier",
        "CardCode": item["vendor"],
        "CardName": "",
        "DocDate": item["date"],
        "DocCurrency": item["currency"],
        "TransferSum": sum((paid["amount"] for paid in item["invoices"]), Decimal(0)),
        "TransferDate": item["date"],
        "CancelStatus": "csYes" if item.get("cancelled") else "csNo",
        "PaymentInvoices": lines,
        "PaymentChecks": [],
        "PaymentCreditCards": [],
    }


TABLES: Mapping[str, Table] = {
    "BusinessPartners": Table("vendors", "CardCode", vendor),
    "ChartOfAccounts": Table("accounts", "Code", account),
    "ProfitCenters": Table("cost-centers", "CenterCode", cost_center),
    "VatGroups": Table("tax-codes", "Code", tax_code),
    "PaymentTermsTypes": Table("payment-terms", "GroupNumber", payment_term),
    "PurchaseOrders": Table("purchase-orders", "DocEntry", order),
    "PurchaseInvoices": Table("invoices", "DocEntry", invoice),
    "VendorPayments": Table("payments", "DocEntry", payment),
}


def new_invoice(body: Mapping[str, Any]) -> Row:
    """The body of a posting as the ERP takes it; what it has no field for was asked for by a rule, and stays away."""
    return _without_empty(
        {
            "external_reference": body.get(MARK),
            "vendor": body["CardCode"],
            "vendor_number": body["NumAtCard"],
            "date": body["TaxDate"],
            "posting_date": body["DocDate"],
            "due_date": body.get("DocDueDate"),
            "currency": body["DocCurrency"],
            "payment_term": body.get("PaymentGroupCode"),
            "payment_blocked": body.get("PaymentBlock") == "tYES",
            "comment": body.get("Comments"),
            "lines": [_new_line(line) for line in body["DocumentLines"]],
        }
    )


def _new_line(line: Mapping[str, Any]) -> Row:
    net = next((line[name] for name in ("LineTotal", "RowTotalFC") if name in line), None)
    if net is None:
        net = line["UnitPrice"] * line.get("Quantity", 1)
    return _without_empty(
        {
            "account": line.get("AccountCode"),
            "cost_center": line.get("CostingCode"),
            "tax_code": line.get("VatGroup"),
            "text": line.get("ItemDescription"),
            "net": net,
            "purchase_order": line.get("BaseEntry"),
            "purchase_order_line": line["BaseLine"] + 1 if "BaseLine" in line else None,
        }
    )


def _without_empty(values: Row) -> Row:
    return {name: value for name, value in values.items() if value not in (None, "")}
