"""``/v1/subscriptions`` and ``/v1/tasks`` (contracts: Basware §16.1, §16.5). Errors have shapes of their own here."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from syncengine.sandbox.basware.calls import Call, PushRefusal, Refusal
from syncengine.sandbox.basware.moments import parse_moment, stamp
from syncengine.sandbox.basware.notifications import Notifier, Receiver
from syncengine.sandbox.basware.paging import page_of
from syncengine.sandbox.basware.routing import Route
from syncengine.sandbox.basware.schemas.fields import problems
from syncengine.sandbox.basware.schemas.subscriptions import SUBSCRIPTION, TASK_SUB_TYPES, TASK_TYPES
from syncengine.sandbox.basware.switches import Switches
from syncengine.sandbox.server import SandboxResponse, json_response
from syncengine.sandbox.store import Store

Subscription = dict[str, Any]

PAGE = 500
DELETE_PARAMETERS = ("lastUpdated", "taskType", "taskSubType")
INVALID = "SCHEMA_VALIDATION_ERROR"
PUSH_APIS = frozenset({"subscriptions", "tasks"})


class PushApi:
    """Who is told about what, and what became of each notification."""

    def __init__(self, store: Store, notifier: Notifier, switches: Switches) -> None:
        self._store = store
        self._notifier = notifier
        self._switches = switches

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/v1/subscriptions", "subscriptions", self.subscribe, unlocked=True),
            Route("GET", "/v1/subscriptions", "subscriptions", self.subscriptions),
            Route("DELETE", "/v1/subscriptions", "subscriptions", self.unsubscribe),
            Route("GET", "/v1/tasks", "tasks", self.tasks),
            Route("GET", "/v1/tasks/{taskId}", "tasks", self.task),
        ]

    def subscribe(self, call: Call) -> SandboxResponse:
        """All of the array or nothing; the receiver is tested while the caller waits.

        The store is not locked meanwhile: a receiver may well call back before it answers. Posting the same types again
        replaces the older subscription.
        """
        made = [_subscription(entry, stamp(call.now)) for entry in _checked(call)]
        for entry in made:
            receiver = Receiver(entry["notificationWebhookURL"], entry["webhookAuthenticationToken"])
            if not self._notifier.test_connection(receiver):
                raise PushRefusal("DATA_VALIDATION_FAILED", ["The connection test to notificationWebhookURL failed."])
        with self._store.transaction():
            for entry in made:
                self._notifier.subscriptions.put(f"{entry['taskType']}/{entry['taskSubType']}", entry)
        return json_response(HTTPStatus.OK, made)

    def subscriptions(self, call: Call) -> SandboxResponse:
        """The secret is part of the answer, as the schema says."""
        found = [entry for entry in self._notifier.subscriptions.values() if _matches(entry, call.params)]
        return json_response(HTTPStatus.OK, {"subscriptions": found}) if found else _not_found()

    def unsubscribe(self, call: Call) -> SandboxResponse:
        """All three parameters are required; ``All`` stands for any type. Removes what changed after the moment."""
        missing = [name for name in DELETE_PARAMETERS if not call.params.get(name)]
        if missing:
            return json_response(HTTPStatus.UNPROCESSABLE_ENTITY, {"message": f"{', '.join(missing)} required"})
        wanted = {name: value for name, value in call.params.items() if value != "All"}
        with self._store.transaction():
            keys = [key for key, entry in self._notifier.subscriptions.items() if _matches(entry, wanted)]
            for key in keys:
                self._notifier.subscriptions.delete(key)
        return json_response(HTTPStatus.OK, {"status": "Deleted successfully", "numberOfRecordsDeleted": len(keys)})

    def tasks(self, call: Call) -> SandboxResponse:
        """The history; the array is called taskStatus."""
        found = [task for task in self._notifier.tasks.values() if _matches(task, call.params)]
        page = page_of(call, sorted(found, key=lambda task: str(task["lastUpdated"])), PAGE, PAGE, short=False)
        return json_response(HTTPStatus.OK, {"taskStatus": page.items}, page.headers) if page.items else _not_found()

    def task(self, call: Call) -> SandboxResponse:
        task = self._notifier.tasks.get(call.args["taskId"])
        return json_response(HTTPStatus.OK, {"taskStatus": [task]}) if task else _not_found()


def _checked(call: Call) -> list[Subscription]:
    try:
        bodies = call.body()
    except Refusal as refusal:
        raise PushRefusal(INVALID, [str(refusal)]) from None
    if not isinstance(bodies, list):
        raise PushRefusal(INVALID, ["an array of subscriptions is required"])
    messages = [message for body in bodies for message in problems(SUBSCRIPTION, body) or _unsupported(body)]
    if messages:
        raise PushRefusal(INVALID, messages)
    return bodies


def _unsupported(body: Subscription) -> list[str]:
    found = []
    if body["taskType"] not in TASK_TYPES:
        found.append(f"taskType {body['taskType']} is not supported")
    if body.get("taskSubType", "All") not in TASK_SUB_TYPES:
        found.append(f"taskSubType {body['taskSubType']} is not supported")
    if body["subscriptionType"] != "Webhook":
        found.append("subscriptionType Polling is reserved for later use")
    return found


def _subscription(body: Subscription, now: str) -> Subscription:
    default = "Error" if body["taskType"] == "RequestStatus" else "All"
    return {"taskSubType": default, **body, "lastUpdated": now}


def _matches(entry: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    names = ("taskType", "taskSubType", "taskStatus", "documentId")
    if any(wanted.get(name) and entry.get(name) != wanted[name] for name in names):
        return False
    since = wanted.get("lastUpdated")
    return not since or parse_moment(entry["lastUpdated"]) > _moment(since)


def _moment(text: str) -> Any:
    try:
        return parse_moment(text)
    except ValueError:
        raise PushRefusal(INVALID, ["lastUpdated is not a date-time"]) from None


def _not_found() -> SandboxResponse:
    return json_response(HTTPStatus.NOT_FOUND, {"detail": "Not Found"})
