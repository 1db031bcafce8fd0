"""Bodies of the master data that stands on its own: terms, accounts, cost centers, tax codes, projects, rates, lists.

(contracts: Basware §6 to §12; lengths and enums as in the OpenAPI document)
"""

from syncengine.sandbox.basware.schemas.fields import (
    DATE_TIME,
    FLAG,
    INT32_MAX,
    LARGEST_PERCENT,
    NUMBER,
    choice,
    code,
    entity,
    integer,
    many,
    number,
    numbered,
    text,
)

EXTERNAL_CODE = code(36)
TEXT = text(250)
PERCENT = number(-LARGEST_PERCENT, LARGEST_PERCENT)
COUNT = integer(0, INT32_MAX)

SET_BY_BASWARE = {"lastUpdated": DATE_TIME}

TRANSLATION = entity(
    "LanguageTranslationEntity",
    required={"translation": text(2000, shortest=2), "language": text(10, shortest=2)},
)

# The companies item differs per entity: only some inherit to child units, and the others refuse the word (§6).
COMPANY_WITH_INHERIT = entity(
    "AccountCompanyEntity", required={"companyCode": code(32), "inherit": FLAG, "active": FLAG}
)
COMPANY = entity("CostCenterCompanyEntity", required={"companyCode": code(32), "active": FLAG})

ACCOUNT = entity(
    "AccountEntity",
    required={
        "externalCode": EXTERNAL_CODE,
        "accountCode": code(25),
        "accountNames": many(TRANSLATION),
        "companies": many(COMPANY_WITH_INHERIT),
    },
    optional={"taxCode": text(25), **numbered("text", 5, TEXT)},
    never_null=SET_BY_BASWARE,
)

COST_CENTER = entity(
    "CostCenterEntity",
    required={
        "externalCode": EXTERNAL_CODE,
        "costCenterCode": code(25),
        "costCenterNames": many(TRANSLATION),
        "companies": many(COMPANY),
    },
    optional={**numbered("text", 10, TEXT), **numbered("date", 5, DATE_TIME), **numbered("int", 5, integer())},
    never_null=SET_BY_BASWARE,
)

DISCOUNT_RULE = entity(
    "PaymentTermDiscountRule",
    required={"externalCode": EXTERNAL_CODE, "active": FLAG},
    optional={"discountDays": COUNT, "discountPercent": number(0, LARGEST_PERCENT)},
)

PAYMENT_TERM = entity(
    "PaymentTermEntity",
    required={
        "externalCode": EXTERNAL_CODE,
        "paymentTermCode": code(25),
        "paymentTermNames": many(TRANSLATION),
        "validFrom": DATE_TIME,
        "validTo": DATE_TIME,
        "companies": many(COMPANY_WITH_INHERIT),
    },
    optional={
        "sortOrder": COUNT,
        "moveDueDatesTo": text(pattern="^[012]$"),
        # The document puts string patterns on these integers; such a slip is not applied (§18 point 3).
        "dueDateCalc": integer(),
        "dueDateDays": COUNT,
        "dueDateDays2": COUNT,
        "dueDateEom": COUNT,
        "cashDueDateCalc": integer(),
        "cashDueDateDays": COUNT,
        "cashDueDateDays2": COUNT,
        "cashDueDateEom": COUNT,
        "cashDiscount": number(0, LARGEST_PERCENT),
        "paymentTermDiscountRules": many(DISCOUNT_RULE),
    },
    never_null=SET_BY_BASWARE,
)

TAX_PROCEDURE_ROW = entity(
    "TaxCodeAdditionalData",
    optional={
        "externalCode": text(32),
        "account": text(25),
        "statistical": text(25),
        "transactionType": text(25),
        "taxPercent": NUMBER,
        "country": text(25),
        "condition": text(25),
        "active": FLAG,
    },
)

TAX_CODE = entity(
    "TaxCodeEntity",
    required={
        "externalCode": EXTERNAL_CODE,
        "taxCode": code(25),
        "taxCodeNames": many(TRANSLATION),
        "taxPercentage": PERCENT,
        "companies": many(COMPANY_WITH_INHERIT),
    },
    optional={"taxGroup": text(25), "taxPercentage2": PERCENT, "additionalData": many(TAX_PROCEDURE_ROW)},
    never_null=SET_BY_BASWARE,
)

PROJECT = entity(
    "ProjectEntityV2",
    required={
        "externalCode": EXTERNAL_CODE,
        "projectCode": code(25),
        "projectName": code(100),
        "validFrom": DATE_TIME,
        "validUntil": DATE_TIME,
        "companies": many(COMPANY),
    },
    optional={"description": text(500)},
    never_null=SET_BY_BASWARE,
)

EXCHANGE_RATE = entity(
    "ExchangeRateEntity",
    required={
        "externalCode": EXTERNAL_CODE,
        "currencyCodeFrom": text(3, shortest=2),
        "currencyCodeTo": text(3, shortest=2),
        "rate": number(0, LARGEST_PERCENT),
        "validFrom": DATE_TIME,
        "companies": many(COMPANY),
    },
    never_null=SET_BY_BASWARE,
)

LIST_CONTENTS = [
    "Plant",
    "ProfitCenter",
    "BusinessUnit",
    "Project",
    "ProjectSub",
    "Employee",
    "Vehicle",
    "Customer",
    "AccAssignmentCategory",
    "Budget",
    "Service",
    "BusinessArea",
    "PartnerProfitCenter",
    "FixedAsset",
    "FixedAssetSubCode",
    "WorkOrderCode",
    "WorkOrderSubCode",
    "CommitmentItem",
    "ControllingArea",
    "FunctionalArea",
    "Network",
    "NetworkActivity",
    "Tax",
    "TaxJurisdiction",
    "Dimension1",
    "Dimension2",
    "Dimension3",
    "Dimension4",
    "Dimension5",
    "Dimension6",
    "Dimension7",
    "Dimension8",
    "Dimension9",
    "Dimension10",
    "InternalOrder",
    "SalesOrder",
    "SalesOrderSub",
]

LIST_ITEM = entity(
    "GenericListEntity",
    required={"externalCode": EXTERNAL_CODE},
    optional={
        **numbered("text_", 25, text()),
        **numbered("number_", 15, NUMBER),
        **numbered("dateValue_", 15, DATE_TIME),
        "companies": many(COMPANY),
        "listContent": choice(*LIST_CONTENTS),
    },
    never_null=SET_BY_BASWARE,
)

DELETE_REQUEST = entity("DeleteRequest", optional={"lastUpdated": DATE_TIME, "externalCode": text(36)})
