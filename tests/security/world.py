"""An organization with one of everything, and everybody who might come by."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from syncengine.models import PeriodEnd
from syncengine.notices import Kind, raise_notice
from tenants.models import Role, SavedView
from tenants.models.field_mapping import MappingCase
from tenants.services import create_invitation
from tests import factories
from tests.security.permissions import ADMIN, ANYONE, OPERATOR, OWNER, STAFF, VIEWER, Level

MARK = "Walrus"  # in every name of ours: an outsider's answer holds it nowhere
STREET = "198.51.100.7"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True)
class Address:
    """One address of the resolver: its name with namespaces, and its pattern."""

    name: str
    pattern: str

    def path(self, values: dict[str, Any]) -> str:
        """The address with an object of ours for each parameter."""
        if "^" in self.pattern:
            return f"/{_REGULAR[self.name]}"
        return "/" + _PARAMETER.sub(lambda match: str(values[match[1]]), self.pattern)

    @property
    def names_an_object(self) -> bool:
        return bool(_PARAMETER.search(self.pattern.replace("<slug:slug>", "")))


_REGULAR = {
    "account_confirm_email": "accounts/confirm-email/MQ:1abc:def/",
    "account_reset_password_from_key": "accounts/password/reset/key/1-abc-def/",
    "admin:app_list": "admin/tenants/",
    "admin:": "admin/nowhere/at/all/",
}


def addresses(resolver: URLResolver | None = None, names: tuple[str, ...] = (), before: str = "") -> Iterator[Address]:
    """Every address of the site as the resolver has it."""
    for found in (resolver or get_resolver()).url_patterns:
        pattern = before + str(found.pattern)
        if isinstance(found, URLResolver):
            yield from addresses(found, (*names, *([found.namespace] if found.namespace else [])), pattern)
        else:
            assert isinstance(found, URLPattern)
            regular = pattern if "(?P" not in pattern else f"^{pattern}"
            yield Address(":".join((*names, found.name or "")), regular)


@dataclass(frozen=True)
class Visitor:
    """Somebody at the door; `level` is what they are in our organization, `key` whether by an API key."""

    name: str
    level: Level
    client: Client
    headers: dict[str, str] = field(default_factory=dict)
    outsider: bool = False

    @property
    def has_key(self) -> bool:
        return bool(self.headers)

    @property
    def on_pages(self) -> Level:
        """An API key opens the API and nothing else."""
        return ANYONE if self.has_key else self.level

    def ask(self, method: str, path: str, body: str, content_type: str) -> Any:
        return self.client.generic(method, path, body, content_type, headers=self.headers, REMOTE_ADDR=STREET)


def signed_in(user: Any) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def visitors(organization: Any, elsewhere: Any) -> list[Visitor]:
    """Nobody, a member of each role, keys of each role, an owner and a key of another organization, and staff."""
    nobody = Client(raise_request_exception=False)
    found = [Visitor("anonymous", ANYONE, nobody)]
    for role, level in (("viewer", VIEWER), ("operator", OPERATOR), ("admin", ADMIN), ("owner", OWNER)):
        found.append(Visitor(role, level, signed_in(factories.member(organization, role))))
        if role != "owner":
            key = {"Authorization": f"Api-Key {factories.api_key(organization, role)}"}
            found.append(Visitor(f"key of {role}", level, nobody, key))
    theirs = {"Authorization": f"Api-Key {factories.api_key(elsewhere, 'admin')}"}
    outsider = factories.member(elsewhere, "owner")
    staff = factories.UserFactory(email="staff@example.com", is_staff=True, is_superuser=True)
    factories.second_factor(staff)
    return [
        *found,
        Visitor("outsider", Level.PERSON, signed_in(outsider), outsider=True),
        Visitor("key of an outsider", Level.PERSON, nobody, theirs, outsider=True),
        Visitor("staff", STAFF, signed_in(staff), outsider=True),
    ]


def one_of_everything(organization: Any) -> dict[str, Any]:
    """An object for each parameter that an address may have."""
    integration = factories.IntegrationFactory(organization=organization, name=f"{MARK} Finland")
    factories.connect(integration)
    run = factories.RunFactory(integration=integration, error_message=MARK)
    factories.PlanItemFactory(plan=factories.PlanFactory(run=run), title=MARK)
    record = factories.FailedRecordFactory(integration=integration, run=run, title=f"V1 {MARK} Oy")
    factories.AuditEventFactory(organization=organization, record=record, message=MARK)
    key = factories.ApiKey.issue(organization, MARK, "viewer")[0]
    hook = factories.HookFactory(organization=organization, name=MARK)
    delivery = factories.HookDeliveryFactory(hook=hook, response_body=MARK)
    email = f"{MARK.lower()}@{organization.slug}.example"
    leaving = factories.member(organization, "viewer", email=email).memberships.get()
    invitation, token = create_invitation(organization, "new@example.com", Role.VIEWER, leaving.user, timezone.now())
    view = SavedView.objects.create(organization=organization, owner=leaving.user, name=MARK, shared=True)
    case = MappingCase.objects.create(integration=integration, flow="vendors", name=MARK, source="{}", expected="{}")
    return {
        "slug": organization.slug,
        "integration_id": integration.pk,
        "run_id": run.pk,
        "record_id": record.pk,
        "call_id": factories.CallFactory(integration=integration, record=record, request_body=MARK).pk,
        "membership_id": leaving.pk,
        "member_id": leaving.pk,
        "key_id": key.pk,
        "hook_id": delivery.hook.pk,
        "delivery_id": delivery.pk,
        "notice_id": raise_notice(integration, Kind.RUN_FAILED, "vendors", MARK).pk,
        "notification_id": factories.NotificationFactory(integration=integration, body=f'"{MARK}"').pk,
        "webhook_id": integration.webhook_id,
        "system": "sap_b1",
        "flow": "vendors",
        "token": token,
        "period_id": PeriodEnd.objects.create(integration=integration, first="2026-05-01", last="2026-05-31").pk,
        "case": case.pk,
        "view_id": view.pk,
        "invitation_id": invitation.pk,
        "session_id": UserSession.objects.create(user=leaving.user, ip=STREET, session_key=f"of-{leaving.pk}").pk,
        "pk": Authenticator.objects.create(user=leaving.user, type="webauthn", data={}).pk,
        # Django's admin
        "object_id": organization.pk,
        "id": leaving.user.pk,
        "content_type_id": 1,
    }
