"""A small Service Layer in v1 and v2, and clients of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncengine.connectors.sap_b1 import SapB1, SapSettings
from tests.connectors.conftest import MakeTransport, Serve
from tests.connectors.servers import FakeServiceLayer

MakeClient = Callable[..., SapB1]


class Clock:
    """Time that passes only when told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["v1", "v2"])
def sap(request: pytest.FixtureRequest) -> FakeServiceLayer:
    return FakeServiceLayer(request.param)


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def make_client(
    sap: FakeServiceLayer, serve: Serve, make_transport: MakeTransport, clock: Clock, slept: list[float]
) -> MakeClient:
    """A client of `sap`; several of them share a store when told to, as workers do."""
    server = serve(sap)

    def make(**options: Any) -> SapB1:
        store = options.pop("sessions", None)
        root = options.pop("base_url", f"{server.url}/b1s/{sap.version}")
        settings = SapSettings(root, "SBO_ACME_FI", "basware_if", "s3cret-pass", **options)
        transport = make_transport(secrets=["s3cret-pass"])
        return SapB1(settings, transport, store, clock=clock, sleep=slept.append)

    return make


@pytest.fixture
def client(make_client: MakeClient) -> SapB1:
    return make_client()
