"""Basware's entities as the product sends them (contracts: Basware §6–§15): types, lengths, literals, what is required.

Two fields of the schemas are left out on purpose: `lastUpdated`, which Basware sets (§3.6), and the vendors'
`buvid`, which Basware generates and nobody may send (§13).
"""

from __future__ import annotations

from collections.abc import Mapping

from syncengine.connectors.basware.fields import (
    Entity,
    Field,
    Kind,
    alike,
    choice,
    flag,
    many,
    moment,
    must,
    number,
    one,
    series,
    text,
    whole,
)

BILLION = 10**9
# The lower-case addresses of Basware's pattern; its quoted and numeric-host spellings are not offered.
ORDER_EMAIL = (
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
)

CODE = text(25)
EXTERNAL_CODE = text(36)
COUNT = whole(low=0)
COMPANY_CODE = must(text(32))

TRANSLATION: Entity = {"language": must(text(10, least=2)), "translation": must(text(2000, least=2))}
# en-US must always be there (contracts: Basware §6); the schema does not say it, P2P does.
NAMES = must(many(TRANSLATION, has=("language", "en-US")))

INHERITING_COMPANY: Entity = {"companyCode": COMPANY_CODE, "inherit": must(flag()), "active": must(flag())}
PLAIN_COMPANY: Entity = {"companyCode": COMPANY_CODE, "active": must(flag())}

DISCOUNT_RULE: Entity = {
    "externalCode": must(EXTERNAL_CODE),
    "discountDays": COUNT,
    "discountPercent": number(0, BILLION),
    "active": must(flag()),
}

PAYMENT_TERM: Entity = {
    "externalCode": must(EXTERNAL_CODE),
    "paymentTermCode": must(CODE),
    "paymentTermNames": NAMES,
    "sortOrder": COUNT,
    "moveDueDatesTo": choice("0 1 2"),
    "dueDateCalc": whole(among=(0, 1)),
    "cashDueDateCalc": whole(among=(0, 1, 2)),
    **alike("dueDateDays dueDateDays2 dueDateEom cashDueDateDays cashDueDateDays2 cashDueDateEom", COUNT),
    "cashDiscount": number(0, BILLION),
    "validFrom": must(moment()),
    "validTo": must(moment()),
    "companies": must(many(INHERITING_COMPANY)),
    "paymentTermDiscountRules": many(DISCOUNT_RULE),
}

TAX_PROCEDURE_ROW: Entity = {
    "externalCode": text(32),
    **alike("account statistical transactionType country condition", CODE),
    "taxPercent": number(),
    "active": flag(),
}

TAX_CODE: Entity = {
    "externalCode": must(EXTERNAL_CODE),
    "taxCode": must(CODE),
    "taxCodeNames": NAMES,
    "taxGroup": CODE,
    "taxPercentage": must(number(-BILLION, BILLION)),
    "taxPercentage2": number(-BILLION, BILLION),
    "additionalData": many(TAX_PROCEDURE_ROW),
    "companies": must(many(INHERITING_COMPANY)),
}

ACCOUNT: Entity = {
    "externalCode": must(EXTERNAL_CODE),
    "accountCode": must(CODE),
    "accountNames": NAMES,
    "taxCode": CODE,
    **series("text", 5, text(250)),
    "companies": must(many(INHERITING_COMPANY)),
}

COST_CENTER: Entity = {
    "externalCode": must(EXTERNAL_CODE),
    "costCenterCode": must(CODE),
    "costCenterNames": NAMES,
    **series("text", 10, text(250)),
    **series("date", 5, moment()),
    **series("int", 5, whole()),
    "companies": must(many(PLAIN_COMPANY)),
}

PROJECT: Entity = {
    "externalCode": must(EXTERNAL_CODE),
    "projectCode": must(CODE),
    "projectName": must(text(100)),
    "description": text(500),
    "validFrom": must(moment()),
    "validUntil": must(moment()),
    "companies": must(many(PLAIN_COMPANY)),
}

EXCHANGE_RATE: Entity = {
    "externalCode": must(EXTERNAL_CODE),
    "currencyCodeFrom": must(text(3, 2)),
    "currencyCodeTo": must(text(3, 2)),
    "rate": must(number(0, BILLION)),
    "validFrom": must(moment()),
    "companies": must(many(PLAIN_COMPANY)),
}

IDENTIFIER: Entity = {"id": must(text(36)), "schemeId": must(text(32)), "defaultPartyId": flag()}

ADDRESS_PART: Entity = {
    "key": choice(
        "AdditionalField1 AdditionalField2 AdditionalStreetName BlockName BuildingName "
        "BuildingNumber CitySubDivisionName Country Department District Email Floor "
        "GlobalLocationNumber InhouseEmail MarkAttention MarkCare Region Room "
        "CoordinateSystemCode PlotIdentification LatitudeDegreesMeasure LatitudeDirectionCode "
        "LatitudeMinutesMeasure LongitudeDegreesMeasure LongitudeDirectionCode "
        "LongitudeMinutesMeasure"
    ),
    "value": text(200),
}

ADDRESS: Entity = {
    "externalCode": must(EXTERNAL_CODE),
    "name": must(text(200)),
    "addressType": choice(
        "AdditionalAddress VisitingAddress RemittanceAddress DeliveryAddress PostalAddress RegistrationAddress"
    ),
    **alike("description addressLine1 addressLine2 addressLine3", text(200)),
    **alike(
        "cityName postalZone poBox streetName locality countrySubEntity countrySubEntityDescription",
        text(50),
    ),
    "countryId": text(2, least=2),
    "default": flag(),
    "additionalAddressFields": many(ADDRESS_PART),
}

CONTACT: Entity = {
    "name": must(text(200)),
    **alike("description email website", text(200)),
    **alike("telephone telefax", text(50)),
    "role": choice("AdditionalContact PrimaryContact SecondaryContact"),
}

DELIVERY_TERM: Entity = {
    "deliveryTermCode": must(CODE),
    "deliveryLocation": text(100),
    "description": text(200),
}

FINANCIAL_INSTITUTION: Entity = {
    "name": Field(Kind.TEXT, required=True, most=250),
    "id": must(text(20)),
    "schemeId": must(text(36)),
    "branchId": text(50),
    "branchIdSchemeId": text(36),
    "countryId": text(2, least=2),
}

ACCOUNT_IDENTIFIER: Entity = {
    "schemeId": must(text(36)),
    "id": text(50),
    "currencyCode": text(3, least=3),
    **alike("description accountHolderName accountAdditionalData1 accountAdditionalData2", text(200)),
    "default": flag(),
    "linkedBbanOrIban": text(50),
}

FINANCIAL_ACCOUNT: Entity = {
    "financialInstitution": one(FINANCIAL_INSTITUTION),
    "financialAccountIdentifiers": many(ACCOUNT_IDENTIFIER),
}

PAYMENT_MEANS: Entity = {
    "paymentMeansCode": must(CODE),
    "description": text(200),
    "currencyCode": text(3, least=3),
    "financialAccounts": many(FINANCIAL_ACCOUNT),
    "default": flag(),
}

VENDOR_PAYMENT_TERM: Entity = {"paymentTermCode": must(CODE), "description": text(200)}

ORDERING: Entity = {
    "orderingFormat": choice("UBL EHFXML21 email other none BaswareNetwork"),
    "orderingMessageLanguage": text(10),
    "orderingLanguage": CODE,
    "orderEmail": text(320, least=3, pattern=ORDER_EMAIL),
    "orderProcessType": text(50),
    "minimumOrderAllowed": number(),
    **alike("isTaxable automaticallyReceiveOnInvoice automaticallyReceiveOnOrder hasActiveCatalog", flag()),
    **alike("createOrderAutomatically deliverOrderAutomatically noFreeformItems sendToNetwork", flag()),
}

TAG: Entity = {"name": must(text(50)), "value": must(text(250)), "tagGroup": text(50)}
CUSTOM_FIELD: Entity = {"name": must(text(25)), "value": must(text(250)), "groupName": text(500)}

VENDOR: Entity = {
    "externalCode": must(EXTERNAL_CODE),
    "vendorCode": must(CODE),
    "vendorParent": text(),
    "name": must(text(250)),
    "sourceSystem": text(36),
    "description": text(250),
    "supplierAssignedAccountId": text(128),
    "eligibleForSourcing": flag(),
    "vendorClass": text(100),
    "identifiers": many(IDENTIFIER),
    "addresses": many(ADDRESS),
    "contacts": many(CONTACT),
    "deliveryTerm": one(DELIVERY_TERM),
    "paymentMeans": many(PAYMENT_MEANS),
    "paymentTerms": one(VENDOR_PAYMENT_TERM),
    "orderingDetails": one(ORDERING),
    "processingStatus": one({"active": flag(), "paymentDenied": flag()}),
    "tags": many(TAG),
    "customFields": many(CUSTOM_FIELD),
    "companies": must(many({"companyCode": COMPANY_CODE, "inheritToChildUnits": flag()})),
}

TENANT_COLUMNS: Mapping[str, Field] = {
    **series("text", 10, text(250)),
    **series("numeric", 5, number()),
    **series("date", 5, moment()),
}

MATCHING_ORDER: Entity = {
    "externalCode": must(EXTERNAL_CODE),
    "orderNumber": must(text(100)),
    "sourceSystem": must(text(36)),
    "companyCode": must(CODE),
    "organizationElementCode": must(text(25, least=2)),
    "currencyCode": must(text(3, least=2)),
    "supplierCode": must(CODE),
    **alike("orderTypeCode purchaseOrganizationCode invoicingSupplierCode paymentTermCode", CODE),
    **alike("companyName organizationElementName purchaseOrganizationName supplierName", text(250)),
    **alike("invoicingSupplierName paymentTermName", text(250)),
    "description": text(1000),
    "orderReference": text(100),
    **alike("created requestedDeliveryDate actualDeliveryDate validFrom validTo", moment()),
    **alike("isClosed isInvoiced isDelivered", flag()),
    **TENANT_COLUMNS,
}

# Codes and names of the coding dimensions, which all hold 50 characters.
_CODING_50 = (
    "fixedAssetSubCode fixedAssetSubName internalOrderCode internalOrderName profitCenterCode profitCenterName "
    "businessUnitCode businessUnitName projectSubCode projectSubName employeeCode employeeName vehicleNumber "
    "vehicleName salesOrderCode salesOrderName salesOrderSubCode salesOrderSubName customerCode customerName "
    "accAssignmentCategoryCode accAssignmentCategoryName budgetCode budgetName serviceCode serviceName "
    "businessAreaCode businessAreaName taxJurisdictionCode subUOM workOrderCode workOrderName workOrderSubCode "
    "workOrderSubName commitmentItem controllingArea functionalArea accountCode"
)

ORDER_LINE_CODING: Entity = {
    "externalCode": must(EXTERNAL_CODE),
    "rowIndex": must(whole(0, 100_000)),
    "allocatedQuantity": must(number()),
    **alike("netTotal grossTotal taxSum taxSum2", number()),
    **alike("conversionNumerator conversionDenominator conversionDeNumerator", number()),
    **alike("taxPercent taxPercent2", number(-BILLION, BILLION)),
    **alike("projectCode taxCode", CODE),
    **alike(_CODING_50, text(50)),
    "costCenterCode": text(200),
    **alike("accountName costCenterName projectName partnerProfitCenter fixedAssetCode fixedAssetName", text(250)),
    **alike("network networkActivity", text(250)),
    "materialGroup": text(100),
    **series("dimCode", 10, text(100)),
    **series("dimName", 10, text(100)),
    **series("num", 5, number()),
    **series("text", 5, text(250)),
    **series("date", 5, moment()),
}

GOODS_RECEIPT: Entity = {
    "externalCode": must(EXTERNAL_CODE),
    "goodsReceiptNumber": must(text(100)),
    "quantity": must(number()),
    **alike("goodsReceiptLineNumber unitOfMeasure", CODE),
    "referenceGRExternalCode": EXTERNAL_CODE,
    **alike("deliveryNoteNumber bestFitGrouping subUnitOfMeasure goodsReceiptNote productSerialNumber", text(250)),
    **alike("netSum grossSum netPrice grossPrice invoicedQuantity invoicedNetSum invoicedGrossSum", number()),
    **alike("isDeleted notifyFault", flag()),
    **alike("goodsReceiptType receiveMethod", whole()),
    **alike("voucherNumber serviceEntrySheetDocId", text(100)),
    **alike("fiscalYear deliveryDate", moment()),
    "comment": text(255),
    **TENANT_COLUMNS,
    "receiptCoding": many(ORDER_LINE_CODING),
}

REFERENCE_USER: Entity = {
    "userExternalCode": EXTERNAL_CODE,
    "userEmail": text(250),
    "userRole": choice("Buyer Owner ReferencePerson Other"),
}

MATCHING_ORDER_LINE: Entity = {
    "externalCode": must(EXTERNAL_CODE),
    "orderExternalCode": must(EXTERNAL_CODE),
    "lineNumber": must(text(100)),
    "quantity": must(number()),
    "matchingMode": must(choice("Standard Blanket Return Service")),
    "sortNumber": whole(),
    "currencyCode": text(3, least=2),
    **alike("netSum grossSum netPrice grossPrice taxPercent2 taxSum taxSum2", number()),
    **alike("invoicedQuantity invoicedNetSum invoicedGrossSum", number()),
    "taxPercent": number(0, BILLION),
    **alike("isReceiptRequired isReceiptBasedMatching isOverreceivalAllowed", flag()),
    **alike("isClosed isDeleted isSelfApproved", flag()),
    **alike("uom priceUnit taxCode unspsc", CODE),
    **alike("subUOM priceUnitDescription productCode productName materialGroup", text(250)),
    **alike("globalTradeItemNumber buyerProductCode", text(250)),
    "contractNumber": text(255),
    **alike("description comment", text(1000)),
    **alike("validFrom validTo requestedDeliveryDate actualDeliveryDate", moment()),
    **TENANT_COLUMNS,
    "orderLineCoding": many(ORDER_LINE_CODING),
    "goodsReceipts": many(GOODS_RECEIPT),
    "referenceUsers": many(REFERENCE_USER),
}

TRANSFER_RESPONSE: Entity = {
    "externalCode": must(EXTERNAL_CODE),
    "success": must(flag()),
    "responseMessage": must(text(250)),
    "sourceSystem": text(32),
    **alike("voucherNumber1 voucherNumber2", CODE),
    "transferDate": moment(),
    "paymentBlock": must(flag()),
}

PAYMENT_RESPONSE: Entity = {
    "externalCode": must(EXTERNAL_CODE),
    "success": must(flag()),
    "responseMessage": text(250),
    "sourceSystem": text(32),
    "paymentDate": moment(),
    "paymentBlock": must(flag()),
    **alike("paymentTermCode paymentMethod checkNumber", CODE),
    **alike("paidTotal cashDiscount", number()),
    "paymentMessage": text(100),
    **alike("paymentNumber paymentDocument paymentReversalDocument", text(250)),
}
