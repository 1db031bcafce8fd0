"""With 1,000,000 records and 10,000,000 audit events: every page fast, with as many queries as in a small database."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from syncengine.engine import search, troubles
from syncengine.models import Record
from tests.scale.conftest import LINES
from tests.scale.databases import LARGE, SMALL, loaded, server
from tests.scale.measuring import OK, Answer, Site, Timed
from tests.scale.pages import OWNER, Page, Place, furnished

pytestmark = pytest.mark.scale

VARIANTS, TIMES, ROUNDS = 10, 20, 3
MEDIAN, P95, FOUND = 0.100, 0.300, 0.300
SEARCHED = 40
FOR_MACHINES = {"metrics"}
"""No page that anybody waits for: the limit of p95 is enough."""
FROM_SO_MANY_ON = ((search, "MANY"), (search, "NEAR"), (troubles, "MANY"))
"""Beyond these a page goes another way, with other queries: both databases must be beyond them to be compared."""
TIMES_LARGER = 200
# What is reached by no GET of ours: forms and deeds (405), and what is only for those who have it.
NO_PAGE = {302, 400, 403, 404, 405}


@pytest.fixture(scope="module")
def databases() -> Iterator[str]:
    with server() as url:
        yield url


@pytest.fixture(scope="module")
def queries_of_small(databases: str, django_db_blocker: Any) -> dict[str, int]:
    """The most queries of each page in a small database, where fewer finds and failures are already many."""
    with (
        django_db_blocker.unblock(),
        pytest.MonkeyPatch.context() as patch,
        loaded(databases, SMALL) as integration,
    ):
        for module, name in FROM_SO_MANY_ON:
            patch.setattr(module, name, getattr(module, name) // TIMES_LARGER)
        troubles.remember(integration)
        place = furnished(integration, VARIANTS)
        site = Site(place)
        return {page.name: site.counted(page).queries for page in place.pages()}


@pytest.fixture(scope="module")
def place(databases: str, queries_of_small: dict[str, int], django_db_blocker: Any) -> Iterator[Place]:
    """The large database, after the small one was done with: a process works on one at a time."""
    with django_db_blocker.unblock(), loaded(databases, LARGE) as integration:
        yield furnished(integration, VARIANTS)


def test_every_page_is_fast_and_asks_a_constant_number(place, queries_of_small, record_property):
    site = Site(place)
    pages = place.pages()
    timed = {page.name: timed_at_its_best(site, place, page) for page in pages}
    shown = {name: one for name, one in timed.items() if one.seconds}
    for one in sorted(shown.values(), key=lambda one: -one.median):
        record_property(LINES, line(one))
    assert len(shown) > 100
    assert {one.status for one in timed.values()} <= {OK, *NO_PAGE}
    slow = [line(one) for one in shown.values() if not is_fast(one)]
    more = [
        f"{line(one)}: {queries_of_small[one.name]} in the small database"
        for one in shown.values()
        if one.queries > queries_of_small[one.name]
    ]
    assert not slow, "\n".join(slow)
    assert not more, "\n".join(more)


def timed_at_its_best(site: Site, place: Place, page: Page) -> Timed:
    """What misses the limits is measured again before it is believed: others use this machine too."""
    for _ in range(ROUNDS):
        count_as_a_worker_does(place)
        found = site.timed(page, TIMES)
        if not found.seconds or is_fast(found):
            break
    return found


def is_fast(one: Timed) -> bool:
    return one.p95 <= P95 and (one.median <= MEDIAN or one.name in FOR_MACHINES)


def count_as_a_worker_does(place: Place) -> None:
    """Once a minute, all the while."""
    counted = place.integration.troubles.counted_at
    if (timezone.now() - counted).total_seconds() > 60:
        troubles.remember(place.integration)
        place.integration.troubles.refresh_from_db()


def line(one: Timed) -> str:
    return f"{one.median * 1000:6.0f} ms median {one.p95 * 1000:6.0f} ms p95 {one.queries:4} queries  {one.name}"


SPELLINGS: dict[str, Callable[[Record], str]] = {
    "number": lambda invoice: invoice.reference,
    "number in small letters": lambda invoice: invoice.reference.lower(),
    "vendor's code and number": lambda invoice: f"{invoice.party} {invoice.reference}",
    "vendor's name and number": lambda invoice: invoice.title,
    "vendor's name": lambda invoice: invoice.title.partition(" RE-")[0],
    "vendor's code": lambda invoice: invoice.party,
    "amount": lambda invoice: f"{invoice.amount:.2f}",
    "amount as a Finn writes it": lambda invoice: f"{invoice.amount:,.2f} EUR".replace(",", " ").replace(".", ","),
    "id in Basware": lambda invoice: invoice.key,
    "id here": lambda invoice: f"#{invoice.pk}",
}
NAMES_MANY = {"vendor's name", "vendor's code", "amount", "amount as a Finn writes it"}


@pytest.mark.parametrize("how", SPELLINGS)
def test_any_of_100_000_invoices_is_found_at_once(how, place, record_property):
    invoices = Record.objects.filter(integration=place.integration, flow="invoices", currency="EUR")
    assert invoices.count() > 80_000
    keys = list(invoices.order_by("pk").values_list("pk", flat=True))
    chosen = random.Random(os.environ.get("SCALE_SEED", "7")).sample(keys, SEARCHED)
    site, found = Site(place), Timed(f"found by {how}", OWNER, OK)
    root = f"/o/{place.integration.organization.slug}/"
    for invoice in Record.objects.filter(pk__in=chosen):
        text = SPELLINGS[how](invoice)
        answer = asked(site, f"{root}search/?{urlencode({'q': text})}")
        assert is_shown(answer.status, answer.body, invoice) or how in NAMES_MANY, text
        listed = asked(site, f"{root}integrations/{place.integration.pk}/records/?{urlencode({'search': text})}")
        found.seconds += [answer.seconds, listed.seconds]
    record_property(LINES, line(found))
    assert max(found.seconds) <= FOUND, line(found)


def asked(site: Site, path: str) -> Answer:
    """Again where it was slow, as above."""
    for _ in range(ROUNDS):
        answer = site.get(path, OWNER)
        if answer.seconds <= FOUND:
            break
    return answer


def is_shown(status: int, body: bytes, invoice: Record) -> bool:
    """A single find opens at once."""
    return status == 302 or f"/records/{invoice.pk}/".encode() in body
