"""What happens after the 200: each record gets its outcome in P2P once the delay is over (contracts: Basware §5).

Nothing runs by itself: `process_due` compares the clock with what is waiting, and the server calls it before it answers
a call and twenty times a second in between. Requests are worked in the order in which they came.
"""

import heapq
import itertools
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from syncengine.sandbox.basware.calls import Call
from syncengine.sandbox.basware.moments import parse_moment, stamp
from syncengine.sandbox.basware.rules import ERROR, WARNING, Finding
from syncengine.sandbox.basware.switches import Switches
from syncengine.sandbox.server import encode
from syncengine.sandbox.store import Collection, Store

Item = dict[str, Any]
Request = dict[str, Any]
Worker = Callable[[Request, Item], list[Finding]]
OVERTAKEN_WITHIN = 1.0
"""A second update of a record this soon after the first makes the first expire (contracts: Basware §3.7)."""

FEEDBACK_FIELDS = ("externalCode", "parentExternalCode", "status", "errors")


@dataclass
class Forced:
    """An outcome that the control API ordered for an external code, or for the answers about an invoice."""

    status: str
    message: str
    category: str = "DataValidation"
    count: int = 1

    def findings(self) -> list[Finding]:
        return [Finding(self.status, self.message, self.category)] if self.status in {ERROR, WARNING} else []


@dataclass
class _Waiting:
    """The newest unfinished update of one record."""

    item: Item
    submitted: float


@dataclass(frozen=True)
class Submission:
    """A POST or PATCH that passed the API layer. An item holds externalCode, body, and ``unchanged`` when it is."""

    entity_type: str
    entity_version: str
    items: list[Item]
    list_key: str | None = None


@dataclass
class Requests:
    """All requests ever accepted, finished or not. ``workers`` do the work by entity type."""

    store: Store
    switches: Switches
    clock: Callable[[], Any]
    finished: Callable[[Request], None]
    workers: dict[str, Worker] = field(default_factory=dict)
    forced: dict[str, Forced] = field(default_factory=dict)
    _due: list[tuple[float, int, str]] = field(default_factory=list)
    _newest: dict[tuple[str, str | None, str], _Waiting] = field(default_factory=dict)
    _sequence: Iterable[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.rebuild()

    @property
    def all(self) -> Collection:
        return self.store.collection("requests")

    @property
    def feedbacks(self) -> Collection:
        return self.store.collection("errorFeedbacks")

    def oldest_first(self) -> list[Request]:
        return sorted(self.all.values(), key=lambda request: int(request["number"]))

    def rebuild(self) -> None:
        """Takes up what was waiting when the process ended."""
        self._due, self._newest = [], {}
        self.forced.clear()
        for request in self.oldest_first():
            if request["requestStatus"] == "InProgress":
                self._enqueue(request)

    def submit(self, call: Call, submission: Submission) -> Request:
        """Notes the request; the caller holds the store's transaction."""
        items = [{"status": "InProgress", "errors": [], **item} for item in submission.items]
        request: Request = {
            "requestId": call.request_id,
            "entityType": submission.entity_type,
            "entityVersion": submission.entity_version,
            "requestStatus": "InProgress",
            "changedBy": call.client,
            "operationType": call.request.method,
            "genericListKey": submission.list_key,
            "number": len(self.all),
            "submitted": stamp(call.now),
            "lastUpdated": stamp(call.now),
            "items": items,
        }
        for item in items:
            self._overtake(request, item, call.now.timestamp())
        self.all.put(call.request_id, request)
        self._enqueue(request)
        return request

    def answers_waiting(self, entity_type: str, invoice_id: str) -> list[str]:
        """External codes of the answers about an invoice that P2P has not worked on yet."""
        waiting = [self.all[request_id] for _, _, request_id in self._due]
        return [
            item["externalCode"]
            for request in waiting
            if request["entityType"] == entity_type
            for item in request["items"]
            if item["parentExternalCode"] == invoice_id
        ]

    def process_due(self, *, everything: bool = False) -> int:
        """Works on what is due (or on all that waits); says how many requests that were."""
        done = 0
        if not self._due:
            return done
        with self.store.transaction():
            now = self.clock()
            while self._due and (everything or self._due[0][0] <= now.timestamp()):
                request = self.all.get(heapq.heappop(self._due)[2])
                if request is not None:
                    self._process(request, stamp(now))
                    done += 1
        return done

    def _enqueue(self, request: Request) -> None:
        due = parse_moment(request["submitted"]).timestamp() + self.switches.delay
        heapq.heappush(self._due, (due, next(iter(self._sequence)), request["requestId"]))

    def _overtake(self, request: Request, item: Item, now: float) -> None:
        if item.get("unchanged") or "parentExternalCode" in item:
            return  # answers about invoices are events, not versions of a record
        key = (request["entityType"], request["genericListKey"], item["externalCode"])
        older = self._newest.get(key)
        if older is not None and now - older.submitted < OVERTAKEN_WITHIN:
            older.item["expired"] = True
        self._newest[key] = _Waiting(item, now)

    def _process(self, request: Request, now: str) -> None:
        for item in request["items"]:
            self._settle(request, item, now)
            key = (request["entityType"], request["genericListKey"], item["externalCode"])
            if key in self._newest and self._newest[key].item is item:
                del self._newest[key]
        request["items"] = [{name: item[name] for name in FEEDBACK_FIELDS if name in item} for item in request["items"]]
        failed = any(item["status"] == ERROR for item in request["items"])
        second = self.switches.second_system and request["entityType"] == "Vendor"
        request["secondSystem"] = second
        request["requestStatus"] = ERROR if failed or second else "Success"
        request["lastUpdated"] = now
        self.all.put(request["requestId"], request)
        self.finished(request)

    def _settle(self, request: Request, item: Item, now: str) -> None:
        if item.get("unchanged"):
            item["status"] = "NotProcessed"
            return
        if item.get("expired"):
            item["status"] = "RecordExpired"
            findings = [Finding("RecordExpired", "A newer version of the record overtook this one.")]
        else:
            findings = self._work(request, item)
        item["errors"] = [finding.as_dict() for finding in findings]
        if item["status"] == ERROR:
            self._feed_back(request, item, now)

    def _work(self, request: Request, item: Item) -> list[Finding]:
        forced = self._forced(item["externalCode"]) or self._forced(item.get("parentExternalCode", ""))
        if forced is not None and forced.status == ERROR:
            item["status"] = ERROR
            return forced.findings()
        findings = self.workers[request["entityType"]](request, item)
        findings += forced.findings() if forced else []
        kinds = {finding.type for finding in findings}
        default = forced.status if forced else "Success"
        item["status"] = ERROR if ERROR in kinds else WARNING if WARNING in kinds else default
        return findings

    def _forced(self, external_code: str) -> Forced | None:
        forced = self.forced.get(external_code)
        if forced is not None:
            forced.count -= 1
            if forced.count == 0:
                del self.forced[external_code]
        return forced

    def _feed_back(self, request: Request, item: Item, now: str) -> None:
        feedback_id = str(uuid.uuid4())
        self.feedbacks.put(
            feedback_id,
            {
                "id": feedback_id,
                "requestId": request["requestId"],
                "externalCode": item["externalCode"],
                "errorEntity": encode(item["body"]).decode(),
                "entityType": request["entityType"],
                "errorStamp": now,
                "errors": [error["message"] for error in item["errors"]],
                "targetSystem": "P2P",
            },
        )
