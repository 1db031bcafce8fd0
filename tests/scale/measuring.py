"""The time of a request inside the server, through the handler that gunicorn calls, and how many queries it asks.

Time that our thread or PostgreSQL's process stood ready to run while others had the processors is not the server's:
Linux tells it apart (/proc/…/schedstat). Where it does not, it is counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import RequestFactory

from tests.scale.pages import Page, Place

OK = 200


@dataclass
class Answer:
    """What came back."""

    status: int
    body: bytes
    seconds: float


@dataclass
class Timed:
    """How a page did: seconds of each request, and the most queries of one."""

    name: str
    person: str
    status: int
    queries: int = 0
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return self._ranked(0.5)

    @property
    def p95(self) -> float:
        return self._ranked(0.95)

    def _ranked(self, share: float) -> float:
        return sorted(self.seconds)[max(ceil(share * len(self.seconds)), 1) - 1]


def work_of(deed: Callable[[], object]) -> float:
    """How many seconds it takes, less those in which it had no processor."""
    before, started = _processors(), time.perf_counter()
    deed()
    wall, after = time.perf_counter() - started, _processors()
    used, waited = (now - then for now, then in zip(after, before, strict=True))
    return min(max(wall - waited, used), wall)


def _processors() -> tuple[float, float]:
    """Seconds so far on a processor, and ready but without one: of this thread and the process it is connected to."""
    processes = ["thread-self"]
    if connection.connection is not None:
        processes.append(str(connection.connection.info.backend_pid))
    seen = [_seen(process) for process in processes]
    return sum(used for used, _ in seen), sum(waited for _, waited in seen)


def _seen(process: str) -> tuple[float, float]:
    try:
        used, waited, _ = Path(f"/proc/{process}/schedstat").read_text().split()
    except OSError:
        return 0.0, 0.0
    return int(used) / 1e9, int(waited) / 1e9


class Site:
    """The portal, asked as its server asks it."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._handler = WSGIHandler()
        self._requests = RequestFactory(headers={"X-Organization": place.integration.organization.slug})

    def get(self, path: str, person: str) -> Answer:
        statuses: list[int] = []
        bodies: list[bytes] = []
        seconds = work_of(lambda: bodies.extend(self.stream(path, person, statuses)))
        return Answer(statuses[0], b"".join(bodies), seconds)

    def stream(self, path: str, person: str, statuses: list[int]) -> Iterator[bytes]:
        """The answer piece by piece, as gunicorn sends it; its status goes to the list."""
        environ = self._requests.get(path, HTTP_COOKIE=self._place.cookies[person]).environ

        def start(status: str, _headers: Any, _error: Any = None) -> Callable[[bytes], object]:
            statuses.append(int(status.partition(" ")[0]))
            return bytes

        answer = self._handler(environ, start)
        try:
            yield from answer
        finally:
            answer.close()  # type: ignore[attr-defined]  # an HttpResponse

    def counted(self, page: Page) -> Timed:
        """Once each of its paths, untimed, so that what is kept in the process is there too."""
        seen = [(person, self.get(page.paths[0], person).status) for person in page.people]
        found = Timed(page.name, *next((one for one in seen if one[1] == OK), seen[0]))
        for path in page.paths if found.status == OK else ():
            with _counting() as queries:
                self.get(path, found.person)
            found.queries = max(found.queries, len(queries))
        return found

    def timed(self, page: Page, times: int) -> Timed:
        found = self.counted(page)
        for number in range(times if found.status == OK else 0):
            found.seconds.append(self.get(page.paths[number % len(page.paths)], found.person).seconds)
        return found


@contextmanager
def _counting() -> Iterator[list[str]]:
    queries: list[str] = []

    def count(execute: Any, statement: str, *rest: Any) -> Any:
        queries.append(statement)
        return execute(statement, *rest)

    with connection.execute_wrapper(count):
        yield queries
