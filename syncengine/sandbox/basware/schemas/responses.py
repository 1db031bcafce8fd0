"""Answers about invoices and about requests (contracts: Basware §14.7 and §5)."""

from syncengine.sandbox.basware.schemas.fields import DATE_TIME, FLAG, NUMBER, code, entity, text
from syncengine.sandbox.basware.schemas.master_data import EXTERNAL_CODE

VOUCHERS = {"voucherNumber1": text(25), "voucherNumber2": text(25)}

PREBOOK_RESPONSE = entity(
    "PrebookResponseEntity",
    # The document gives the flag `success` a text length; such a slip is not applied (§18 point 3).
    required={"externalCode": EXTERNAL_CODE, "success": FLAG, "responseMessage": code(250), "paymentBlock": FLAG},
    optional={"sourceSystem": text(32), "prebookDate": DATE_TIME, **VOUCHERS},
)

TRANSFER_RESPONSE = entity(
    "TransferResponseEntity",
    required={"externalCode": EXTERNAL_CODE, "success": FLAG, "responseMessage": code(250), "paymentBlock": FLAG},
    optional={"sourceSystem": text(32), "transferDate": DATE_TIME, **VOUCHERS},
)

PAYMENT_RESPONSE = entity(
    "PaymentResponseEntity",
    required={"externalCode": EXTERNAL_CODE, "success": FLAG, "paymentBlock": FLAG},
    optional={
        "responseMessage": text(250),
        "sourceSystem": text(32),
        "paymentDate": DATE_TIME,
        "paymentTermCode": text(25),
        "paymentMethod": text(25),
        "paidTotal": NUMBER,
        "cashDiscount": NUMBER,
        "checkNumber": text(25),
        "paymentMessage": text(100),
        "paymentNumber": text(250),
        "paymentDocument": text(250),
        "paymentReversalDocument": text(250),
    },
)

ENRICHMENT_RESPONSE = entity(
    "EnrichmentResponseEntity",
    required={"externalCode": EXTERNAL_CODE, "success": FLAG, "responseMessage": code(250)},
    optional={"sourceSystem": text(32), "transferDate": DATE_TIME},
)

REQUEST_IDS = entity("ProcessingStatusGetBatchRequest", optional={"requestIds": list[str]})
