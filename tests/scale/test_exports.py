"""Whole tables as a stream: the first line at once, and no more memory than for a few."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.scale.conftest import LINES
from tests.scale.databases import LARGE, loaded, server
from tests.scale.measuring import OK, Site
from tests.scale.pages import OWNER, Place, furnished

pytestmark = pytest.mark.scale

PIECES = 50_000
MOST_MEGABYTES, FIRST_WITHIN = 40, 0.5


@pytest.fixture(scope="module")
def place(django_db_blocker: Any) -> Iterator[Place]:
    with django_db_blocker.unblock(), server() as url, loaded(url, LARGE) as integration:
        yield furnished(integration, 1)


def megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.parametrize("path", ["integrations/{}/records/export/", "api/v1/audit/export/?format=csv"])
def test_an_export_takes_the_memory_of_a_few_rows(path, place, record_property):
    site, statuses = Site(place), []
    address = f"/o/{place.integration.organization.slug}/{path.format(place.integration.pk)}"
    next(site.stream(address, OWNER, statuses))  # what the first export of a process loads
    started, before = time.perf_counter(), megabytes()
    pieces = site.stream(address, OWNER, statuses)
    first = [next(pieces), next(pieces)]
    waited, most, count = time.perf_counter() - started, before, len(first)
    for count, _ in enumerate(islice(pieces, PIECES), len(first) + 1):
        if count % 5000 == 0:
            most = max(most, megabytes())
    pieces.close()
    record_property(LINES, f"{count} pieces, first after {waited * 1000:.0f} ms, {most - before:.0f} MB more  {path}")
    assert statuses[-1] == OK
    assert most - before < MOST_MEGABYTES
    assert waited < FIRST_WITHIN
