"""A town that lives by the test's clock: delays are those of production, and an hour goes by at once."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from datetime import time as time_of_day
from typing import Any

import time_machine
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from syncengine.connectors.basware.signature import HEADER
from syncengine.engine import due
from syncengine.engine.connecting import save_connection
from syncengine.models import Attempt, AttemptState, InboxNotification, NamedLock, PostedDocument, Record, Run
from syncengine.sandbox.basware.notifications import sign
from syncengine.sandbox.launch import Sandboxes
from syncengine.sandbox.sap_b1.server import DEFAULT_CREDENTIALS
from syncengine.sandbox.server import encode
from tests import factories
from tests.engine.processes import wait_until
from tests.engine.world import PERSON, Document, as_new, connect, in_threads
from tests.faults.stateful.workers import work_off
from tests.faults.world import OPEN, FaultWorld

SECRET = "s3cr3t-Nordic-åäö-0001"
MORNING = time_of_day(6, 0, tzinfo=UTC)
MOMENT = 0.02
MOST_TURNS = 120
WHILE_OTHERS_ACT = ("awaiting_approval", "invoice_not_confirmed", "not_its_turn")
"""What a record may wait for without end: for people in SAP and Basware, or for a record that itself waits."""


@dataclass
class LivingTown(FaultWorld):
    """`notes` are the bodies of all notifications that were ever sent."""

    clock: Any = None
    notes: list[bytes] = field(default_factory=list)

    # Time

    def pass_time(self, seconds: float) -> None:
        """So much later. What a server still works on for a client that has given up comes to its end before."""
        wait_until(self._nobody_calls)
        self.clock.shift(seconds)

    def _nobody_calls(self) -> bool:
        servers = (self.sandboxes.sap, self.sandboxes.basware)
        return all("milliseconds" in call for server in servers for call in server.requests.log())

    def until_next(self) -> float:
        """Seconds until something is due; where nothing is planned, until a dead worker's leases have run out."""
        now = timezone.now()
        at = due.next_due(now)
        return (at - now).total_seconds() + MOMENT if at is not None and at > now else settings.LEASE_SECONDS + 1

    # Work

    def work_together(self, workers: int) -> None:
        """So many workers at once do what is due now."""
        if workers == 1:
            work_off()
        else:
            in_threads(*[work_off] * workers)

    def rest(self) -> None:
        """Work and let time go by until nothing is left to do."""
        for _ in range(MOST_TURNS):
            work_off()
            if self.is_quiet():
                return
            self.pass_time(self.until_next())
        raise AssertionError(["no end of work", *self.stories()])

    def is_quiet(self) -> bool:
        mine = {"integration": self.integration}
        left = (
            Record.objects.filter(status__in=OPEN, **mine).exclude(error_code__in=WHILE_OTHERS_ACT),
            Run.objects.filter(finished_at=None, **mine).exclude(records__error_code__in=WHILE_OTHERS_ACT),
            Attempt.objects.filter(state=AttemptState.ACCEPTED, **mine),
            InboxNotification.objects.filter(processed_at=None, **mine),
        )
        return not any(rows.exists() for rows in left)

    def everything_is_mended(self) -> None:
        """Faults off, the right password, nobody slow: whatever can be worked off is, decisions are left open."""
        self.faults_off()
        self.tell("/sap/settings", approval_mode=False)
        self.enter_password()
        self.pass_time(2 * settings.LEASE_SECONDS)
        for _ in range(2):  # who asks while a run is open is answered with that, which may have looked before
            self.ask("invoices", "full")
            self.rest()
        self.ask("payments", "full")
        self.rest()
        self.pass_time(600)
        self.rest()

    # Basware

    def approve(self, document: Document) -> int:
        """One more invoice approved in Basware; its place."""
        self.sandboxes.basware.documents.issue(document)
        self.issued.append(document["invoiceId"])
        return len(self.issued) - 1

    def notify(self, document_id: str) -> None:
        body = {"taskId": str(uuid.uuid4()), "taskStatus": "New", "taskType": "AccountingDocuments"}
        self.notes.append(encode({**body, "taskSubType": "WaitingForTransfer", "documentId": document_id}))
        assert self.deliver(self.notes[-1]) == 200

    def deliver(self, note: bytes, form: str = "hex") -> int:
        """A notification comes in, signed in that form; the portal's answer."""
        path = f"/webhooks/basware/{self.integration.webhook_id}/"
        headers = {HEADER: sign(SECRET, note, form) or ""}
        return Client().generic("POST", path, note, "application/json", headers=headers).status_code

    # SAP

    def change_password(self, password: str) -> None:
        """In SAP, which ends every session; the portal does not know."""
        self.sandboxes.sap.credentials["password"] = password
        self.sandboxes.sap.sessions.end_all()

    def enter_password(self) -> None:
        save_connection(self.integration, "sap_b1", self.sandboxes.addresses["sap_b1"], PERSON)

    def drafts(self) -> list[int]:
        return [draft["DocEntry"] for draft in self.sap("Drafts") if draft["DocumentStatus"] == "bost_Open"]

    def stories(self) -> list[str]:
        return [self.story(place) for place in range(len(self.issued))]


@contextmanager
def living_town(sandboxes: Sandboxes) -> Iterator[LivingTown]:
    """A new town on the morning of the data set's day. What it leaves in the database is taken away but the trail."""
    morning = datetime.combine(sandboxes.sap.company.dataset.today, MORNING)
    with time_machine.travel(morning, tick=True) as clock:
        integration = factories.IntegrationFactory(name="Finland")
        try:
            connect(integration, sandboxes)
            factories.WebhookSecretFactory(integration=integration, secret={"value": SECRET})
            town = LivingTown(integration, sandboxes, clock=clock)
            town.issue()
            yield town
        finally:
            PostedDocument.objects.filter(integration=integration).delete()  # it protects its record
            integration.delete()
            NamedLock.objects.all().delete()
            cache.clear()
            sandboxes.sap.credentials.update(DEFAULT_CREDENTIALS)
            as_new(sandboxes)
