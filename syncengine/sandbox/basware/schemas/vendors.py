"""The vendor body with everything nested in it (contracts: Basware §13)."""

from syncengine.sandbox.basware.schemas.fields import (
    FLAG,
    NUMBER,
    choice,
    code,
    entity,
    many,
    one,
    text,
)
from syncengine.sandbox.basware.schemas.master_data import EXTERNAL_CODE, SET_BY_BASWARE

# The domain must be in lower case; the text of §13 says so of the whole address, the pattern is laxer and decides.
ORDER_EMAIL = (
    r"^(?:[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"|(?:[\x01-\x08\x0b\x0c\x0e-\x1f\x21\x23-\x5b\x5d-\x7f]|\\[\x01-\x09\x0b\x0c\x0e-\x7f])*)"
    r"@(?:(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
    r"|\[(?:(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)\.){3}"
    r"(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?|[a-z0-9-]*[a-z0-9]:"
    r"(?:[\x01-\x08\x0b\x0c\x0e-\x1f\x21-\x5a\x53-\x7f]|\\[\x01-\x09\x0b\x0c\x0e-\x7f])+)\])$"
)

ADDRESS_FIELD_KEYS = [
    "AdditionalField1",
    "AdditionalField2",
    "AdditionalStreetName",
    "BlockName",
    "BuildingName",
    "BuildingNumber",
    "CitySubDivisionName",
    "Country",
    "Department",
    "District",
    "Email",
    "Floor",
    "GlobalLocationNumber",
    "InhouseEmail",
    "MarkAttention",
    "MarkCare",
    "Region",
    "Room",
    "CoordinateSystemCode",
    "PlotIdentification",
    "LatitudeDegreesMeasure",
    "LatitudeDirectionCode",
    "LatitudeMinutesMeasure",
    "LongitudeDegreesMeasure",
    "LongitudeDirectionCode",
    "LongitudeMinutesMeasure",
]

IDENTIFIER = entity(
    "VendorIdentifierEntity",
    required={"id": code(36), "schemeId": code(32)},
    optional={"defaultPartyId": FLAG},
)

ADDRESS_FIELD = entity(
    "VendorAddressPartEntity",
    optional={"value": text(200)},
    never_null={"key": choice(*ADDRESS_FIELD_KEYS)},
)

ADDRESS = entity(
    "VendorAddressEntity",
    required={"externalCode": EXTERNAL_CODE, "name": code(200)},
    optional={
        "description": text(200),
        "addressType": choice(
            "AdditionalAddress",
            "VisitingAddress",
            "RemittanceAddress",
            "DeliveryAddress",
            "PostalAddress",
            "RegistrationAddress",
        ),
        "addressLine1": text(200),
        "addressLine2": text(200),
        "addressLine3": text(200),
        "cityName": text(50),
        "postalZone": text(50),
        "poBox": text(50),
        "streetName": text(50),
        "locality": text(50),
        "countrySubEntity": text(50),
        "countrySubEntityDescription": text(50),
        "countryId": text(2, shortest=2),
        "default": FLAG,
        "additionalAddressFields": many(ADDRESS_FIELD),
    },
)

CONTACT = entity(
    "VendorContactEntity",
    required={"name": code(200)},
    optional={
        "description": text(200),
        "telephone": text(50),
        "telefax": text(50),
        "email": text(200),
        "website": text(200),
    },
    never_null={"role": choice("AdditionalContact", "PrimaryContact", "SecondaryContact")},
)

DELIVERY_TERM = entity(
    "VendorDeliveryTermEntity",
    required={"deliveryTermCode": code(25)},
    optional={"deliveryLocation": text(100), "description": text(200)},
)

FINANCIAL_INSTITUTION = entity(
    "FinancialInstitutionEntity",
    required={"name": text(250), "id": code(20), "schemeId": code(36)},
    optional={"branchId": text(50), "branchIdSchemeId": text(36), "countryId": text(2, shortest=2)},
)

ACCOUNT_IDENTIFIER = entity(
    "FinancialAccountIdentifierEntity",
    required={"schemeId": code(36)},
    optional={
        "description": text(200),
        "id": text(50),
        "accountHolderName": text(200),
        "currencyCode": text(3, shortest=3),
        "accountAdditionalData1": text(200),
        "accountAdditionalData2": text(200),
        "default": FLAG,
        "linkedBbanOrIban": text(50),
    },
)

FINANCIAL_ACCOUNT = entity(
    "VendorfinancialAccountsEntity",
    optional={"financialAccountIdentifiers": many(ACCOUNT_IDENTIFIER)},
    never_null={"financialInstitution": one(FINANCIAL_INSTITUTION)},
)

PAYMENT_MEANS = entity(
    "VendorPaymentMeanEntity",
    required={"paymentMeansCode": code(25)},
    optional={
        "description": text(200),
        "currencyCode": text(3, shortest=3),
        "financialAccounts": many(FINANCIAL_ACCOUNT),
        "default": FLAG,
    },
)

VENDOR_PAYMENT_TERM = entity(
    "VendorPaymentTermEntity", required={"paymentTermCode": code(25)}, optional={"description": text(200)}
)

ORDERING_DETAILS = entity(
    "VendorOrderingDetailsEntity",
    optional={
        "orderingFormat": choice("UBL", "EHFXML21", "email", "other", "none", "BaswareNetwork"),
        "orderingMessageLanguage": text(10),
        "orderingLanguage": text(25),
        "orderEmail": text(320, shortest=3, pattern=ORDER_EMAIL),
        "orderProcessType": text(50),
        "minimumOrderAllowed": NUMBER,
        "isTaxable": FLAG,
        "automaticallyReceiveOnInvoice": FLAG,
        "automaticallyReceiveOnOrder": FLAG,
        "hasActiveCatalog": FLAG,
        "createOrderAutomatically": FLAG,
        "deliverOrderAutomatically": FLAG,
        "noFreeformItems": FLAG,
        "sendToNetwork": FLAG,
    },
)

PROCESSING_STATUS = entity("VendorProcessingStatusEntity", optional={"active": FLAG, "paymentDenied": FLAG})

TAG = entity("VendorTagEntity", required={"name": code(50), "value": code(250)}, optional={"tagGroup": text(50)})

CUSTOM_FIELD = entity(
    "VendorAdditionalFieldEntity",
    required={"name": code(25), "value": code(250)},
    optional={"groupName": text(500)},
)

VENDOR_COMPANY = entity(
    "VendorCompanyEntity", required={"companyCode": code(32)}, optional={"inheritToChildUnits": FLAG}
)

VENDOR = entity(
    "VendorEntity",
    required={
        "externalCode": EXTERNAL_CODE,
        "vendorCode": code(25),
        "name": code(250),
        "companies": many(VENDOR_COMPANY),
    },
    optional={
        "vendorParent": text(),
        "buvid": text(36),
        "sourceSystem": text(36),
        "description": text(250),
        "supplierAssignedAccountId": text(128),
        "eligibleForSourcing": FLAG,
        "vendorClass": text(100),
        "identifiers": many(IDENTIFIER),
        "addresses": many(ADDRESS),
        "contacts": many(CONTACT),
        "paymentMeans": many(PAYMENT_MEANS),
        "tags": many(TAG),
        "customFields": many(CUSTOM_FIELD),
    },
    never_null={
        "deliveryTerm": one(DELIVERY_TERM),
        "paymentTerms": one(VENDOR_PAYMENT_TERM),
        "orderingDetails": one(ORDERING_DETAILS),
        "processingStatus": one(PROCESSING_STATUS),
        **SET_BY_BASWARE,
    },
)
