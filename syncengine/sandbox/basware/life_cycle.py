"""The statuses of an invoice and what moves it from one to the next, as tables (contracts: Basware §14.2, §14.7)."""

from dataclasses import dataclass

from syncengine.sandbox.basware.schemas import responses
from syncengine.sandbox.basware.schemas.fields import Schema

STATUSES = [
    "WaitingForPrebook",
    "PrebookInProgress",
    "Prebooked",
    "PrebookFailed",
    "WaitingForTransfer",
    "TransferInProgress",
    "Transferred",
    "TransferFailed",
    "WaitingForPrebookCancelation",
    "PrebookCancelationInProgress",
    "PrebookCanceled",
    "PrebookCancelFailed",
    "WaitingToBeRemoved",
    "Removed",
    "RemoveFailed",
    "WaitingToBeReturned",
    "Returned",
    "ReturnFailed",
    "WaitingToBeCompleted",
    "CompletionInProgress",
    "Completed",
    "CompletionFailed",
    "Paid",
    "New",
    "WaitingForEnrichmentTransfer",
    "EnrichmentTransferInProgress",
    "EnrichmentTransferred",
    "EnrichmentTransferFailed",
    "InDocumentFilter",
    "DocumentFilterReleased",
]

ACKNOWLEDGED = {
    "WaitingForPrebook": "PrebookInProgress",
    "WaitingForTransfer": "TransferInProgress",
    "WaitingForPrebookCancelation": "PrebookCancelationInProgress",
    "WaitingToBeCompleted": "CompletionInProgress",
    "WaitingForEnrichmentTransfer": "EnrichmentTransferInProgress",
}
"""Acknowledge is a claim: from here it leads there, once. Any other status answers 405."""

RETRANSFERABLE = frozenset({"TransferFailed"})
WITH_ATTACHMENTS = frozenset({"Transferred", "Paid"})
PAYABLE = frozenset({"Transferred", "Paid"})
REJECTED = frozenset({"Removed", "Returned"})


@dataclass(frozen=True)
class ResponseKind:
    """One kind of answer about an invoice.

    ``open_in`` are the statuses in which it is taken; acknowledging first may be left out (§14.2 point 2), so the
    Waiting status is among them. Payments have no ``done`` and ``failed``: the amounts decide.
    """

    path: str
    entity_type: str
    field: str
    schema: Schema
    open_in: frozenset[str]
    done: str = ""
    failed: str = ""
    repeated: int = 409

    @property
    def entity_version(self) -> str:
        return f"{self.entity_type}V1"


TRANSFER = ResponseKind(
    "transferResponses",
    "TransferResponse",
    "transferResponses",
    responses.TRANSFER_RESPONSE,
    open_in=frozenset({"WaitingForTransfer", "TransferInProgress"}),
    done="Transferred",
    failed="TransferFailed",
    repeated=400,
)
PREBOOK = ResponseKind(
    "prebookResponses",
    "PrebookResponse",
    "prebookResponses",
    responses.PREBOOK_RESPONSE,
    open_in=frozenset({"WaitingForPrebook", "PrebookInProgress"}),
    done="Prebooked",
    failed="PrebookFailed",
)
ENRICHMENT = ResponseKind(
    "enrichmentResponses",
    "EnrichmentTransferResponse",
    "enrichmentResponses",
    responses.ENRICHMENT_RESPONSE,
    open_in=frozenset({"WaitingForEnrichmentTransfer", "EnrichmentTransferInProgress"}),
    done="EnrichmentTransferred",
    failed="EnrichmentTransferFailed",
    repeated=400,
)
PAYMENT = ResponseKind(
    "paymentResponses",
    "PaymentResponse",
    "paymentResponses",
    responses.PAYMENT_RESPONSE,
    open_in=PAYABLE,
)
RESPONSE_KINDS = (TRANSFER, PREBOOK, ENRICHMENT, PAYMENT)


def is_waiting(status: str) -> bool:
    """Statuses that are announced to subscribers."""
    return status.startswith("Waiting")


def search_status(status: str) -> str:
    """The coarse status of ``accountingDocuments/status`` (contracts: Basware §14.8)."""
    if status == "Paid":
        return "Paid"
    if status in REJECTED:
        return "Rejected"
    return "ReadyForPayment" if status == "Transferred" else "InApprovalProcess"
