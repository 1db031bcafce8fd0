"""What the fields of the targets mean, in a sentence each: those that the default rules fill, and those asked for most.

Contracts: Basware §7–§15, SAP §8.4; default-mapping.md says what goes into them.
"""

from __future__ import annotations

from collections.abc import Mapping

COMMON: Mapping[str, str] = {
    "externalCode": "The key by which Basware knows the record for ever.",
    "companies": "The companies that may use it.",
    "sourceSystem": "The system that it comes from; distinct for each SAP company.",
    "description": "Free text for people.",
    "validFrom": "The first day on which it may be used.",
    "validTo": "The last day on which it may be used.",
    "validUntil": "The last day on which it may be used.",
    "taxCode": "The tax code, as it was sent with the tax codes.",
    "currencyCode": "The currency, three letters.",
    "paymentTermCode": "The payment term, as it was sent with the payment terms.",
    "isClosed": "Whether nothing more can be invoiced on it.",
    "isDeleted": "Whether it counts as never there.",
}
"""By the field's own name, whatever holds it."""

OF_FLOWS: Mapping[str, Mapping[str, str]] = {
    "payment_terms": {
        "paymentTermCode": "The code that invoices and vendors name.",
        "paymentTermNames": "What people read, by language; en-US must be there.",
        "dueDateCalc": "1: Basware computes the due date; 0: it leaves it alone.",
        "dueDateDays": "Days from the invoice date to the due date.",
        "dueDateEom": "Months to whose end the due date is moved.",
        "dueDateDays2": "Days after the end of the month.",
        "moveDueDatesTo": "What happens with due dates on days without banking.",
        "cashDueDateCalc": "Whether and how the cash discount date is computed.",
    },
    "tax_codes": {
        "taxCode": "The code that invoices name.",
        "taxCodeNames": "What people read, by language; en-US must be there.",
        "taxPercentage": "The rate in percent.",
        "taxPercentage2": "The second rate: reverse charge, or the part that is not deductible.",
    },
    "gl_accounts": {
        "accountCode": "The account that coding rows name.",
        "accountNames": "What people read, by language; en-US must be there.",
        "taxCode": "The tax code that is proposed with the account.",
        "text1": "Free text; for segmented accounts the number that people know.",
    },
    "cost_centers": {
        "costCenterCode": "The cost center that coding rows name.",
        "costCenterNames": "What people read, by language; en-US must be there.",
    },
    "projects": {
        "projectCode": "The project that coding rows name.",
        "projectName": "What people read.",
    },
    "vendors": {
        "vendorCode": "The vendor's number; invoices name it.",
        "name": "What people read.",
        "identifiers": "Tax numbers and the like, each with its scheme.",
        "addresses": "Postal and delivery addresses.",
        "contacts": "E-mail and telephone.",
        "paymentTerms.paymentTermCode": "The vendor's own payment term.",
        "paymentMeans": "How and where the vendor is paid: its bank accounts.",
        "orderingDetails.orderingFormat": "How orders reach the vendor from Basware; none: they do not.",
        "processingStatus.active": "Whether the vendor may be used today.",
        "processingStatus.paymentDenied": "Whether the vendor must not be paid.",
        "vendorClass": "The customer's own class, such as A, B or Preferred.",
    },
    "purchase_orders": {
        "header.orderNumber": "The order's number as the vendor quotes it.",
        "header.companyCode": "The company that ordered.",
        "header.organizationElementCode": "The unit that ordered; fixed with the first send.",
        "header.supplierCode": "The vendor's number.",
        "header.supplierName": "The vendor's name.",
        "header.created": "The day of the order.",
        "header.requestedDeliveryDate": "The day on which delivery was asked for.",
        "lines[].orderExternalCode": "The order that the line belongs to.",
        "lines[].lineNumber": "The line's number as people know it.",
        "lines[].sortNumber": "Its place in the order.",
        "lines[].productCode": "The item's number.",
        "lines[].matchingMode": "How invoices are matched: by quantity (Standard) or by amount (Blanket).",
        "lines[].quantity": "What was ordered.",
        "lines[].isReceiptRequired": "Whether nothing matches before it was received.",
        "lines[].isReceiptBasedMatching": "Whether invoices match receipts, not the order.",
        "lines[].uom": "The unit of measure.",
        "lines[].netPrice": "The price of one, without tax.",
        "lines[].netSum": "The line's total, without tax.",
        "lines[].taxPercent": "The tax rate in percent.",
        "lines[].invoicedQuantity": "What was invoiced before the first send.",
        "lines[].invoicedNetSum": "What was invoiced before the first send, without tax.",
        "lines[].orderLineCoding": "Account, cost center and project of the line.",
        "lines[].goodsReceipts": "What was received on the line.",
    },
    "invoices": {
        "CardCode": "The vendor in SAP.",
        "NumAtCard": "The vendor's invoice number; duplicates are found by it.",
        "DocDate": "The posting date; empty: today.",
        "TaxDate": "The date on the invoice; never moved.",
        "DocDueDate": "When it is due; empty: SAP computes it from the payment term.",
        "PaymentGroupCode": "The payment term in SAP; empty: the vendor's own.",
        "DocCurrency": "The invoice's currency.",
        "PaymentBlock": "Whether the payment run leaves it out.",
        "Comments": "Remarks, behind our mark.",
        "JournalMemo": "The text of the journal entry.",
        "BPL_IDAssignedToInvoice": "The branch; needed where the company works with branches.",
        "Project": "The project of the whole document.",
        "Indicator": "The factoring indicator.",
        "DocumentLines[].AccountCode": "The G/L account of the row.",
        "DocumentLines[].ItemDescription": "The text of the row.",
        "DocumentLines[].VatGroup": "The tax code of the row.",
        "DocumentLines[].CostingCode": "The cost center of the row.",
        "DocumentLines[].ProjectCode": "The project of the row.",
        "DocumentLines[].FreeText": "Free text of the row.",
    },
    "payments": {
        "paymentTermCode": "The payment term, as on the document.",
        "paymentMethod": "How it was paid, in Basware's words.",
        "paymentMessage": "What the vendor reads on the bank statement.",
    },
}


def meaning(flow: str, target: str) -> str:
    """A sentence on a target field; "" for those whose name has to do."""
    own = OF_FLOWS.get(flow, {}).get(target)
    return own or COMMON.get(target.rsplit(".", 1)[-1], "")
