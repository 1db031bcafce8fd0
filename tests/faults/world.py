"""A world for faults: a few invoices between two real sandboxes, and what must be true of them whatever happened."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from django.utils import timezone

from syncengine.engine import due
from syncengine.engine.work import Deadline
from syncengine.models import Attempt, AttemptState, AuditEvent, CallSlot, NamedLock, Record, RecordStatus, Run
from syncengine.sandbox.dataset import Dataset
from syncengine.sandbox.dataset.invoices import PLAN
from syncengine.sandbox.server import encode
from tests.engine.world import Document, World

OPEN = (RecordStatus.PENDING, RecordStatus.IN_PROGRESS, RecordStatus.WAITING)
SETS = ("PurchaseInvoices", "PurchaseCreditNotes")
PATIENCE = 15.0


@cache
def _plan() -> list[tuple[str, Document]]:
    kinds = [kind for kind, count in PLAN for _ in range(count)]
    return list(zip(kinds, Dataset().invoices(), strict=True))


def invoice(kind: str = "service", place: int = 0, **changes: Any) -> Document:
    """An approved invoice of that kind of the data set, with changes."""
    found = [document for one, document in _plan() if one == kind][place]
    copy: Document = json.loads(encode(found), parse_float=Decimal)
    return {**copy, **changes}


@dataclass
class FaultWorld(World):
    """Assertions name the invoice by its place among those that were issued."""

    issued: list[str] = field(default_factory=list)

    def issue(self, *documents: Document) -> None:
        """Basware holds these and no others."""
        held = self.sandboxes.basware.documents
        held.records.clear()
        for document in documents:
            held.issue(document)
        self.issued = [document["invoiceId"] for document in documents]

    # Working

    def settle(self, seconds: float = PATIENCE, until: Callable[[], bool] | None = None) -> None:
        """Work off what is due until nothing is open any more."""
        give_up = time.monotonic() + seconds
        at_rest = until or self.at_rest
        while not at_rest():
            assert time.monotonic() < give_up, [self.story(place) for place in range(len(self.issued))]
            due.work_off(Deadline(min(1.0, give_up - time.monotonic())))
            due.wait_for_next(0.05)

    def go(self, flow: str = "invoices", mode: str = "incremental", **how: Any) -> Run:
        run = self.ask(flow, mode)
        self.settle(**how)
        return self.again(run)

    def at_rest(self) -> bool:
        records = Record.objects.filter(integration=self.integration, status__in=OPEN)
        runs = Run.objects.filter(integration=self.integration, finished_at=None)
        asked = Attempt.objects.filter(integration=self.integration, state=AttemptState.ACCEPTED)
        return not any(rows.exists() for rows in (records, runs, asked))

    def at_rest_but_for_basware(self) -> bool:
        """All is said, whatever Basware makes of it."""
        records = Record.objects.filter(integration=self.integration)
        return records.exists() and not records.filter(status__in=OPEN).exists()

    def leases_run_out(self) -> None:
        """LEASE_SECONDS go by: what a killed worker held is free."""
        now = timezone.now() - timedelta(milliseconds=1)
        for rows in (
            Record.objects.filter(status=RecordStatus.IN_PROGRESS),
            Run.objects.exclude(lease_expires_at=None),
            Attempt.objects.exclude(lease_expires_at=None),
        ):
            rows.update(lease_expires_at=now)
        for leased in (NamedLock.objects.all(), CallSlot.objects.all()):
            leased.update(expires_at=now)

    # Looking

    def at_basware(self, place: int = 0) -> Document:
        found: Document = self.tell("/basware/documents", "GET", invoiceId=self.issued[place])[0]
        return found

    def in_sap(self, place: int = 0) -> list[Document]:
        """What SAP holds of the invoice and has not cancelled."""
        mark = f"Basware {self.issued[place]}"
        documents = [document for name in SETS for document in self.sap(name)]
        return [one for one in documents if one["CancelStatus"] == "csNo" and mark in (one.get("Comments") or "")]

    def mine(self, place: int = 0) -> Record:
        return self.record("invoices", self.issued[place])

    def answers(self, place: int = 0) -> list[Document]:
        return list(self.at_basware(place).get("transferResponses") or ())

    def payments(self, place: int = 0) -> list[Document]:
        return list(self.at_basware(place).get("paymentResponses") or ())

    def story(self, place: int = 0) -> str:
        """Everything in one line, for a failed assertion."""
        record = Record.objects.filter(flow="invoices", key=self.issued[place]).first()
        if record is None:
            return f"no record; {self.at_basware(place)['processingStatus']}"
        tries = [f"{one.kind} {one.key[-8:]} {one.state}" for one in Attempt.objects.filter(record=record)]
        return (
            f"{record.status}/{record.stage} {record.error_code}: {record.error_message} {record.flags} | {tries} | "
            f"SAP {[one['DocNum'] for one in self.in_sap(place)]} | {self.at_basware(place)['processingStatus']} "
            f"{[(one['success'], one.get('voucherNumber1')) for one in self.answers(place)]}"
        )

    # What must be true

    def assert_posted_once(self, place: int = 0, answers: int = 1, stage: str = "confirmed") -> None:
        """Once in SAP with the right total, once answered, and the trail complete."""
        record, held, story = self.mine(place), self.in_sap(place), self.story(place)
        assert (record.status, record.stage) == ("done", stage), story
        assert len(held) == 1, story
        document = held[0]
        total = document["DocTotal" if document["DocCurrency"] == "EUR" else "DocTotalFc"]
        assert Decimal(str(total)) == abs(Decimal(str(self.at_basware(place)["grossSum"]))), story
        assert record.target_keys["DocEntry"] == document["DocEntry"], story
        told = [(one["success"], one.get("voucherNumber1")) for one in self.answers(place)]
        assert told[-1] == (True, str(document["DocNum"])), story
        assert len(told) == answers, story
        assert self.at_basware(place)["processingStatus"] in {"Transferred", "Paid"}, story
        self.assert_complete_trail(record)
        linked = AuditEvent.objects.filter(record=record, action__in=("invoice.posted", "invoice.adopted"))
        assert linked.count() == 1, story

    def assert_refused_once(self, place: int = 0) -> None:
        """Nothing in SAP, one false answer, the record before a person."""
        record, story = self.mine(place), self.story(place)
        assert (record.status, record.error_code) == ("failed", "problems"), story
        assert self.in_sap(place) == [], story
        assert [one["success"] for one in self.answers(place)] == [False], story
        assert self.at_basware(place)["processingStatus"] == "TransferFailed", story
        self.assert_complete_trail(record)

    def assert_complete_trail(self, record: Record) -> None:
        """No write whose end nobody has written down."""
        left = Attempt.objects.filter(record=record, state__in=(AttemptState.SENDING, AttemptState.ACCEPTED))
        assert not left.exists(), list(left)
        assert not Attempt.objects.filter(record=record, finished_at=None).exists()
