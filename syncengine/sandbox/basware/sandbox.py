"""Basware as one object: API server, storage server, P2P and notifications behind them.

    sandbox = BaswareSandbox(Store(), dataset.invoices())     # ports 0: free ones
    sandbox.start(); sandbox.url; sandbox.storage_url; CLIENT_ID, CLIENT_SECRET
    sandbox.switches.delay = 0                                # every switch: switches.py
    sandbox.stop()

A fault of its own besides those of faults.py: ``{"kind": "error", "status": 500, "message": "…"}`` answers with a
`ResponseEntityList`, as Basware's gateway does where the common kinds leave the body empty.
"""

import copy
import datetime as dt
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Self

from syncengine.sandbox.basware.actions import Actions
from syncengine.sandbox.basware.calls import REQUEST_ID_HEADER, Call, Refusal
from syncengine.sandbox.basware.document_api import DocumentApi
from syncengine.sandbox.basware.documents import Documents
from syncengine.sandbox.basware.imports import MasterData
from syncengine.sandbox.basware.moments import utc_now
from syncengine.sandbox.basware.notifications import Notifier
from syncengine.sandbox.basware.p2p import P2PState
from syncengine.sandbox.basware.processing import Request, Requests
from syncengine.sandbox.basware.push_api import PUSH_APIS, PushApi
from syncengine.sandbox.basware.request_status import RequestStatusApi
from syncengine.sandbox.basware.routing import Route, Router
from syncengine.sandbox.basware.storage import StorageServer
from syncengine.sandbox.basware.switches import Switches
from syncengine.sandbox.basware.tokens import CLIENT_SECRET, TokenDesk
from syncengine.sandbox.control import ControlServer
from syncengine.sandbox.faults import Fault
from syncengine.sandbox.server import SandboxRequest, SandboxResponse, SandboxServer, json_response
from syncengine.sandbox.store import Store

TICK = 0.05
TOKEN_PATH = "/v1/tokens"  # noqa: S105  a path
ERROR_CODES = {401: "ACCESS_TOKEN_VALIDATION_ERROR", 403: "ACCESS_TOKEN_VALIDATION_ERROR", 409: "CONFLICT_IN_POST"}


class BaswareSandbox(SandboxServer):
    """The API on one port, the storage on another. A store that is not empty keeps its state; else it is seeded."""

    def __init__(
        self,
        store: Store,
        invoices: Iterable[Mapping[str, Any]],
        port: int = 0,
        storage_port: int = 0,
        *,
        host: str = "127.0.0.1",
        clock: Callable[[], dt.datetime] = utc_now,
        delay: float | None = None,
        client_secret: str = CLIENT_SECRET,
    ) -> None:
        super().__init__(host, port)
        self.client_secret = client_secret
        self.switches = Switches() if delay is None else Switches(delay=delay)
        self.storage = StorageServer(host, storage_port, clock)
        self.store = store
        self.clock = clock
        self._invoices = list(invoices)
        self._stopping = threading.Event()
        self.notifier = Notifier(store, self.switches, clock)
        self.p2p = P2PState(store, self.switches)
        self.processing = Requests(store, self.switches, clock, self._tell_outcome)
        self.tokens = TokenDesk(self.switches, client_secret)
        self.master_data = MasterData(store, self.processing, self.p2p, self.switches)
        self.documents = Documents(store, self.processing, self.switches, clock, self.notifier.announce)
        self.router = Router(self._routes())
        if store.is_empty:
            self._seed()

    @property
    def storage_url(self) -> str:
        return self.storage.url

    def start(self) -> Self:
        self.storage.start()
        threading.Thread(target=self._tick, daemon=True, name="basware-p2p").start()
        return super().start()

    def stop(self) -> None:
        self._stopping.set()
        super().stop()
        self.storage.stop()
        self.notifier.stop()

    def reset(self) -> None:
        """Back to the data set: what was posted is gone, subscriptions and tokens too; switches stay."""
        with self.store.transaction():
            self.store.clear()
            self._seed()
            self.processing.rebuild()
            self.p2p.rebuild()
        self.tokens.expire_all()

    def register(self, control: ControlServer) -> None:
        """Puts both servers and everything else that can be told to Basware on the control API."""
        control.register_system("basware", self, self.reset)
        control.register_system("basware_storage", self.storage, lambda: None)
        for method, path, action in Actions(self).all():
            control.register(method, path, action)

    def handle(self, request: SandboxRequest) -> SandboxResponse:
        request_id = str(uuid.uuid4())
        try:
            response = self._answer(request, request_id)
        except Refusal as refusal:
            response = refusal.response(request_id)
        return replace(response, headers=[*response.headers, (REQUEST_ID_HEADER, request_id)])

    def common_headers(self, request: SandboxRequest) -> list[tuple[str, str]]:
        """Every answer has a request id, those of faults included."""
        return [(REQUEST_ID_HEADER, str(uuid.uuid4()))]

    def own_fault(self, fault: Fault, request: SandboxRequest) -> SandboxResponse | None:
        if fault.kind != "error":
            return None
        code = ERROR_CODES.get(fault.status, "UNEXPECTED_ERROR")
        request_id = str(uuid.uuid4())
        response = Refusal(fault.status, code, fault.message or "Unexpected error.").response(request_id)
        retry = [] if fault.retry_after is None else [("Retry-After", str(fault.retry_after))]
        return replace(response, headers=[*response.headers, *retry, (REQUEST_ID_HEADER, request_id)])

    def template(self, request: SandboxRequest) -> str:
        return self.router.pattern_of(request.path) or request.path

    def _routes(self) -> list[Route]:
        return [
            *self.master_data.routes(),
            *RequestStatusApi(self.processing, self.switches).routes(),
            *DocumentApi(self.documents, self.storage, self.switches).routes(),
            *PushApi(self.store, self.notifier, self.switches).routes(),
        ]

    def _answer(self, request: SandboxRequest, request_id: str) -> SandboxResponse:
        now = self.clock()
        if request.path == TOKEN_PATH and request.method == "POST":
            return self.tokens.issue(request, now)
        route, args = self.router.find(request)
        try:
            client = self.tokens.check(request, route.scope, now)
        except Refusal as refusal:
            if route.api in PUSH_APIS and refusal.status == HTTPStatus.UNAUTHORIZED:
                return json_response(HTTPStatus.UNAUTHORIZED, {"message": "Unauthorized"})
            raise
        self.processing.process_due()
        with nullcontext() if route.unlocked else self.store.lock:
            return route.handler(Call(request, request_id, now, args, client))

    def _tell_outcome(self, request: Request) -> None:
        self.notifier.announce("RequestStatus", request["requestStatus"], request["requestId"])

    def _seed(self) -> None:
        self.documents.seed(copy.deepcopy(self._invoices))

    def _tick(self) -> None:
        while not self._stopping.wait(TICK):
            self.processing.process_due()
