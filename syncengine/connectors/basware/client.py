"""The Basware P2P API as the product uses it; every call ends in one of the six outcomes (contracts: Basware)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from syncengine.connectors.basware.errors import NOT_FOUND, WRONG_URL_HINT, records_refused, request_id_of
from syncengine.connectors.basware.resources import RESOURCES
from syncengine.connectors.basware.session import Query, Session, at
from syncengine.connectors.basware.settings import BaswareSettings
from syncengine.connectors.basware.statuses import RequestResult, read_result
from syncengine.connectors.basware.tokens import MemoryTokenStore, Token, TokenSource, TokenStore
from syncengine.connectors.http import Response, Transport, utcnow
from syncengine.connectors.jsonio import Written
from syncengine.connectors.outcomes import RecordError, Unavailable

ALREADY_DONE = 405
DOCUMENT = "/v1/accountingDocuments/{invoice_id}"
DOCUMENTS_KEY = "accountingDocuments"
REQUEST_STATUS = "/v1/requestStatus"
SUBSCRIPTIONS = "/v1/subscriptions"
EVERYTHING_SINCE = "0001-01-01T00:00:00Z"

Row = dict[str, Any]
ResponseKind = Literal["transferResponses", "paymentResponses"]


@dataclass(frozen=True)
class ImportReceipt:
    """A batch that Basware accepted: not done yet, `request_id` leads to what becomes of it (§5).

    `refused` names records that the accepted request nevertheless complains about; usually empty.
    """

    request_id: str | None
    refused: tuple[RecordError, ...]
    status: int


@dataclass(frozen=True)
class ResponseReceipt:
    """An answer that Basware accepted; it is settled later as well, under this request id."""

    request_id: str | None


@dataclass(frozen=True)
class Attachment:
    """A file as Basware handed it out, and the type that its storage says it has."""

    content: bytes = field(repr=False)
    content_type: str


@dataclass(frozen=True)
class Subscription:
    """One push subscription; it has no id of its own, `last_updated` is as Basware wrote it (§16.1)."""

    task_type: str
    task_sub_type: str
    url: str
    secret: str = field(repr=False)
    last_updated: str = ""


class Basware:
    """One connection to Basware P2P. May be used by many threads; keeps nothing but the token.

    Reads raise Unavailable, Throttled or Rejected. Writes are sent once: OutcomeUnknown when the answer was lost,
    Rejected with `errors` per record when Basware refused.
    """

    def __init__(
        self,
        settings: BaswareSettings,
        transport: Transport,
        tokens: TokenStore | None = None,
        *,
        clock: Callable[[], datetime] = utcnow,
    ) -> None:
        self.settings = settings
        self._transport = transport
        self._clock = clock
        self._tokens = TokenSource(settings, transport, tokens or MemoryTokenStore(), clock)
        self.session = Session(settings, transport, self._tokens, clock)

    def token(self) -> Token:
        """A usable token; raises Unauthenticated(login_refused=True) when the credentials or scopes are refused."""
        return self._tokens.current()

    def private(self) -> Basware:
        """The same client with a token of its own, for a ping: it shows the credentials whatever was granted."""
        return Basware(self.settings, self._transport, clock=self._clock)

    def granted_scopes(self) -> frozenset[str]:
        return frozenset(self.token().scope.split())

    def missing_scopes(self) -> tuple[str, ...]:
        """What was asked for and not granted, in the order asked."""
        granted = self.granted_scopes()
        return tuple(scope for scope in self.settings.asked_scopes if scope not in granted)

    # Master data and orders: SAP to Basware

    def import_records(self, resource: str, payloads: Sequence[Mapping[str, Any] | Written]) -> ImportReceipt:
        """One POST of one array; the caller cuts batches and never has one externalCode in two at once (§3.7).

        Raises Rejected with `errors` per record when the schema refused it: then nothing of it counts as taken (§3.8).
        """
        response = self.session.post(RESOURCES[resource].path, list(payloads))
        return ImportReceipt(request_id_of(response), records_refused(_json_or_none(response)), response.status)

    def records(
        self,
        resource: str,
        *,
        company_code: str | None = None,
        last_updated: datetime | None = None,
        order_external_code: str | None = None,
        page_size: int | None = None,
    ) -> Iterator[list[Row]]:
        """What was posted to the API layer, page by page; it proves nothing about P2P (§17).

        `matchingOrderLines` needs `order_external_code` and knows no company.
        """
        described = RESOURCES[resource]
        query: Query = {
            "companyCode": company_code,
            "lastUpdated": _stamp(last_updated),
            "orderExternalCode": order_external_code,
            "pageSize": page_size or described.page_size,
        }
        return self._rows(described.path, described.list_key, query)

    def record(self, resource: str, external_code: str) -> Row | None:
        """One posted record by its external code; None when Basware does not know it."""
        described = RESOURCES[resource]
        answer = self.session.get(at(described.path + "/{code}", code=external_code))
        return _first(answer.body, described.list_key)

    # Invoices: Basware to SAP

    def documents(
        self,
        *,
        processing_status: str | None = None,
        company_code: str | None = None,
        last_updated: datetime | None = None,
        page_size: int = 100,
    ) -> Iterator[list[Row]]:
        """Documents page by page, of the connection's company unless another is named (`""` = all).

        Read to the end before acknowledging any: whether that shifts the pages that follow is unconfirmed (§3.3).
        """
        query: Query = {
            "ProcessingStatus": processing_status,
            "pageSize": page_size,
            "companyCode": self.settings.company_code if company_code is None else company_code,
            "lastUpdated": _stamp(last_updated),
        }
        return self._rows("/v1/accountingDocuments", DOCUMENTS_KEY, query)

    def document(self, invoice_id: str) -> Row | None:
        """One document in the wrapper or bare (§14.1); None when it is not known (yet)."""
        rows = _list(self.session.get(at(DOCUMENT, invoice_id=invoice_id)).body, DOCUMENTS_KEY)
        wanted = invoice_id.lower()
        return next((row for row in rows if str(row.get("invoiceId") or wanted).lower() == wanted), None)

    def attachment(self, invoice_id: str, code: str, most_bytes: int) -> Attachment | None:
        """A file of a transferred document (§14.9); None when there is none.

        Raises Unavailable `answer_too_large` as soon as more than `most_bytes` have come.
        """
        path = at(DOCUMENT + "/attachments/{code}", invoice_id=invoice_id, code=code)
        answer = self.session.file(path, most_bytes)
        return None if answer is None else Attachment(answer.body, answer.header("Content-Type") or "")

    def acknowledge(self, invoice_id: str) -> bool:
        """Claim the document: True when claimed now, False when it was acknowledged before (405, §14.2)."""
        response = self.session.post(at(DOCUMENT + "/acknowledge", invoice_id=invoice_id), fine={ALREADY_DONE})
        return response.status != ALREADY_DONE

    def respond(self, invoice_id: str, kind: ResponseKind, body: Mapping[str, Any]) -> ResponseReceipt:
        """Answer one document. On Rejected of any 4xx re-read the document: it may hold this very answer (§14.7)."""
        response = self.session.post(at(DOCUMENT, invoice_id=invoice_id) + f"/{kind}", dict(body))
        return ResponseReceipt(request_id_of(response))

    # What became of it

    def request_status(self, request_id: str) -> RequestResult | None:
        """The outcome of one request; None while Basware does not know the id (404), which is normal at first."""
        answer = self.session.get(at(REQUEST_STATUS + "/{request_id}", request_id=request_id))
        results = [read_result(row) for row in _list(answer.body, "requestStatus")]
        # The id may be null or absent in the answer (the schema requires nothing): it was asked for by it.
        named = {result.request_id.lower(): result for result in reversed(results)}
        found = named.get(request_id.lower(), named.get(""))
        return found and replace(found, request_id=request_id)

    def request_statuses(
        self, entity_type: str, *, last_updated: datetime | None = None, page_size: int = 500
    ) -> Iterator[RequestResult]:
        """The outcomes of all requests of a type. The type is always sent: without it only errors come (§5)."""
        query: Query = {"entityType": entity_type, "pageSize": page_size, "lastUpdated": _stamp(last_updated)}
        for rows in self._rows(REQUEST_STATUS, "requestStatus", query):
            yield from map(read_result, rows)

    # Push notifications

    def subscriptions(self, task_type: str | None = None, task_sub_type: str | None = None) -> list[Subscription]:
        """The subscriptions of the API account, other systems' ones included; the answer carries their secrets."""
        answer = self.session.get(SUBSCRIPTIONS, {"taskType": task_type, "taskSubType": task_sub_type})
        return [_subscription(row) for row in _list(answer.body, "subscriptions")]

    def subscribe(self, task_type: str, task_sub_type: str, url: str, secret: str) -> None:
        """Subscribe; Basware calls the URL with a ConnectionTest before it answers (§16.2), so be ready for it."""
        wanted = {
            "taskType": task_type,
            "taskSubType": task_sub_type,
            "subscriptionType": "Webhook",
            "notificationWebhookURL": url,
            "webhookAuthenticationToken": secret,
        }
        self.session.post(SUBSCRIPTIONS, [wanted])

    def unsubscribe(self, task_type: str, task_sub_type: str, since: str = EVERYTHING_SINCE) -> int:
        """Remove the account's subscriptions of exactly these types updated after `since`; gives how many.

        The wildcard `All` as task type would remove other systems' subscriptions: refused (§16.1).
        """
        if task_type == "All":
            raise ValueError("Subscriptions are removed by their exact task type.")
        query: Query = {"lastUpdated": since, "taskType": task_type, "taskSubType": task_sub_type}
        body = _json_or_none(self.session.delete(SUBSCRIPTIONS, query, fine={NOT_FOUND}))
        return int(body.get("numberOfRecordsDeleted") or 0) if isinstance(body, Mapping) else 0

    def tasks(
        self,
        *,
        task_type: str | None = None,
        task_status: str | None = None,
        document_id: str | None = None,
        last_updated: datetime | None = None,
    ) -> Iterator[list[Row]]:
        """The history of notifications; a failed task tells of a broken receiver (§16.5)."""
        query: Query = {
            "taskType": task_type,
            "taskStatus": task_status,
            "documentId": document_id,
            "lastUpdated": _stamp(last_updated),
        }
        return self._rows("/v1/tasks", "taskStatus", query)

    def _rows(self, path: str, key: str, query: Query) -> Iterator[list[Row]]:
        """Pages that hold anything; a short or empty page need not be the last, only the header decides (§3.3)."""
        for body in self.session.pages(path, query):
            if rows := _list(body, key):
                yield rows


def _list(body: Any, key: str) -> list[Row]:
    """The rows in the wrapper, in a bare array, or one bare object; the wrapper may be null or absent (§10, §14.1).

    Raises Unavailable for JSON that is none of these: it must not pass for "no records".
    """
    found = body.get(key, body) if isinstance(body, Mapping) else body
    if isinstance(found, str):
        found = body  # a bare request: it has a field of the wrapper's name
    if not found:
        return []
    if isinstance(found, Mapping) and found.keys() & {"externalCode", "invoiceId", "systems"}:
        return [dict(found)]
    if isinstance(found, list) and all(isinstance(row, Mapping) for row in found):
        return [dict(row) for row in found]
    raise Unavailable(
        "The address answered with JSON that is not Basware's.", code="not_basware", status=200, hint=WRONG_URL_HINT
    )


def _first(body: Any, key: str) -> Row | None:
    return next(iter(_list(body, key)), None)


def _json_or_none(response: Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _subscription(row: Row) -> Subscription:
    names = ("taskType", "taskSubType", "notificationWebhookURL", "webhookAuthenticationToken", "lastUpdated")
    return Subscription(*(str(row.get(name) or "") for name in names))


def _stamp(moment: datetime | None) -> str | None:
    """UTC with whole seconds, cut down: "updated after" then overlaps rather than misses."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
