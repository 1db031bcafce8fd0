"""Events are only ever added: the database refuses the rest, and nothing that is deleted takes its trail along."""

from __future__ import annotations

import importlib
import io
import threading

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, transaction
from django.db.utils import Error as DatabaseError

from syncengine.audit import record_event, record_events
from syncengine.audit.digests import COLUMNS
from syncengine.audit.guard import TRIGGERS, removal_allowed
from syncengine.audit.keys import AuditKeyMissing, audit_key
from syncengine.audit.verification import verify
from syncengine.models import AuditEvent, AuditKey, AuditSeal
from tests import factories
from tests.audit.trail import ANNA, anchor_file, blocks_of_four, ids, seal, trail, without_triggers, write

__all__ = ["anchor_file", "blocks_of_four", "trail"]

EVERYTHING = (
    "UPDATE syncengine_audit_event SET message = 'another'",
    "UPDATE syncengine_audit_event SET record_id = NULL",
    "DELETE FROM syncengine_audit_event",
    "UPDATE syncengine_auditseal SET head = 'another'",
    "DELETE FROM syncengine_auditseal",
)


def run(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def stored() -> list[object]:
    return [*AuditEvent.objects.order_by("pk").values(), *AuditSeal.objects.order_by("pk").values()]


@pytest.mark.parametrize("statement", EVERYTHING)
def test_the_database_refuses_to_change_the_trail(statement, trail):
    before = stored()
    with pytest.raises(DatabaseError, match="append-only"):
        run(statement)
    assert stored() == before


def test_the_database_refuses_to_empty_the_trail_at_once(trail):
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL has TRUNCATE")
    with pytest.raises(DatabaseError, match="append-only"):
        run("TRUNCATE syncengine_audit_event")


def test_models_cannot_change_an_event_either(trail):
    event = AuditEvent.objects.first()
    for deed in (event.delete, event.save, lambda: AuditEvent.objects.update(message="another")):
        with pytest.raises(DatabaseError), transaction.atomic():
            deed()
    assert verify().events == len(AuditEvent.objects.all())


def test_removal_lets_delete_through_and_nothing_else(trail):
    with pytest.raises(DatabaseError, match="append-only"), removal_allowed():
        run("UPDATE syncengine_audit_event SET message = 'another'")
    with removal_allowed():
        run("DELETE FROM syncengine_audit_event")
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("how", ["done", "broken off"])
def test_after_a_removal_the_trail_is_closed_again(how, trail):
    try:
        with removal_allowed():
            if how == "broken off":
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    with pytest.raises(DatabaseError, match="append-only"):
        run("DELETE FROM syncengine_audit_event")


def test_all_triggers_outlive_the_last_migration(db):
    names = {f"{table}_no_{operation.lower()}" for table, operation, _ in TRIGGERS}
    catalogue = (
        "SELECT tgname FROM pg_trigger" if connection.vendor == "postgresql" else "SELECT name FROM sqlite_master"
    )
    with connection.cursor() as cursor:
        cursor.execute(catalogue)
        assert names <= {row[0] for row in cursor.fetchall()}


def test_triggers_can_be_taken_back_with_their_migration(trail):
    with without_triggers():
        run(EVERYTHING[0])
    with pytest.raises(DatabaseError, match="append-only"):
        run(EVERYTHING[0])


@pytest.mark.parametrize("what", ["record", "run", "integration"])
def test_what_is_deleted_leaves_its_events_as_they_were(what, integration, anchor_file):
    record = factories.RecordFactory(integration=integration)
    given = {"integration": integration, "record": record, "run": factories.RunFactory(integration=integration)}
    event = record_event(integration.organization, ANNA, "record.replayed", **given)
    before = AuditEvent.objects.filter(pk=event.pk).values().get()
    given[what].delete()
    assert AuditEvent.objects.filter(pk=event.pk).values().get() == before
    assert verify().events == 1


def test_the_trail_outlives_its_organization(trail, elsewhere):
    pk, events = trail.pk, ids(trail)
    trail.delete()
    assert list(AuditEvent.objects.filter(organization_id=pk).order_by("pk").values_list("pk", flat=True)) == events
    assert verify().ends[pk] == (3, events[-2:])


def test_pages_show_events_of_what_is_gone(integration):
    record = factories.RecordFactory(integration=integration)
    record_event(integration.organization, ANNA, "record.replayed", integration=integration, record=record)
    integration.delete()
    event = AuditEvent.objects.select_related("record", "integration").get()
    assert (event.record, event.integration) == (None, None)


def test_a_digest_covers_every_column_but_itself():
    assert {*COLUMNS, "digest"} == {field.attname for field in AuditEvent._meta.concrete_fields}


def test_exactly_one_table_is_found_by_its_name(db):
    assert [name for name in connection.introspection.table_names() if "audit_event" in name] == [
        AuditEvent._meta.db_table
    ]


def test_many_events_are_one_insert(integration, django_assert_num_queries):
    records = [factories.RecordFactory(integration=integration) for _ in range(20)]
    audit_key()
    with django_assert_num_queries(3):  # who is to be told, their ids, and the insert
        record_events(integration, "record.confirmed", [(record, "taken over") for record in records])
    assert len({event.digest for event in AuditEvent.objects.all()}) == 20
    assert verify().events == 20


def test_no_events_are_no_query(integration, django_assert_num_queries):
    with django_assert_num_queries(0):
        record_events(integration, "record.confirmed", [])


def test_an_id_is_never_given_twice(organization):
    last = write(organization, 3)[-1].pk
    with removal_allowed():
        AuditEvent.objects.all().delete()
    assert write(organization, 1)[0].pk > last


@pytest.mark.django_db(transaction=True)
def test_writers_side_by_side_get_ids_of_their_own(organization, anchor_file):
    factories.IntegrationFactory(organization=organization)

    def writer() -> None:
        try:
            for _ in range(10):
                write(organization, 2)
        finally:
            connection.close()

    threads = [threading.Thread(target=writer) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(ids(organization)) == 60
    assert verify().events == 60


@pytest.mark.django_db(transaction=True)
def test_flush_empties_the_trail_and_begins_a_new_one(organization, anchor_file):
    write(organization, 2)
    seal()
    old = audit_key()
    call_command("flush", interactive=False, verbosity=0, stdout=io.StringIO())
    assert not AuditEvent.objects.exists()
    assert not AuditSeal.objects.exists()
    assert audit_key() != old
    with pytest.raises(DatabaseError, match="append-only"):
        write(factories.OrganizationFactory(), 1)[0].delete()


def test_events_from_before_there_were_digests_are_given_theirs(trail):
    with without_triggers():
        AuditEvent.objects.update(digest="")
        importlib.import_module("syncengine.migrations.0003_audit_triggers").digest_events(apps, None)
    assert verify().events == AuditEvent.objects.count()


def test_the_key_is_made_once_and_stored_unreadable(db):
    key = audit_key()
    importlib.import_module("syncengine.audit.keys").make_key()
    assert audit_key() == key
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM syncengine_auditkey")
        (token,) = cursor.fetchone()
    assert key.hex().encode() not in bytes(token)


def test_a_missing_key_is_named_instead_of_made_anew(organization):
    AuditKey.objects.all().delete()
    audit_key.cache_clear()
    try:
        with pytest.raises(AuditKeyMissing, match="restore it from a backup"):
            write(organization, 1)
    finally:
        audit_key.cache_clear()
