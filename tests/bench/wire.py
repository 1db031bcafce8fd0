"""The bare wire loop: the calls on a tape made again with `requests`, at the same concurrency, and nothing else.

    python -m tests.bench.wire TAPE ADDRESSES.json THREADS [IN_FLIGHT]

No database, no mapping, no audit. What reads a list is done in one thread, as it must be, each page asking for the
next; a batch, or all the calls of one invoice in their order, is a job for one of THREADS. With IN_FLIGHT no more calls
than that are under way at each of the two systems. Logging in is done before.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from syncengine.sandbox.basware.tokens import KNOWN_SCOPES
from tests.bench.processes import Stopwatch

FIRST_POLL = 0.5
"""Basware works on what it was sent; nobody asks earlier (STATUS_POLLS)."""
NAMES = re.compile(r'"(requestId|DocEntry|DocNum)":\s*"?([\w-]+)')

Entry = dict[str, Any]


@dataclass
class Seen:
    """What the answers so far mean for the calls that follow: other names, and where a redirect leads."""

    names: dict[str, str] = field(default_factory=dict)
    location: str = ""


class Loop:
    """Makes the calls of a tape against running systems."""

    def __init__(self, addresses: dict[str, Any], threads: int, in_flight: int) -> None:
        self._sap, self._basware = addresses["sap_b1"], addresses["basware"]
        self._pool = ThreadPoolExecutor(threads)
        self._sessions = threading.local()
        self._free = {system: threading.Semaphore(in_flight) for system in ("sap", "basware")}
        self._headers = {"sap": self._log_in_to_sap(), "basware": self._log_in_to_basware()}
        self.calls = 0

    def play(self, tape: list[Entry]) -> None:
        lanes: dict[int, list[Entry]] = {}
        for entry in tape:
            if entry["lane"] is not None:
                lanes.setdefault(entry["lane"], []).append(entry)
        jobs: list[Future[None]] = []
        begun: set[int] = set()
        asked, main = False, Seen()
        for entry in tape:
            lane = entry["lane"]
            if lane is None:
                if "requestStatus" in entry["url"] and not asked:
                    _await(jobs)
                    time.sleep(FIRST_POLL)
                    asked = True
                self._make([entry], main)
            elif lane not in begun:
                begun.add(lane)
                jobs.append(self._pool.submit(self._make, lanes[lane], Seen()))
        _await(jobs)

    def _make(self, entries: list[Entry], seen: Seen) -> None:
        """One after the other; names that the systems gave on the tape are those they give now."""
        for entry in entries:
            url, body = entry["url"], entry["body"]
            for old, new in seen.names.items():
                url, body = url.replace(old, new), body.replace(old, new)
            answer = self._send(entry, seen.location if self._is_elsewhere(url) else url, body)
            seen.location = answer.headers.get("Location", "")
            seen.names.update(_renamed(entry["answer"], answer.text) if entry["answer"] else {})
            self.calls += 1

    def _is_elsewhere(self, url: str) -> bool:
        return not url.startswith((self._sap["base_url"], self._basware["base_url"]))

    def _send(self, entry: Entry, url: str, body: str) -> requests.Response:
        session = getattr(self._sessions, "session", None) or requests.Session()
        self._sessions.session = session
        system = "sap" if url.startswith(self._sap["base_url"]) else "basware"
        login = {} if self._is_elsewhere(url) else self._headers[system]
        with self._free[system]:
            answer = session.request(
                entry["method"], url, data=body.encode() or None, headers={**entry["headers"], **login},
                allow_redirects=False, timeout=60,
            )  # fmt: skip
        if answer.content and "json" in answer.headers.get("Content-Type", ""):
            answer.json()  # the least that anybody does with an answer
        return answer

    def _log_in_to_sap(self) -> dict[str, str]:
        names = {"CompanyDB": "company_db", "UserName": "username", "Password": "password"}
        answer = requests.post(
            f"{self._sap['base_url']}/Login", json={name: self._sap[key] for name, key in names.items()}, timeout=60
        )
        return {"Cookie": f"B1SESSION={answer.json()['SessionId']}"}

    def _log_in_to_basware(self) -> dict[str, str]:
        answer = requests.post(
            f"{self._basware['base_url']}/v1/tokens",
            data={"grant_type": "client_credentials", "scope": " ".join(sorted(KNOWN_SCOPES))},
            auth=(self._basware["client_id"], self._basware["client_secret"]),
            timeout=60,
        )
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def _renamed(then: str, now: str) -> Iterator[tuple[str, str]]:
    """Where the names of the tape's answer are written in URLs and bodies, and what stands there now."""
    for (kind, old), (_, new) in zip(NAMES.findall(then), NAMES.findall(now), strict=False):
        if kind == "requestId":
            yield old, new
        elif kind == "DocEntry":
            yield f"({old})", f"({new})"
        else:
            yield f'"{old}"', f'"{new}"'


def _await(jobs: list[Future[None]]) -> None:
    while jobs:
        jobs.pop().result()


def main(tape: str, addresses: str, threads: str, in_flight: str = "") -> None:
    known = json.loads(Path(addresses).read_text(encoding="utf-8"))
    lines = Path(tape).read_text(encoding="utf-8").splitlines()
    entries = [entry for entry in map(json.loads, lines) if not entry["url"].endswith(("/Login", "/tokens"))]
    loop = Loop(known, int(threads), int(in_flight or threads))
    watch = Stopwatch()
    loop.play(entries)
    sys.stdout.write(json.dumps(watch.read(calls=loop.calls)) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
