"""A small world for the engine: one integration between two real sandboxes, and what tests do to either side."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from syncengine.engine import due, execution
from syncengine.engine.connecting import save_connection
from syncengine.engine.runs import request_runs
from syncengine.engine.work import Deadline
from syncengine.models import Attempt, AuditEvent, Record, Run
from syncengine.sandbox.basware.switches import Switches
from syncengine.sandbox.launch import Options, Sandboxes
from syncengine.sandbox.server import SandboxRequest, SandboxServer, encode
from tenants.models import Connection, Integration
from tests import factories
from tests.engine.processes import wait_until

PERSON = "operator@nordic-paper.example.com"
PATIENCE = 20.0
DELAY = 0.03
A_YEAR = 365 * 86400.0
POSTED_TO = {
    "payment_terms": ["paymentTerms"],
    "tax_codes": ["taxCodes"],
    "gl_accounts": ["accounts"],
    "cost_centers": ["costCenters"],
    "projects": ["projects"],
    "vendors": ["vendors"],
    "purchase_orders": ["matchingOrders", "matchingOrderLines"],
}
Document = dict[str, Any]


@dataclass
class World:
    """The integration, both sandboxes, and short words for what tests do with them."""

    integration: Integration
    sandboxes: Sandboxes

    # The engine

    def ask(self, flow: str, mode: str = "incremental", trigger: str = "person") -> Run:
        """A run as a person asks for it; nobody works on it yet."""
        return request_runs(self.integration, flow, mode, trigger=trigger, actor=PERSON)[0]

    def work(self, seconds: float = PATIENCE) -> None:
        due.work_off(Deadline(seconds))

    def run(self, flow: str, mode: str = "incremental") -> Run:
        """A run until it is final, worked on in this thread."""
        return self.finish(self.ask(flow, mode))

    def start(self, flow: str, mode: str = "incremental") -> Run:
        """A run until everything of it is sent, and no answer asked for yet."""
        run = self.ask(flow, mode)
        execution.execute_due(Deadline(PATIENCE))
        run = self.again(run)
        assert run.all_sent, run.status
        return run

    def finish(self, run: Run) -> Run:
        deadline = Deadline(PATIENCE)
        while not deadline.passed:
            self.work(deadline.left)
            run = self.again(run)
            if run.is_final:
                return run
            due.wait_for_next(0.2)
        raise AssertionError(f"{run} is still {run.status}: {run.error_message} {run.counts} {self.picture(run.flow)}")

    def picture(self, flow: str) -> dict[str, Any]:
        """What stands where, for the message of a test that fails."""
        records = Counter(
            (one.status, one.part, one.error_code, str(one.next_attempt_at), str(one.lease_expires_at), one.run_id)
            for one in self.records(flow)
        )
        attempts = Attempt.objects.filter(integration=self.integration, flow=flow)
        return {"records": records, "attempts": list(attempts.values_list("state", "run", "message", "next_poll_at"))}

    def again(self, row: Any) -> Any:
        """The row as it is stored now."""
        return type(row).objects.get(pk=row.pk)

    def record(self, flow: str, key: str) -> Record:
        return Record.objects.select_related("integration__organization").get(
            integration=self.integration, flow=flow, key=key
        )

    def records(self, flow: str) -> list[Record]:
        return list(Record.objects.filter(integration=self.integration, flow=flow).order_by("key"))

    def statuses(self, flow: str) -> set[str]:
        return {record.status for record in self.records(flow)}

    def events(self, action: str) -> list[AuditEvent]:
        return list(AuditEvent.objects.filter(action=action).order_by("id"))

    def connection(self, system: str) -> Connection:
        return Connection.objects.get(integration=self.integration, system=system)

    # What people do in SAP and Basware

    def tell(self, path: str, method: str = "POST", /, **body: Any) -> Any:
        """A control call; its answer."""
        answer = self.sandboxes.control.handle(SandboxRequest(method, path, body=encode(body)))
        content = json.loads(answer.body)
        assert answer.status == 200, content
        return content

    def change(self, entity_set: str, key: Any, **values: Any) -> None:
        self.tell("/sap/change", set=entity_set, key=key, values=values)

    def remove(self, entity_set: str, key: Any) -> None:
        self.tell("/sap/remove", set=entity_set, key=key)

    def sap(self, entity_set: str) -> list[Document]:
        found: list[Document] = self.tell("/sap/documents", "GET", set=entity_set)
        return found

    def basware(self, name: str) -> dict[str, Document]:
        """What P2P holds, by external code."""
        return {found["externalCode"]: found for found in self.tell(f"/basware/p2p/{name}", "GET")}

    def outcome(self, record: Record, status: str, **more: Any) -> None:
        """Orders what Basware says next of the record."""
        self.tell("/basware/outcome", externalCode=record.target_keys["external_code"], status=status, **more)

    def fault(self, system: str, kind: str, /, **more: Any) -> None:
        self.tell("/faults", system=system, kind=kind, **more)

    def faults_off(self) -> None:
        self.tell("/faults", "DELETE")

    # What went over the wire

    def server(self, system: str) -> SandboxServer:
        return self.sandboxes.sap if system == "sap_b1" else self.sandboxes.basware

    def calls(self, system: str, method: str = "", path: str = "") -> list[Document]:
        """The calls that came in, oldest first."""
        return [
            call
            for call in self.server(system).requests.log()
            if method in ("", call["method"]) and path in call["path"]
        ]

    def posts(self, flow: str) -> list[Document]:
        """The imports of a flow that came in."""
        names = [f"/{name}" for name in POSTED_TO[flow]]
        return [call for call in self.calls("basware", "POST") if call["path"].endswith(tuple(names))]

    def sent(self, flow: str) -> list[Document]:
        """Every body of every import of a flow, in the order they came."""
        return [body for call in self.posts(flow) for body in json.loads(call["body"])]

    def quiet(self) -> None:
        """Start counting calls anew."""
        for server in (self.sandboxes.sap, self.sandboxes.basware):
            server.requests.clear()

    @property
    def silent(self) -> bool:
        """Whether nothing at all has called since `quiet`."""
        return not self.calls("sap_b1") and not self.calls("basware")


def connect(integration: Integration, sandboxes: Sandboxes) -> None:
    """Both connections, entered as an admin enters them."""
    for system in ("sap_b1", "basware"):
        save_connection(integration, system, sandboxes.addresses[system], "admin@nordic-paper.example.com")


def in_threads(*jobs: Callable[[], Any]) -> list[Any]:
    """Run the jobs at once, each in a thread with a database connection of its own; what they return or raise."""

    def apart(job: Callable[[], Any]) -> Any:
        try:
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result() for future in [pool.submit(apart, job) for job in jobs]]


def as_new(sandboxes: Sandboxes) -> None:
    """The state of the data set again, without faults."""
    for server in (sandboxes.sap, sandboxes.basware):
        wait_until(lambda server=server: not _writes_in_hand(server))
        server.faults.clear()
        server.requests.clear()
        server.reset()


def _writes_in_hand(server: SandboxServer) -> list[Document]:
    """Those whose caller was killed or gave up are carried out late: they must not meet the next test's state."""
    return [call for call in server.requests.log() if call["method"] != "GET" and "milliseconds" not in call]


@pytest.fixture(scope="session")
def running_sandboxes() -> Iterator[Sandboxes]:
    """Both sandboxes in threads of this process, on free ports."""
    with Sandboxes(Options()) as running:
        yield running


@pytest.fixture
def sandboxes(running_sandboxes: Sandboxes) -> Iterator[Sandboxes]:
    """Both sandboxes with the state of the data set, without faults, quick to answer."""
    running_sandboxes.basware.switches.change({**Switches().as_dict(), "delay": DELAY})
    yield running_sandboxes
    as_new(running_sandboxes)


@pytest.fixture
def quick(settings: Any) -> Any:
    """Delays short enough for tests; connections may reach this machine."""
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
    settings.OUTBOUND_ALLOW_HTTP = True
    settings.STATUS_POLLS = [0.08, 0.05, 0.05, 0.1, 0.1, 0.2, 0.2, 0.5, 0.5, 0.5, 0.5]
    settings.RETRY_DELAYS = [0.05, 0.1, 0.1, 0.2]
    settings.LOOKUP_DELAYS = [0.05, 0.1]
    settings.LEASE_SECONDS = 5.0
    return settings


def no_sweep() -> None:
    """The sweep's own tests let it run."""
    Integration.objects.update(sweep_due_at=timezone.now() + timedelta(seconds=A_YEAR))


def sweep_now() -> None:
    Integration.objects.update(sweep_due_at=None)


@pytest.fixture
def world(transactional_db: None, quick: Any, sandboxes: Sandboxes) -> World:
    """A connected integration that nothing was sent for yet; the sweep's own tests let it run."""
    organization = factories.OrganizationFactory(name="Nordic Paper", slug="nordic-paper")
    integration = factories.IntegrationFactory(organization=organization, name="Finland")
    connect(integration, sandboxes)
    no_sweep()
    return World(integration, sandboxes)
