"""requestStatus and errorFeedbacks: how clients learn the outcome of what they posted (contracts: Basware §5)."""

import datetime as dt
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from syncengine.sandbox.basware.calls import Call, Refusal, SchemaRefusal, nothing_found
from syncengine.sandbox.basware.catalog import ENTITY_TYPES
from syncengine.sandbox.basware.moments import parse_moment, stamp
from syncengine.sandbox.basware.paging import page_of
from syncengine.sandbox.basware.processing import FEEDBACK_FIELDS, Request, Requests
from syncengine.sandbox.basware.routing import Route
from syncengine.sandbox.basware.schemas.fields import problems
from syncengine.sandbox.basware.schemas.responses import REQUEST_IDS
from syncengine.sandbox.basware.switches import Switches
from syncengine.sandbox.server import SandboxResponse, json_response

STATUSES = ("InProgress", "Success", "Error", "AcknowledgedSuccess", "AcknowledgedError")
SUCCESSFUL = frozenset({"Success", "NotProcessed"})
PAGE = 500
SECOND_SYSTEM = "SupplierManagement"


class RequestStatusApi:
    """``/v1/requestStatus`` and the older ``/v1/errorFeedbacks``."""

    def __init__(self, requests: Requests, switches: Switches) -> None:
        self._requests = requests
        self._switches = switches

    def routes(self) -> list[Route]:
        feedbacks = "/v1/errorFeedbacks"
        return [
            Route("GET", "/v1/requestStatus", "requestStatus", self.search),
            Route("POST", "/v1/requestStatus/acknowledge", "requestStatus", self.acknowledge),
            Route("GET", "/v1/requestStatus/{requestId}", "requestStatus", self.read),
            Route("GET", feedbacks, "errorFeedbacks", self.search_feedbacks),
            Route("GET", f"{feedbacks}/{{requestId}}", "errorFeedbacks", self.feedbacks_of_request),
            Route("GET", f"{feedbacks}/{{entityType}}/{{externalCode}}", "errorFeedbacks", self.feedbacks_of_record),
        ]

    def read(self, call: Call) -> SandboxResponse:
        """One request; unknown at first where the switch ``unknown_for`` says so."""
        request = self._requests.all.get(call.args["requestId"])
        if request is None or self._still_unknown(request, call.now):
            return nothing_found()
        view = _view(request, call.params.get("system"), call.flag("ignoreSuccessfulItems"))
        return json_response(HTTPStatus.OK, {"requestStatus": [view]}) if view["systems"] else nothing_found()

    def search(self, call: Call) -> SandboxResponse:
        """Without entityType or system only status Error; here the parameter is spelt ``ignoreSuccessfullItems``."""
        wanted = self._filter(call)
        found = [request for request in self._requests.oldest_first() if wanted(request)]
        system, errors_only = call.params.get("system"), call.flag("ignoreSuccessfullItems")
        views = [view for request in found if (view := _view(request, system, errors_only))["systems"]]
        page = page_of(call, views, PAGE, PAGE, short=self._switches.short_pages)
        if not page.items:
            return nothing_found()
        return json_response(HTTPStatus.OK, {"requestStatus": page.items}, page.headers)

    def acknowledge(self, call: Call) -> SandboxResponse:
        """All the requests named or none."""
        body = call.body()
        if found := problems(REQUEST_IDS, body):
            raise SchemaRefusal([(None, message) for message in found])
        with self._requests.store.transaction():
            requests = [self._finished_request(request_id) for request_id in body.get("requestIds") or []]
            for request in requests:
                request["requestStatus"] = f"Acknowledged{request['requestStatus']}"
                request["lastUpdated"] = stamp(call.now)
                self._requests.all.put(request["requestId"], request)
        return json_response(HTTPStatus.OK, "Acknowledged")

    def search_feedbacks(self, call: Call) -> SandboxResponse:
        entity_type = call.choice("entityType", ENTITY_TYPES)
        system, since = call.params.get("targetSystem"), call.moment("lastUpdated")

        def wanted(entry: dict[str, Any]) -> bool:
            return (
                (entity_type is None or entry["entityType"] == entity_type)
                and (not system or entry["targetSystem"] == system)
                and (since is None or parse_moment(entry["errorStamp"]) > since)
            )

        return self._feedback_page(call, wanted)

    def feedbacks_of_request(self, call: Call) -> SandboxResponse:
        return self._feedback_page(call, lambda entry: entry["requestId"] == call.args["requestId"])

    def feedbacks_of_record(self, call: Call) -> SandboxResponse:
        key = (call.args["entityType"], call.args["externalCode"])
        return self._feedback_page(call, lambda entry: (entry["entityType"], entry["externalCode"]) == key)

    def _feedback_page(self, call: Call, wanted: Callable[[dict[str, Any]], bool]) -> SandboxResponse:
        entries = sorted(filter(wanted, self._requests.feedbacks.values()), key=lambda entry: str(entry["errorStamp"]))
        page = page_of(call, entries, PAGE, PAGE, short=self._switches.short_pages)
        return json_response(HTTPStatus.OK, {"errorList": page.items}, page.headers) if page.items else nothing_found()

    def _filter(self, call: Call) -> Callable[[Request], bool]:
        entity_type, since = call.choice("entityType", ENTITY_TYPES), call.moment("lastUpdated")
        status = call.choice("status", STATUSES)
        if status is None and entity_type is None and not call.params.get("system"):
            status = "Error"

        def wanted(request: Request) -> bool:
            acknowledged = request["requestStatus"].startswith("Acknowledged")
            return (
                (request["requestStatus"] == status if status else not acknowledged)
                and (entity_type is None or request["entityType"] == entity_type)
                and (since is None or parse_moment(request["lastUpdated"]) > since)
                and not self._still_unknown(request, call.now)
            )

        return wanted

    def _still_unknown(self, request: Request, now: dt.datetime) -> bool:
        age = now - parse_moment(request["submitted"])
        return age < dt.timedelta(seconds=self._switches.unknown_for)

    def _finished_request(self, request_id: str) -> Request:
        request = self._requests.all.get(request_id)
        if request is None:
            raise Refusal(HTTPStatus.NOT_FOUND, "ENTITY_NOT_FOUND", "Request not found.", request_id)
        if request["requestStatus"] not in {"Success", "Error"}:
            raise Refusal(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "METHOD_NOT_ALLOWED",
                "Request is already acknowledged or still in progress.",
                request_id,
            )
        return request


def _view(request: Request, system: str | None, errors_only: bool) -> dict[str, Any]:
    hidden = {"items", "number", "submitted", "secondSystem"}
    view = {name: value for name, value in request.items() if name not in hidden}
    return {
        **view,
        "systems": [part for part in _systems(request, errors_only) if system in {None, "", part["system"]}],
    }


def _systems(request: Request, errors_only: bool) -> list[dict[str, Any]]:
    items = [{name: item[name] for name in FEEDBACK_FIELDS if name in item} for item in request["items"]]
    worst = "Error" if any(item["status"] == "Error" for item in items) else "Success"
    systems = [_system("P2P", "IA", request, worst, items)]
    if request.get("secondSystem"):
        refused = {"type": "Error", "message": "Not enabled.", "category": "Technical"}
        others = [{"externalCode": item["externalCode"], "status": "Error", "errors": [refused]} for item in items]
        systems.append(_system(SECOND_SYSTEM, "SM", request, "Error", others))
    if errors_only:
        for part in systems:
            part["items"] = [item for item in part["items"] if item["status"] not in SUCCESSFUL]
    return systems


def _system(name: str, module: str, request: Request, worst: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    status = request["requestStatus"]
    if status != "InProgress":
        status = f"Acknowledged{worst}" if status.startswith("Acknowledged") else worst
    return {
        "system": name,
        "module": module,
        "systemStatus": status,
        "lastUpdated": request["lastUpdated"],
        "items": items,
    }
