"""The desk at which a document flow works on one record: every deed is a committed row before it returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from django.utils import timezone

from syncengine.audit import record_event, record_events
from syncengine.connectors import jsonio
from syncengine.connectors.basware import Basware
from syncengine.connectors.erp import ErpClient
from syncengine.engine import locks
from syncengine.engine.connections import Systems
from syncengine.engine.leases import LeaseLost
from syncengine.engine.planned import hold_to_plan
from syncengine.engine.records import count, lease_of
from syncengine.engine.settling_plan import first_poll_at
from syncengine.flows.company import FlowContext
from syncengine.flows.desk import AlreadyLinked, InvoiceState, Kin, LockHeld, OrderLine, PastAttempt, Posting
from syncengine.mapping import FieldMapping
from syncengine.models import Attempt, AttemptState, PostedDocument, Record, RecordStatus, Stage, UnlinkedDraw, single

LOCK_WAIT_SECONDS = 1.0

_ANNOUNCE = """
INSERT INTO syncengine_attempt (
    integration_id, record_id, flow, run_id, kind, key, entity_type, state, payload, started_at,
    request_id, message, polls, lease_owner
)
SELECT integration_id, id, flow, run_id, %s, %s, %s, %s, %s, %s, '', '', 0, ''
FROM syncengine_record WHERE id = %s AND status = %s AND lease_owner = %s
RETURNING id
"""
"""One statement: a record that somebody else has taken over meanwhile gets no row."""


class DbIntent:
    """An attempt row; `entity_type` says that the target answers later."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self.key = attempt.key

    def done(self, answer: Any = None, *, request_id: str = "") -> None:
        known: dict[str, Any] = {}
        if answer is not None:
            known["answer"] = answer
        if request_id:
            known["request_id"] = request_id
        if self._attempt.entity_type and request_id:
            self._end(AttemptState.ACCEPTED, **known, next_poll_at=first_poll_at(timezone.now()))
        else:
            self._end(AttemptState.DONE, **known)

    def refused(self, message: str) -> None:
        self._end(AttemptState.REJECTED, message=message)

    def unknown(self, message: str) -> None:
        self._end(AttemptState.UNKNOWN, message=message)

    def _end(self, state: AttemptState, **how: Any) -> None:
        changes = {"state": state, "finished_at": timezone.now(), **how}
        for name, value in changes.items():
            setattr(self._attempt, name, value)
        single.update(self._attempt, changes, {})


class DbDesk:
    """One record's desk (protocol `flows.desk.Desk`).

    Its attempts and its document are read once, and again under the posting lock: nobody else writes them while the
    lease is ours, and with each write the lease is looked at.
    """

    def __init__(self, record: Record, both: Systems, ctx: FlowContext, mapping: FieldMapping) -> None:
        self._record = record
        self.mapping = mapping
        self.sap: ErpClient = both.sap
        self.basware: Basware = both.basware
        self.ctx = ctx
        self._forget()

    def _forget(self) -> None:
        self._attempts: list[Attempt] | None = None
        self._postings: list[Posting] | None = None

    @property
    def now(self) -> datetime:
        return timezone.now()

    def announce(self, kind: str, key: str, payload: Any, *, entity_type: str = "") -> DbIntent:
        """Raises LeaseLost when another worker has taken the record over meanwhile: it does the writing now.

        PlanChanged when the record is sent for a plan that says something else.
        """
        if kind in self.counted_kinds:
            hold_to_plan(self._record, payload)
        attempt = next((row for row in self._rows() if (row.kind, row.key) == (kind, key)), None)
        if attempt is None:
            attempt = self._begin(kind, key, payload, entity_type)
        else:
            self._rows().remove(attempt)
            self._begin_again(attempt, payload, entity_type)
        self._rows().append(attempt)
        return DbIntent(attempt)

    def _begin(self, kind: str, key: str, payload: Any, entity_type: str) -> Attempt:
        begun = {"kind": kind, "key": key, "entity_type": entity_type, "state": AttemptState.SENDING.value}
        now, record = timezone.now(), self._record
        values = [jsonio.dumps(payload), connection.ops.adapt_datetimefield_value(now)]
        with connection.cursor() as cursor:
            cursor.execute(_ANNOUNCE, [*begun.values(), *values, record.pk, *lease_of(record).values()])
            row = cursor.fetchone()
        if row is None:
            raise LeaseLost
        if kind in self.counted_kinds:
            count(record.run_id, sent=1, created=1)
        return Attempt(pk=row[0], **begun, payload=payload, started_at=now)

    def _begin_again(self, attempt: Attempt, payload: Any, entity_type: str) -> None:
        mine = {f"record__{name}": value for name, value in lease_of(self._record).items()}
        begun = {
            "flow": self._record.flow,
            "run_id": self._record.run_id,
            "payload": payload,
            "entity_type": entity_type,
            "state": AttemptState.SENDING,
            "started_at": timezone.now(),
            "finished_at": None,
            "message": "",
            "polls": 0,
            "next_poll_at": None,
        }
        if not Attempt.objects.filter(pk=attempt.pk, **mine).update(**begun):
            raise LeaseLost
        for name, value in begun.items():
            setattr(attempt, name, value)

    counted_kinds = frozenset({"post", "payment_response"})

    def attempts(self, kind: str) -> Sequence[PastAttempt]:
        return [
            PastAttempt(
                row.kind, row.key, row.state, row.started_at, row.payload, row.answer, row.request_id, row.message
            )
            for row in self._rows()
            if row.kind == kind
        ]

    def _rows(self) -> list[Attempt]:
        if self._attempts is None:
            self._attempts = list(Attempt.objects.filter(record=self._record).order_by("started_at", "id"))
        return self._attempts

    def close_lost_attempts(self) -> None:
        """What a lost worker was sending, if there is such a thing among what is read anyway."""
        if any(row.state == AttemptState.SENDING for row in self._rows()):
            close_lost_attempts(self._record)
            self._forget()

    @contextmanager
    def posting_lock(self, *name: str) -> Iterator[None]:
        try:
            with locks.held("posting", *name, seconds=settings.LEASE_SECONDS, wait=LOCK_WAIT_SECONDS):
                self._forget()
                yield
        except locks.LockBusy as error:
            raise LockHeld("Another worker is at this vendor's invoice number.") from error

    def link(self, posting: Posting) -> None:
        fields = {
            "integration_id": self._record.integration_id,
            "doc_num": posting.doc_num,
            "invoice_id": posting.invoice_id,
            "card_code": posting.card_code,
            "num_at_card": posting.num_at_card,
            "adopted": posting.adopted,
        }
        try:
            with transaction.atomic():
                document = PostedDocument.objects.create(
                    record=self._record,
                    company=self._company(),
                    entity_set=posting.entity_set,
                    doc_entry=posting.doc_entry,
                    **fields,
                )
                self._note_draws(document)
                word = "adopted" if posting.adopted else "posted"
                where = f"{posting.entity_set} {posting.doc_num} ({posting.doc_entry})"
                self.audit(f"invoice.{word}", f"{where} in SAP")
        except IntegrityError as error:
            mine = PostedDocument.objects.filter(
                company=self._company(), entity_set=posting.entity_set, doc_entry=posting.doc_entry, record=self._record
            )
            if not mine.exists():
                raise AlreadyLinked(f"{posting.entity_set}({posting.doc_entry})") from error
            self._postings = None
        else:
            self._postings = [posting]

    def _note_draws(self, document: PostedDocument) -> None:
        """What this document takes from order lines that SAP does not know it is based on."""
        draws = (self._record.memo or {}).get("unlinked_order_lines") or {}
        for line, net in draws.items():
            entry, number = line.split("/")
            UnlinkedDraw.objects.create(document=document, order_entry=int(entry), order_line=int(number), net=net)

    def _company(self) -> str:
        sap = self.sap.settings
        return f"{sap.base_url.rstrip('/').lower()}#{sap.company_db}"

    def posting(self) -> Posting | None:
        if self._postings is None:
            rows = PostedDocument.objects.filter(record=self._record, cancelled_at=None).order_by("-id")[:1]
            self._postings = [as_posting(row) for row in rows]
        return self._postings[0] if self._postings else None

    def postings_by_entry(self, entity_set: str, doc_entries: Sequence[int]) -> Mapping[int, Posting]:
        return postings_by_entry(self._record.integration_id, entity_set, doc_entries)

    def order_line(self, order_number: str, line_number: str) -> Sequence[OrderLine]:
        orders = Record.objects.filter(
            integration_id=self._record.integration_id, flow="purchase_orders", reference=order_number
        )
        return [line for order in orders for line in _order_lines(order, line_number)]

    def invoiced_on_order_line(self, doc_entry: int, line_num: int) -> Decimal:
        draws = UnlinkedDraw.objects.filter(
            document__integration_id=self._record.integration_id,
            document__cancelled_at=None,
            order_entry=doc_entry,
            order_line=line_num,
        ).exclude(document__record=self._record)
        taken: Decimal | None = draws.aggregate(total=Sum("net"))["total"]
        return taken or Decimal(0)

    def sent_key(self, flow: str, key: str) -> str | None:
        row = Record.objects.filter(integration_id=self._record.integration_id, flow=flow, key=key).only("target_keys")
        found = row.first()
        return None if found is None else found.target_keys.get("external_code")

    def invoice(self, invoice_id: str) -> InvoiceState | None:
        row = Record.objects.filter(integration_id=self._record.integration_id, flow="invoices", key=invoice_id).first()
        return None if row is None else InvoiceState(row.stage, row.status, row.source or {}, row.memo or {})

    def kin(self, flow: str, reference: str) -> Sequence[Kin]:
        return kin_by_reference(self._record.integration_id, flow, [reference]).get(reference, ())

    def mark_paid(self, invoice_key: str, *, paid: bool = True) -> None:
        stage = Stage.PAID if paid else Stage.CONFIRMED
        now = timezone.now()
        with transaction.atomic():
            invoices = Record.objects.filter(
                integration_id=self._record.integration_id, flow="invoices", key=invoice_key, status=RecordStatus.DONE
            )
            PostedDocument.objects.filter(record__in=invoices).update(settled_at=now if paid else None)
            if invoices.exclude(stage=stage).update(stage=stage, updated_at=now):
                record_event(
                    self._record.integration.organization,
                    "system",
                    "record.paid" if paid else "record.payment_reversed",
                    integration=self._record.integration,
                    record=invoices.get(),
                    run=self._record.run,
                )

    def mark_cancelled(self, posting: Posting) -> None:
        PostedDocument.objects.filter(
            company=self._company(), entity_set=posting.entity_set, doc_entry=posting.doc_entry
        ).update(cancelled_at=timezone.now())
        self._postings = None

    def audit(self, action: str, message: str, **data: Any) -> None:
        record_events(self._record.integration, action, [(self._record, message)], **data)


def close_lost_attempts(record: Record) -> None:
    """What a lost worker was sending when it died: nobody knows, until a look-up says."""
    Attempt.objects.filter(record=record, state=AttemptState.SENDING).update(
        state=AttemptState.UNKNOWN, message="The worker was lost while it sent this.", finished_at=timezone.now()
    )


def as_posting(row: PostedDocument) -> Posting:
    return Posting(
        record_key=row.invoice_id,
        entity_set=row.entity_set,
        doc_entry=row.doc_entry,
        doc_num=row.doc_num,
        invoice_id=row.invoice_id,
        card_code=row.card_code,
        num_at_card=row.num_at_card,
        adopted=row.adopted,
    )


def postings_by_entry(integration_id: int, entity_set: str, doc_entries: Sequence[int]) -> Mapping[int, Posting]:
    """Posted documents of an integration that were not cancelled, by DocEntry."""
    rows = PostedDocument.objects.filter(
        integration_id=integration_id, entity_set=entity_set, doc_entry__in=list(doc_entries), cancelled_at=None
    )
    return {row.doc_entry: as_posting(row) for row in rows}


def kin_by_reference(integration_id: int, flow: str, references: Sequence[str]) -> dict[str, list[Kin]]:
    """The records of a flow by reference, each list in the order of their making."""
    rows = Record.objects.filter(integration_id=integration_id, flow=flow, reference__in=list(references))
    found: dict[str, list[Kin]] = {}
    for row in rows.order_by("id"):
        found.setdefault(row.reference, []).append(Kin(row.key, row.status, row.source or {}, row.memo or {}))
    return found


def _order_lines(order: Record, line_number: str) -> Iterator[OrderLine]:
    sent = order.confirmed_target or order.target or {}
    if not any(line.get("lineNumber") == line_number for line in sent.get("lines", [])):
        return
    for line in (order.source or {}).get("DocumentLines", []):
        if str(line["LineNum"] + 1) == line_number:
            yield OrderLine(int(order.key), line["LineNum"], order.party)
