"""What the service answers, and which outcome each answer is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from syncengine.connectors.guard import OutboundPolicy
from syncengine.connectors.http import HttpTransport
from syncengine.connectors.outcomes import Rejected, Throttled, Unauthenticated, Unavailable
from syncengine.connectors.rates.client import RatesClient
from syncengine.sandbox.rates.server import RatesServer

DAY = date(2026, 5, 4)
HERE = OutboundPolicy(allow=("127.0.0.0/8",), allow_http=True)


@pytest.fixture
def service() -> Iterator[RatesServer]:
    with RatesServer("good-token") as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


def client(service: RatesServer, token: str = "good-token") -> RatesClient:
    return RatesClient(service.base_url, token, HttpTransport("rates", policy=HERE, secrets=(token,)))


def test_rates_are_exact(service):
    assert client(service).rates(DAY) == {"USD": Decimal("1.0845"), "SEK": Decimal("11.2310")}


def test_a_day_without_rates_is_for_a_person(service):
    with pytest.raises(Rejected, match="no rates"):
        client(service).rates(date(2026, 5, 3))


def test_a_refused_token_pauses_and_is_never_tried_again_by_itself(service):
    with pytest.raises(Unauthenticated) as refused:
        client(service, "bad-token").rates(DAY)
    assert refused.value.login_refused


def test_patience_that_is_asked_for_is_told(service):
    service.next_status, service.headers = 429, {"Retry-After": "7"}
    with pytest.raises(Throttled) as throttled:
        client(service).rates(DAY)
    assert throttled.value.after == 7


@pytest.mark.parametrize("status", [500, 503])
def test_a_service_that_is_away_is_tried_again(status, service):
    service.next_status = status
    with pytest.raises(Unavailable):
        client(service).rates(DAY)


def test_a_page_of_a_proxy_is_no_rate(service):
    service.next_status = 200
    with pytest.raises(Unavailable, match="not the rates service"):
        client(service).rates(DAY)
