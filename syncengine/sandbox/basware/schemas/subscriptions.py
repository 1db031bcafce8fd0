"""Bodies of the push API (contracts: Basware §16.1)."""

from syncengine.sandbox.basware.schemas.fields import DATE_TIME, choice, code, entity, many, text

FIELD_UPDATE = entity("FieldUpdateArray", never_null={"fieldId": text(), "updateToValue": text()})

AUTO_RESPONDER = entity(
    "AutoResponder",
    optional={"fieldUpdateArray": many(FIELD_UPDATE)},
    never_null={"autoResponseMode": choice("Disabled", "Success", "Failed"), "autoResponseMessage": text()},
)

SUBSCRIPTION = entity(
    "Subscription",
    required={
        "taskType": code(100),
        "subscriptionType": choice("Webhook", "Polling"),
        "notificationWebhookURL": text(2083, shortest=1, pattern=r"^https?://\S+$"),
        "webhookAuthenticationToken": code(4096),
    },
    optional={"autoResponder": AUTO_RESPONDER},
    never_null={"taskSubType": text(), "lastUpdated": DATE_TIME},
)

TASK_TYPES = frozenset(
    {
        "AccountingDocuments",
        "RequestStatus",
        "ExportedPurchaseOrders",
        "ExportedPurchaseRequisitions",
        "ExportedContracts",
        "ExportedContractSpends",
    }
)
TASK_SUB_TYPES = frozenset(
    {
        "WaitingForPrebook",
        "WaitingForTransfer",
        "WaitingForPrebookCancelation",
        "WaitingToBeRemoved",
        "WaitingToBeReturned",
        "WaitingToBeCompleted",
        "WaitingForExport",
        "Error",
        "Success",
        "All",
    }
)
