"""The objects that the addresses of the API name."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from tenants.models import ApiKey, Membership
from tests import factories


@pytest.fixture
def run(integration):
    return factories.RunFactory(integration=integration, status="running", started_at=factories.NOON)


@pytest.fixture
def record(integration):
    return factories.FailedRecordFactory(integration=integration, key="V10000", title="V10000 Nordic Paper Oy")


@pytest.fixture
def world(organization, connected, run, record, owner, viewer):
    """One of everything, by the names that the paths in `ladder` use."""
    ApiKey.issue(organization, "spare", "viewer")
    factories.PlanFactory(run=run)
    delivery = factories.HookDeliveryFactory(hook=factories.HookFactory(organization=organization))
    return SimpleNamespace(
        integration=connected.pk,
        run=run.pk,
        record=record.pk,
        hook=delivery.hook.pk,
        delivery=delivery.pk,
        member=Membership.objects.get(user=viewer).pk,
        key=ApiKey.objects.get(name="spare").pk,
    )


@dataclass(frozen=True)
class Rung:
    """One call of interface.md: what it needs, and what it answers when all is well."""

    method: str
    path: str
    role: str
    status: int
    body: object = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"
