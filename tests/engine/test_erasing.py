"""What is deleted is gone for everybody at once; its rows go in steps, whoever dies on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from syncengine.audit import record_event
from syncengine.audit.verification import verify
from syncengine.engine import due, erasing, integrations, locks
from syncengine.engine.work import Deadline
from syncengine.models import AuditEvent, AuditSeal, Call, Notice, PostedDocument, Record, Run
from tenants.errors import Refused
from tenants.models import Connection, Integration, Organization, User
from tenants.models.scoped import ScopedModel
from tests import factories
from tests.security.world import one_of_everything

MANY = 12_000


def erase_all() -> int:
    """As the workers do, over and over; how often."""
    turns = 0
    while erasing.erase_due(Deadline(60)):
        turns += 1
        assert turns < 1_000
    return turns


@pytest.fixture
def theirs(db: None) -> Organization:
    """Another organization with one of everything, of which nothing may go."""
    organization = factories.OrganizationFactory(name="Elsewhere", slug="elsewhere")
    one_of_everything(organization)
    return organization


@pytest.fixture
def ours(db: None) -> Organization:
    organization = factories.OrganizationFactory(name="Nordic Paper", slug="nordic-paper")
    one_of_everything(organization)
    record_event(organization, "anna@example.com", "organization.changed", "x")
    return organization


def counted() -> dict[str, int]:
    """The rows of every table that belongs to organizations."""
    return {model._meta.label: model._base_manager.count() for model, _ in erasing.tables()}


def test_every_table_of_an_organization_is_erased_and_the_audit_trail_is_not(db):
    erased = [model for model, _ in erasing.tables()]
    scoped = {model for model in apps.get_models() if issubclass(model, ScopedModel)}
    assert scoped - set(erased) == {AuditEvent, AuditSeal}
    assert erased[-1] is Organization
    assert erased.index(PostedDocument) < erased.index(Record) < erased.index(Integration)
    assert User not in erased


def test_a_deleted_organization_leaves_nothing_but_its_trail_and_its_people(theirs):
    before = counted()
    ours = factories.OrganizationFactory(slug="nordic-paper")
    one_of_everything(ours)
    events = AuditEvent.objects.of(ours).count()
    people = User.objects.count()
    erasing.delete_organization(ours)
    erase_all()
    assert counted() == before
    assert AuditEvent.objects.filter(organization_id=ours.pk).count() == events > 0
    assert User.objects.count() == people
    assert verify(ours.pk) is not None


def test_its_secrets_keys_and_people_are_gone_before_any_row_is_erased(ours):
    erasing.delete_organization(ours)
    ours.refresh_from_db()
    assert ours.deleted_at is not None
    assert ours.slug.startswith("deleted-")
    assert not ours.memberships.exists()
    for model in (*erasing.DOORS, *erasing.SECRETS):
        assert not model._default_manager.exists(), model
    left = Integration.objects.get()
    assert (left.enabled, left.paused) == (False, True)
    assert Record.objects.exists()


def test_a_removed_integration_is_out_of_reach_at_once_and_its_name_is_free(ours):
    integration, run = Integration.objects.get(), Run.objects.get()
    Run.objects.filter(pk=run.pk).update(status="running")
    address = integration.webhook_id
    integrations.remove(integration, "anna@example.com")
    for model in (Integration, Record, Run, Call, Notice):
        assert not model.objects.of(ours).exists(), model
    assert not Connection.objects.exists()
    assert not Integration.objects.filter(webhook_id=address).exists()
    assert Run.objects.get().cancel_requested
    assert integrations.create(ours, "anna@example.com", {"name": integration.name}).pk != integration.pk
    Run.objects.update(status="cancelled")
    erase_all()
    assert Integration.objects.count() == Organization.objects.count() == 1
    assert not Record.objects.exists()


def test_one_that_has_posted_stays_as_it_is(ours):
    record = Record.objects.get()
    PostedDocument.objects.create(integration=record.integration, record=record, doc_entry=1, doc_num=1)
    with pytest.raises(integrations.HasDocuments):
        integrations.remove(record.integration, "anna@example.com")
    assert Record.objects.of(ours).exists()
    erasing.delete_organization(ours)
    erase_all()
    assert not PostedDocument.objects.exists()


def test_what_a_worker_still_holds_is_waited_for(ours):
    now = timezone.now()
    Record.objects.update(lease_owner="another", lease_expires_at=now + timedelta(seconds=30))
    erasing.delete_organization(ours)
    assert not erasing.is_due(now)
    assert not erasing.erase_due(Deadline(60))
    assert erasing.is_due(now + timedelta(seconds=31))


def test_only_one_worker_erases_at_a_time_and_another_goes_on_with_other_work(ours):
    erasing.delete_organization(ours)
    with locks.held("erasing", seconds=60, wait=0):
        assert not erasing.erase_due(Deadline(60))
    assert erasing.erase_due(Deadline(60))


def test_a_worker_that_is_idle_is_woken_for_it(ours, monkeypatch):
    monkeypatch.setattr(due, "UNITS", (erasing.erase_due,))
    monkeypatch.setattr(due, "next_due", lambda now: None)
    for unit in (due.sweep, due.audit, due.ping_schedule, due.watching, due.statistics):
        monkeypatch.setattr(unit, "is_due", lambda now: False)
    assert not due.anything_due(timezone.now())
    erasing.delete_organization(ours)
    assert due.anything_due(timezone.now())
    due.work_off(Deadline(60))
    assert not Organization.objects.exists()
    assert not due.anything_due(timezone.now())


@pytest.fixture
def large(ours: Organization) -> Organization:
    """Some ten thousand records with as many calls: far more than one step takes."""
    integration, run = Integration.objects.get(), Run.objects.get()
    rows = [Record(integration=integration, run=run, flow="vendors", key=f"V{number}") for number in range(MANY)]
    records = Record.objects.bulk_create(rows, batch_size=1_000)
    call: Any = Call.objects.filter(record__isnull=False).first()
    copies = [Call(**{**_values(call), "record_id": record.pk}) for record in records]
    Call.objects.bulk_create(copies, batch_size=1_000)
    return ours


def _values(row: Any) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if field.name != "id"}


def test_a_large_one_goes_in_bounded_steps_and_a_crash_costs_nothing(large, theirs, monkeypatch):
    before = Record.objects.of(theirs).count()
    with CaptureQueriesContext(connection) as asked:
        erasing.delete_organization(large)
    assert len(asked) < 80  # whatever it holds, the answer does not wait for it
    steps = erasing._steps

    def dies(organization: Organization) -> Any:
        for number, size in enumerate(steps(organization)):
            assert size <= erasing.STEP
            yield size
            if number == 4:
                raise DatabaseError("the connection is lost")

    monkeypatch.setattr(erasing, "_steps", dies)
    with pytest.raises(DatabaseError):
        erasing.erase_due(Deadline(60))
    assert 0 < Call.objects.filter(integration__organization=large).count() < MANY
    monkeypatch.setattr(erasing, "_steps", steps)
    assert erase_all() > 2
    assert not Organization.objects.filter(pk=large.pk).exists()
    assert Record.objects.count() == Record.objects.of(theirs).count() == before


@pytest.mark.parametrize("place", ["", "members/", "integrations/{}/records/", "api/v1/integrations/"])
def test_its_pages_and_its_api_are_404_for_whoever_deleted_it(ours, client, place):
    owner = factories.member(ours, "owner")
    client.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    path = f"/o/nordic-paper/{place.format(Integration.objects.get().pk)}"
    assert client.get(path).status_code in {200, 302}
    Run.objects.update(status="succeeded")
    sent = {"typed_name": "Nordic Paper", "despite_open_invoices": "on"}
    answer = client.post("/o/nordic-paper/organization/delete/", sent)
    assert answer["Location"] == "/"
    ours.refresh_from_db()
    for slug in ("nordic-paper", ours.slug):
        assert client.get(path.replace("nordic-paper", slug)).status_code == 404
    assert "/o/" not in client.get("/organizations/").content.decode()


def test_a_key_of_it_opens_nothing(ours, client):
    key = {"Authorization": f"Api-Key {factories.api_key(ours, 'admin')}"}
    erasing.delete_organization(ours)
    assert client.get("/api/v1/integrations/", headers=key).status_code == 401


def test_a_deletion_that_is_refused_changes_nothing(ours):
    with pytest.raises(Refused):
        raise_in_deletion(ours)
    assert Organization.objects.get().deleted_at is None


def raise_in_deletion(organization: Organization) -> None:
    from portal import organizations
    from tenants.scoping import access_of_member

    owner = factories.member(organization, "owner")
    organizations.delete(access_of_member(owner, organization.slug), "another name", despite_open_invoices=True)
