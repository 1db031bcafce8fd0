"""The API layer of master data: takes records in, checks their schema, keeps the last version of each (§3.6 to §3.8).

What GET returns is what was posted here; P2P gets the records later, through `processing`.
"""

import datetime as dt
from collections import Counter
from functools import partial
from http import HTTPStatus
from typing import Any

from syncengine.sandbox.basware.calls import Call, Refusal, SchemaRefusal, bad_parameter, not_found, nothing_found
from syncengine.sandbox.basware.catalog import LIST_KEYS, MASTER_APIS, MasterApi
from syncengine.sandbox.basware.moments import parse_moment, stamp
from syncengine.sandbox.basware.p2p import Body, P2PState
from syncengine.sandbox.basware.paging import page_of
from syncengine.sandbox.basware.processing import Item, Request, Requests, Submission
from syncengine.sandbox.basware.routing import Route
from syncengine.sandbox.basware.rules import ERROR, Finding, Posted, as_saved, judge
from syncengine.sandbox.basware.schemas.fields import problems
from syncengine.sandbox.basware.schemas.master_data import DELETE_REQUEST
from syncengine.sandbox.basware.switches import Switches
from syncengine.sandbox.server import SandboxResponse, json_response
from syncengine.sandbox.store import Collection, Store


class MasterData:
    """All master data endpoints; one set of handlers serves every API of the catalog."""

    def __init__(self, store: Store, requests: Requests, p2p: P2PState, switches: Switches) -> None:
        self._store = store
        self._requests = requests
        self._p2p = p2p
        self._switches = switches
        for api in MASTER_APIS:
            requests.workers[api.entity_type] = partial(self._import, api)

    def routes(self) -> list[Route]:
        found = []
        for api in MASTER_APIS:
            one = f"{api.path}/{{externalCode}}"
            found += [
                Route("GET", api.path, api.name, partial(self.search, api)),
                Route("POST", api.path, api.name, partial(self.post, api)),
                Route("DELETE", api.path, api.name, partial(self.delete, api)),
                Route("GET", one, api.name, partial(self.read, api)),
                Route("PATCH", one, api.name, partial(self.patch, api)),
            ]
        return found

    def layer(self, api: MasterApi, list_key: str | None = None) -> Collection:
        """What clients posted, by external code: ``{"body": …, "lastUpdated": …}``."""
        return self._store.collection(f"api/{api.collection(list_key)}")

    def post(self, api: MasterApi, call: Call) -> SandboxResponse:
        """Create or overwrite whole records. One bad record refuses the whole request."""
        list_key, bodies = _list_key(call), call.body()
        _check_batch(api, bodies)
        with self._store.transaction():
            self._take(api, list_key, call, [_without_nulls(body) for body in bodies])
        return json_response(HTTPStatus.OK, [{**body, "lastUpdated": stamp(call.now)} for body in bodies])

    def patch(self, api: MasterApi, call: Call) -> SandboxResponse:
        """Changes the fields that are sent; null counts as not sent."""
        list_key, body, key = _list_key(call), call.body(), call.args["externalCode"]
        if found := problems(api.schema, body):
            raise SchemaRefusal([(key, message) for message in found])
        if body["externalCode"] != key:
            raise Refusal(HTTPStatus.BAD_REQUEST, "EXTERNAL_CODE_MISMATCH", "externalCode differs from the path.", key)
        with self._store.transaction():
            stored = self.layer(api, list_key).get(key)
            if stored is None:
                raise not_found(key)
            merged = {**stored["body"], **_without_nulls(body)}
            self._take(api, list_key, call, [merged])
        return json_response(HTTPStatus.OK, {**merged, "lastUpdated": stamp(call.now)})

    def read(self, api: MasterApi, call: Call) -> SandboxResponse:
        stored = self.layer(api, _list_key(call)).get(call.args["externalCode"])
        if stored is None:
            raise not_found(call.args["externalCode"])
        return json_response(HTTPStatus.OK, _public(stored))

    def search(self, api: MasterApi, call: Call) -> SandboxResponse:
        """A page of what was posted; 404 when there is nothing."""
        company, since = call.params.get("companyCode"), call.moment("lastUpdated")
        parent, closed = _parent(api, call), _closed(api, call)
        found = [
            stored
            for stored in self.layer(api, _list_key(call)).values()
            if (not company or _belongs_to(stored["body"], company))
            and (since is None or parse_moment(stored["lastUpdated"]) > since)
            and (parent is None or stored["body"][api.parent_parameter] == parent)
            and (closed is None or bool(stored["body"].get("isClosed")) == closed)
        ]
        page = page_of(call, found, api.page, api.largest_page, short=self._switches.short_pages)
        if not page.items:
            return nothing_found()
        return json_response(HTTPStatus.OK, {api.wrapper: [_public(entry) for entry in page.items]}, page.headers)

    def delete(self, api: MasterApi, call: Call) -> SandboxResponse:
        """Removes from the API layer only; P2P keeps the record (§3.6). ``externalCode`` wins over ``lastUpdated``."""
        list_key, body = _list_key(call), call.body()
        if found := problems(DELETE_REQUEST, body):
            raise SchemaRefusal([(None, message) for message in found])
        layer = self.layer(api, list_key)
        if body.get("externalCode"):
            if layer.delete(body["externalCode"]) is None:
                raise not_found(body["externalCode"])
            return SandboxResponse(HTTPStatus.OK)
        if not body.get("lastUpdated"):
            raise bad_parameter("externalCode or lastUpdated is needed.")
        _delete_since(layer, parse_moment(body["lastUpdated"]), self._store)
        link = f"/v1/taskStatus/{call.request_id}"
        task = {"statusApiLink": link, "taskName": f"Delete{api.entity_type}", "taskStatus": "InProgress"}
        return json_response(HTTPStatus.ACCEPTED, task)

    def _take(self, api: MasterApi, list_key: str | None, call: Call, bodies: list[Body]) -> None:
        layer, items = self.layer(api, list_key), []
        for body in bodies:
            key = body["externalCode"]
            stored = layer.get(key)
            unchanged = stored is not None and stored["body"] == body
            items.append({"externalCode": key, "body": body, **({"unchanged": True} if unchanged else {})})
            if not unchanged:
                layer.put(key, {"body": body, "lastUpdated": stamp(call.now)})
        self._requests.submit(call, Submission(api.entity_type, api.entity_version, items, list_key))

    def _import(self, api: MasterApi, request: Request, item: Item) -> list[Finding]:
        list_key = request["genericListKey"]
        posted = Posted(api.entity_type, api.collection(list_key), item["body"], list_key)
        findings = judge(posted, self._p2p)
        if all(finding.type != ERROR for finding in findings):
            self._p2p.save(posted.entity_type, posted.collection, as_saved(posted, self._p2p))
        return findings


def _check_batch(api: MasterApi, bodies: Any) -> None:
    if not isinstance(bodies, list):
        raise SchemaRefusal([(None, "The field body is not valid: an array is expected, even for one record.")])
    if len(bodies) > api.batch:
        raise bad_parameter(f"At most {api.batch} records in one request.")
    found = [(_external_code(body), message) for body in bodies for message in problems(api.schema, body)]
    if found:
        raise SchemaRefusal(found)
    repeated = [key for key, times in Counter(body["externalCode"] for body in bodies).items() if times > 1]
    if repeated:
        message = "The request contains the same externalCode more than once."
        raise Refusal(HTTPStatus.CONFLICT, "CONFLICT_IN_POST", message, repeated[0])


def _external_code(body: Any) -> str | None:
    key = body.get("externalCode") if isinstance(body, dict) else None
    return key if isinstance(key, str) else None


def _list_key(call: Call) -> str | None:
    key = call.args.get("listKey")
    if key is not None and key not in LIST_KEYS:
        raise bad_parameter(f"There is no list {key}.")
    return key


def _parent(api: MasterApi, call: Call) -> str | None:
    if api.parent_parameter is None:
        return None
    value = call.params.get(api.parent_parameter)
    if not value:
        raise bad_parameter(f"{api.parent_parameter} is required.")
    return value


def _closed(api: MasterApi, call: Call) -> bool | None:
    if api.name != "matchingOrders":
        return None
    # The document does not list the values of orderStatus; these two follow from the record's isClosed.
    status = call.choice("orderStatus", ("Open", "Closed"))
    return None if status is None else status == "Closed"


def _belongs_to(body: Body, company: str) -> bool:
    return body.get("companyCode") == company or any(
        row["companyCode"] == company for row in body.get("companies") or []
    )


def _public(stored: dict[str, Any]) -> Body:
    return {**stored["body"], "lastUpdated": stored["lastUpdated"]}


def _without_nulls(body: Body) -> Body:
    # null means the same as absent, and lastUpdated is Basware's own: neither makes a record a changed one.
    return {name: _bare(value) for name, value in body.items() if value is not None and name != "lastUpdated"}


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return _without_nulls(value)
    return [_bare(entry) for entry in value] if isinstance(value, list) else value


def _delete_since(layer: Collection, since: dt.datetime, store: Store) -> None:
    with store.transaction():
        for key, stored in layer.items():
            if parse_moment(stored["lastUpdated"]) > since:
                layer.delete(key)
