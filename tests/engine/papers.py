"""A document flow that does what a test tells it, and records for it to work on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django.utils import timezone

from syncengine.engine import documents
from syncengine.engine.desk import DbDesk
from syncengine.engine.mappings import CurrentMapping
from syncengine.engine.observing import CallLog
from syncengine.flows.desk import Desk, Finished, Found, Step, Work
from syncengine.flows.document import Archive, DocumentFlow, FindWindow, FoundPage
from syncengine.mapping import compile_rules
from syncengine.models import Record, Run
from tenants.models import Integration
from tests import factories

FLOW = "invoices"
ME = "me:1:abc"
MAPPING = CurrentMapping([], {}, 3, compile_rules([]))
NO_CONTEXT: Any = SimpleNamespace()
Scripted = Step | BaseException | Callable[[Work, Desk], Step]


class PaperFlow(DocumentFlow):
    """Advances records through `steps`, the last one ever after, and remembers what it was shown."""

    name = FLOW
    source = "basware"
    target = "sap_b1"

    def __init__(self, *steps: Scripted, pages: Sequence[FoundPage | BaseException] = ()) -> None:
        self.steps = list(steps) or [Finished()]
        self.pages = pages
        self.seen: list[Work] = []
        self.windows: list[FindWindow] = []
        self.again = False
        self.lanes: Mapping[str, str] = {}
        self.touched: Sequence[tuple[str, str]] = ()

    def default_rules(self) -> list[dict[str, Any]]:
        return []

    def discover(self, archive: Archive, window: FindWindow) -> Iterator[FoundPage]:
        self.windows.append(window)
        for page in self.pages:
            if isinstance(page, BaseException):
                raise page
            yield page

    def advance(self, work: Work, desk: Desk) -> Step:
        self.seen.append(work)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, BaseException):
            raise step
        return step(work, desk) if callable(step) else step

    def settled(self, work: Work, desk: Desk, kind: str, confirmed: bool, message: str) -> Step:
        raise AssertionError("nothing is settled here")

    def reopens(self, work: Work, found: Found) -> bool:
        return self.again

    def lane(self, work: Work) -> str:
        return self.lanes.get(work.key, work.key)

    def touches(self, work: Work) -> Sequence[tuple[str, str]]:
        return self.touched


def found(key: str, **fields: Any) -> Found:
    return Found(**{"key": key, "title": f"Invoice {key}", "source": {"invoiceId": key}, **fields})


def clients(integration: Integration, company: str = "SBO_NORDIC") -> Any:
    """What stands for both systems where nothing is called."""
    sap = SimpleNamespace(settings=SimpleNamespace(base_url="https://SAP.example.com/b1s/v2/", company_db=company))
    return SimpleNamespace(sap=sap, basware=SimpleNamespace(), calls=CallLog(integration))


def settling_run(integration: Integration, **fields: Any) -> Run:
    """A run that waits for nothing but its records."""
    now = timezone.now()
    given = {"flow": FLOW, "status": "settling", "all_sent": True, "started_at": now, **fields}
    run: Run = factories.RunFactory(integration=integration, **given)
    return run


def claimed(integration: Integration, key: str = "INV-1", **fields: Any) -> Record:
    """A record that this worker is at."""
    lease = {"lease_owner": ME, "lease_expires_at": timezone.now() + timedelta(minutes=5)}
    given = {"flow": FLOW, "key": key, "status": "in_progress", **lease, **fields}
    record: Record = factories.RecordFactory(integration=integration, **given)
    return record


def advance(record: Record, flow: DocumentFlow, both: Any = None) -> Record:
    """The record as it is stored after this worker has taken it as far as it goes."""
    both = both or clients(record.integration)
    documents.advance(flow, (record.pk, ME), both, NO_CONTEXT, MAPPING)
    return Record.objects.get(pk=record.pk)


def desk_of(record: Record, both: Any = None) -> DbDesk:
    both = both or clients(record.integration)
    return DbDesk(record, both, NO_CONTEXT, MAPPING.compiled)
