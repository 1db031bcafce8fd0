"""Small worlds for tests: rows with sensible values, of which a test names only what it is about."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import factory
from allauth.mfa.models import Authenticator
from factory.django import DjangoModelFactory

from syncengine.engine.plans import connections_of
from syncengine.hooks.signing import new_secret
from syncengine.models import (
    Attempt,
    AttemptItem,
    AuditEvent,
    Call,
    Hook,
    HookDelivery,
    InboxNotification,
    Plan,
    PlanItem,
    Record,
    Run,
)
from tenants.models import ApiKey, Connection, Integration, Membership, Organization, User, WebhookSecret
from tenants.second_factor import encrypt

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
PASSWORD = "a-long-Passphrase-4711"
SAP_PASSWORD = "canary-sap-password-83641"
BASWARE_SECRET = "canary-basware-secret-83642"
SAP = {
    "base_url": "https://sap.example.com:50000/b1s/v2",
    "company_db": "SBO_NORDIC",
    "username": "basware_if",
    "password": SAP_PASSWORD,
}
SAP_OAUTH = {
    "auth": "oauth",
    "base_url": SAP["base_url"],
    "company_db": "SBO_NORDIC",
    "token_url": "https://login.example.com/oauth/token",
    "client_id": "ledgerbridge",
    "client_secret": "canary-sap-oauth-secret",
}
BASWARE = {
    "base_url": "https://api.basware.example.com",
    "client_id": "nordic-client",
    "client_secret": BASWARE_SECRET,
    "company_code": "1000",
}


class OrganizationFactory(DjangoModelFactory):
    class Meta:
        model = Organization

    name = factory.Sequence(lambda n: f"Company {n}")
    slug = factory.Sequence(lambda n: f"company-{n}")


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@example.com")
    password = factory.django.Password(PASSWORD)


class MembershipFactory(DjangoModelFactory):
    class Meta:
        model = Membership

    organization = factory.SubFactory(OrganizationFactory)
    user = factory.SubFactory(UserFactory)
    role = "viewer"


class IntegrationFactory(DjangoModelFactory):
    class Meta:
        model = Integration

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda n: f"Integration {n}")


class WebhookSecretFactory(DjangoModelFactory):
    class Meta:
        model = WebhookSecret

    integration = factory.SubFactory(IntegrationFactory)
    secret = {"value": "s3cr3t-Nordic-åäö-0001"}


class RunFactory(DjangoModelFactory):
    class Meta:
        model = Run

    integration = factory.SubFactory(IntegrationFactory)
    flow = "vendors"


class PlanFactory(DjangoModelFactory):
    """The plan of a dry run, as fresh as can be."""

    class Meta:
        model = Plan

    run = factory.SubFactory(RunFactory, mode="dry_run", status="succeeded")
    integration = factory.SelfAttribute("run.integration")
    mapping_version = 0
    connections = factory.LazyAttribute(lambda plan: connections_of(plan.integration))


class PlanItemFactory(DjangoModelFactory):
    class Meta:
        model = PlanItem

    plan = factory.SubFactory(PlanFactory)
    integration = factory.SelfAttribute("plan.integration")
    key = factory.Sequence(lambda number: f"I{number:05}")
    title = factory.LazyAttribute(lambda item: f"{item.key} Nordic Paper Oy")
    action = "create"


class RecordFactory(DjangoModelFactory):
    class Meta:
        model = Record

    integration = factory.SubFactory(IntegrationFactory)
    flow = "vendors"
    key = factory.Sequence(lambda n: f"V{n:05}")
    title = factory.LazyAttribute(lambda record: f"{record.key} Nordic Paper Oy")


class FailedRecordFactory(RecordFactory):
    status = "failed"
    error_code = "mapping"
    error_message = "name is required, but CardName has no value"
    error_hint = "Fill the field in SAP."
    failed_for = "mapping"
    failed_at = NOON


class CallFactory(DjangoModelFactory):
    class Meta:
        model = Call

    integration = factory.SubFactory(IntegrationFactory)
    system = "basware"
    method = "POST"
    url = "https://api.basware.example.com/v1/vendors"
    status = 200
    outcome = "ok"
    started_at = NOON
    duration_ms = 12


class AttemptFactory(DjangoModelFactory):
    class Meta:
        model = Attempt

    integration = factory.SubFactory(IntegrationFactory)
    flow = "vendors"
    kind = "vendors"
    key = factory.Sequence(lambda n: f"attempt-{n}")
    started_at = NOON


class AuditEventFactory(DjangoModelFactory):
    class Meta:
        model = AuditEvent

    organization = factory.SubFactory(OrganizationFactory)
    actor = "system"
    action = "record.replayed"
    created_at = NOON


class HookFactory(DjangoModelFactory):
    class Meta:
        model = Hook

    organization = factory.SubFactory(OrganizationFactory)
    name = "Group reporting"
    url = "https://tools.example.com/***"
    events = ["run.finished"]
    secret = factory.LazyFunction(lambda: {"url": "https://tools.example.com/in", "value": new_secret()})


class HookDeliveryFactory(DjangoModelFactory):
    """One that was taken."""

    class Meta:
        model = HookDelivery

    hook = factory.SubFactory(HookFactory)
    organization = factory.SelfAttribute("hook.organization")
    event = "run.finished"
    message_id = factory.Sequence(lambda n: f"msg_{n}")
    body = '{"type":"run.finished"}'
    state = "sent"
    attempts = 1
    status = 204
    next_attempt_at = NOON
    created_at = NOON
    sent_at = NOON


class NotificationFactory(DjangoModelFactory):
    """One that has been dealt with."""

    class Meta:
        model = InboxNotification

    integration = factory.SubFactory(IntegrationFactory)
    task_id = factory.Sequence(lambda n: f"task-{n}")
    task_type = "AccountingDocuments"
    task_sub_type = "WaitingForTransfer"
    document_id = factory.Sequence(lambda n: f"{n:032x}")
    body = "{}"
    received_at = NOON
    next_attempt_at = NOON
    processed_at = NOON
    result = "taken up"


def member(organization: Organization, role: str, **person: Any) -> User:
    """A person who belongs to the organization."""
    person.setdefault("email", f"{role}@{organization.slug}.example.com")
    user: User = MembershipFactory(organization=organization, role=role, user=UserFactory(**person)).user
    return user


def api_key(organization: Organization, role: str, **fields: Any) -> str:
    """The text of a new key."""
    return ApiKey.issue(organization, f"{role} key", role, **fields)[1]


def connection(integration: Integration, system: str, **fields: Any) -> Connection:
    """A stored connection; every other field goes into its settings."""
    given = {**(SAP if system == "sap_b1" else BASWARE), **fields}
    secret = "password" if system == "sap_b1" else "client_secret"
    secrets = {secret: given.pop(secret)}
    changed = {secret: NOON.isoformat()}
    return Connection.objects.create(
        integration=integration, system=system, settings=given, secrets=secrets, secrets_changed_at=changed
    )


def connect(integration: Integration) -> None:
    """Both connections."""
    connection(integration, "sap_b1")
    connection(integration, "basware")


def invoice(integration: Integration, **fields: Any) -> Record:
    """An invoice record with an amount."""
    given = {"flow": "invoices", "amount": Decimal("1240.5"), "currency": "EUR", **fields}
    record: Record = RecordFactory(integration=integration, **given)
    return record


def sent_in_batch(record: Record, **call: Any) -> Call:
    """A call of a batch that the record was part of."""
    attempt = AttemptFactory(integration=record.integration, flow=record.flow)
    AttemptItem.objects.create(attempt=attempt, record=record, fingerprint="f" * 64)
    made: Call = CallFactory(integration=record.integration, attempt=attempt, **call)
    return made


def second_factor(user: User, kind: str = "totp") -> Authenticator:
    """What guards that person's log-in beside the password."""
    return Authenticator.objects.create(user=user, type=kind, data={"secret": encrypt("JBSWY3DPEHPK3PXP")})
