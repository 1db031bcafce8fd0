"""Pages as people see them: a session per role, and one of everything to look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from syncengine.connectors.checks import Check
from syncengine.engine import ping as ping_engine
from syncengine.engine import webhooks
from syncengine.models import PeriodEnd
from syncengine.notices import Kind, raise_notice
from tenants.models import Role, SavedView
from tenants.models.field_mapping import MappingCase
from tenants.services import create_invitation
from tests import factories


@dataclass(frozen=True)
class Rung:
    """A page or an action: who may, what comes of it, what is posted."""

    method: str
    path: str
    role: str
    status: int
    data: dict[str, Any] | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@pytest.fixture
def sign_in() -> Callable[[Any], Client]:
    """`sign_in(user)`: a browser with that person's session."""

    def browser(user: Any) -> Client:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return browser


@pytest.fixture
def people(owner, admin, operator, viewer, outsider, sign_in) -> dict[str, Client]:
    """A browser for each role, and the outsider's."""
    users = {"owner": owner, "admin": admin, "operator": operator, "viewer": viewer, "outsider": outsider}
    return {role: sign_in(user) for role, user in users.items()}


@pytest.fixture
def world(organization, connected, viewer) -> SimpleNamespace:
    """One of everything, by the names that paths use."""
    run = factories.RunFactory(integration=connected)
    factories.PlanFactory(run=run)
    record = factories.FailedRecordFactory(integration=connected, run=run)
    key = factories.ApiKey.issue(organization, "ci", "viewer")[0]
    delivery = factories.HookDeliveryFactory(hook=factories.HookFactory(organization=organization))
    return SimpleNamespace(
        slug=organization.slug,
        integration=connected.pk,
        period=PeriodEnd.objects.create(integration=connected, first="2026-05-01", last="2026-05-31").pk,
        run=run.pk,
        record=record.pk,
        call=factories.CallFactory(integration=connected, record=record).pk,
        member=viewer.memberships.get().pk,
        key=key.pk,
        hook=delivery.hook.pk,
        delivery=delivery.pk,
        case=MappingCase.objects.create(integration=connected, flow="vendors", name="c", source="{}", expected="{}").pk,
        invitation=create_invitation(organization, "asked@example.com", Role.VIEWER, viewer, timezone.now())[0].pk,
        notice=raise_notice(connected, Kind.RUN_FAILED, "vendors", "The run failed.").pk,
        view=SavedView.objects.create(organization=organization, owner=viewer, name="Failed", shared=True).pk,
        notification=factories.NotificationFactory(integration=connected).pk,
    )


@pytest.fixture
def root(organization, connected) -> str:
    """Where the integration's pages begin."""
    return f"/o/{organization.slug}/integrations/{connected.pk}/"


@pytest.fixture
def checks(monkeypatch) -> list[tuple[str, Check]]:
    """What the next ping finds; the network has tests of its own."""
    found = [
        ("sap_b1", Check("reach", True, 12, "sap.example.com answers.")),
        ("basware", Check("login", False, 340, "The client was refused: <b>invalid_client</b>.", "Check the secret.")),
    ]
    monkeypatch.setattr(ping_engine, "_lines", lambda integration, deadline: iter(found))
    return found


@pytest.fixture
def subscribed(monkeypatch) -> dict[str, bool]:
    """What the next subscription is answered with."""
    answer = {"subscribed": True, "confirmed": True}
    monkeypatch.setattr(webhooks, "subscribe", lambda integration, actor: answer)
    return answer
