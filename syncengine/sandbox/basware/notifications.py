"""Push notifications: tasks, signatures, deliveries with repeats (contracts: Basware §16.2 to §16.5)."""

import base64
import datetime as dt
import hashlib
import hmac
import http.client
import ssl
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import SplitResult, urlsplit

from syncengine.sandbox.basware.moments import stamp
from syncengine.sandbox.basware.switches import Switches
from syncengine.sandbox.server import JSON_TYPE, encode
from syncengine.sandbox.store import Collection, Store

SIGNATURE_HEADER = "X-BWAPI-Signature-256"
TRIES = 3
DELIVERERS = 4
EXPIRES_AFTER = dt.timedelta(days=7)
MISSPELT = {"AccountingDocuments": "AccoutingDocuments"}
PAYLOAD_FIELDS = ("taskId", "taskStatus", "taskType", "taskSubType", "documentId", "expirationTime")

Task = dict[str, Any]


@dataclass(frozen=True)
class Receiver:
    """Where a notification goes, and the secret that signs it."""

    url: str
    secret: str


def sign(secret: str, body: bytes, form: str) -> str | None:
    """The value of the signature header, in one of the forms of `switches.SIGNATURE_FORMS`; None for no header."""
    if form == "none":
        return None
    key = f"{secret} but wrong" if form == "bad" else secret
    digest = hmac.new(key.encode(), body, hashlib.sha256).digest()
    if form == "base64":
        return base64.b64encode(digest).decode()
    return f"sha256={digest.hex()}" if form == "prefixed" else digest.hex()


class Notifier:
    """Tells subscribers. Deliveries run in threads of their own, so a slow receiver never holds up a call."""

    def __init__(self, store: Store, switches: Switches, clock: Callable[[], dt.datetime]) -> None:
        self._store = store
        self._switches = switches
        self._clock = clock
        self._stopping = threading.Event()
        self._threads = ThreadPoolExecutor(DELIVERERS, thread_name_prefix="notifier")

    @property
    def subscriptions(self) -> Collection:
        return self._store.collection("subscriptions")

    @property
    def tasks(self) -> Collection:
        return self._store.collection("tasks")

    def stop(self) -> None:
        self._stopping.set()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def announce(self, task_type: str, sub_type: str, document_id: str, form: str | None = None) -> list[str]:
        """A task, and a notification, for every subscription that covers the event; says the task ids."""
        return [
            self._announce_to(receiver, task_type, sub_type, document_id, form)
            for receiver in self._receivers(task_type, sub_type)
        ]

    def repeat(self, document_id: str, form: str | None = None) -> list[str]:
        """Sends the notifications about a document once more, under the same task ids."""
        tasks = [task for task in self.tasks.values() if task["documentId"] == document_id]
        for task in tasks:
            for receiver in self._receivers(task["taskType"], task["taskSubType"]):
                self._dispatch(task["taskId"], receiver, self._payload(task), form)
        return [task["taskId"] for task in tasks]

    def test_connection(self, receiver: Receiver) -> bool:
        """The handshake inside ``POST /v1/subscriptions``: only a 200 will do."""
        task = {
            "taskId": str(uuid.uuid4()),
            "taskStatus": "New",
            "taskType": "ConnectionTest",
            "taskSubType": "ConnectionTest",
            "documentId": "ConnectionTest",
        }
        form = self._switches.signature if self._switches.sign_connection_test else "none"
        return self._post(receiver, encode(task), form) == HTTPStatus.OK

    def _receivers(self, task_type: str, sub_type: str) -> list[Receiver]:
        return [
            Receiver(entry["notificationWebhookURL"], entry["webhookAuthenticationToken"])
            for entry in self.subscriptions.values()
            if entry["taskType"] == task_type and entry["taskSubType"] in {sub_type, "All"}
        ]

    def _announce_to(
        self, receiver: Receiver, task_type: str, sub_type: str, document_id: str, form: str | None
    ) -> str:
        now, task_id = self._clock(), str(uuid.uuid4())
        task: Task = {
            "taskId": task_id,
            "taskStatus": "New",
            "taskType": task_type,
            "taskSubType": sub_type,
            "documentId": document_id,
            "expirationTime": stamp(now + EXPIRES_AFTER),
            "lastUpdated": stamp(now),
            "taskHistory": [_step("New", now, "Task created.")],
            "isSimulatedTask": False,
        }
        self.tasks.put(task_id, task)
        for _ in range(2 if self._switches.duplicate_notifications else 1):
            self._dispatch(task_id, receiver, self._payload(task), form)
        return task_id

    def _payload(self, task: Task) -> bytes:
        payload = {name: task[name] for name in PAYLOAD_FIELDS} | {"taskStatus": "New"}
        if self._switches.misspelt_task_type:
            payload["taskType"] = MISSPELT.get(task["taskType"], task["taskType"])
        return encode(payload)

    def _dispatch(self, task_id: str, receiver: Receiver, body: bytes, form: str | None) -> None:
        if not self._stopping.is_set():
            self._threads.submit(self._deliver, task_id, receiver, body, form)

    def _deliver(self, task_id: str, receiver: Receiver, body: bytes, form: str | None) -> None:
        for attempt in range(1, TRIES + 1):
            status = self._post(receiver, body, form or self._switches.signature)
            if status == HTTPStatus.OK:
                self._note(task_id, "Completed", "Notification delivered.")
                return
            last = attempt == TRIES
            self._note(task_id, "Failed" if last else "New", f"Try {attempt}: {status or 'no connection'}.")
            if last or self._stopping.wait(self._switches.retry_spacing):
                return

    def _post(self, receiver: Receiver, body: bytes, form: str) -> int | None:
        signature = sign(receiver.secret, body, form)
        headers = {"Content-Type": JSON_TYPE, **({SIGNATURE_HEADER: signature} if signature else {})}
        return _post(receiver.url, body, headers, self._switches.receiver_timeout)

    def _note(self, task_id: str, status: str, message: str) -> None:
        with self._store.transaction():
            task = self.tasks.get(task_id)
            if task is None:
                return
            now = self._clock()
            history = [*task["taskHistory"], _step(status, now, message)]
            self.tasks.put(task_id, {**task, "taskStatus": status, "lastUpdated": stamp(now), "taskHistory": history})


def _step(action: str, now: dt.datetime, message: str) -> dict[str, Any]:
    return {"action": action, "timeStamp": stamp(now), "messages": [message]}


def _post(url: str, body: bytes, headers: dict[str, str], timeout: float) -> int | None:
    """The status of the answer; None when there was none. Redirects are not followed."""
    try:
        parts = urlsplit(url)
        with closing(_connection(parts, timeout)) as connection:
            connection.request("POST", f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}", body, headers)
            return connection.getresponse().status
    except (OSError, ValueError, http.client.HTTPException):
        return None


def _connection(parts: SplitResult, timeout: float) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, parts.port, timeout=timeout, context=context)
    return http.client.HTTPConnection(host, parts.port, timeout=timeout)
