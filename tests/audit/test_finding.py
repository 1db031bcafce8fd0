"""What is said beside a filter of the trail never changes what fits, and names what an index can answer."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from syncengine.audit.finding import MARGIN, narrowed
from syncengine.audit.sealing import LATE_COMMITS
from syncengine.models import AuditEvent
from tenants.models import Organization
from tests import factories
from tests.postgres import create_database, moved_to, postgres_url

__all__ = ["postgres_url"]

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = 24 * 30


@pytest.fixture
def trail(organization: Organization, elsewhere: Organization) -> Organization:
    """A month: an event of somebody each few hours, committed as late as may be, in turns with other organizations."""
    filled(organization, elsewhere)
    return organization


def filled(organization: Organization, elsewhere: Organization) -> None:
    chance = random.Random(3)
    late = int(LATE_COMMITS.total_seconds())
    events = []
    for hour in range(0, HOURS, 3):
        for whose in (organization, elsewhere, organization):
            at = BEGAN + timedelta(hours=hour, seconds=chance.randrange(late))
            actor = chance.choice(["system", "system", "Anna@example.com"])
            action = chance.choice(["record.received", "record.done", "run.requested", "mapping.saved"])
            events.append(AuditEvent(organization=whose, actor=actor, action=action, created_at=at))
    AuditEvent.objects.bulk_create(events)


def assert_same(organization: Organization) -> None:
    """For many pairs of times."""
    events = AuditEvent.objects.of(organization)
    chance = random.Random(4)
    for _ in range(40):
        after, before = sorted(BEGAN + timedelta(hours=chance.uniform(-50, HOURS + 50)) for _ in range(2))
        fitting = events.filter(created_at__gte=after, created_at__lt=before)
        found = narrowed(fitting, organization, after=after, before=before)
        assert set(found) == set(fitting)


def test_times_are_found_among_ids(trail):
    assert_same(trail)


def test_times_are_found_among_ids_on_postgresql(postgres_url, django_db_blocker):
    with django_db_blocker.unblock(), moved_to(create_database(postgres_url, "finding")):
        ours, theirs = factories.OrganizationFactory(), factories.OrganizationFactory()
        filled(ours, theirs)
        assert_same(ours)


def test_little_more_than_the_time_asked_for_is_read(trail):
    events = AuditEvent.objects.of(trail)
    after, before = BEGAN + timedelta(days=10), BEGAN + timedelta(days=11)
    read = narrowed(events, trail, after=after, before=before)
    assert {event.created_at for event in read} >= {
        event.created_at for event in events.filter(created_at__range=(after, before))
    }
    around = MARGIN + LATE_COMMITS + timedelta(hours=3)
    assert all(after - around < event.created_at < before + around for event in read)


def test_a_time_before_all_and_one_after_all_find_nothing(trail):
    events = AuditEvent.objects.of(trail)
    assert not narrowed(events, trail, before=BEGAN - timedelta(days=300))
    assert not narrowed(events, trail, after=BEGAN + timedelta(days=300))


def test_an_organization_without_events_is_none(db):
    empty = factories.OrganizationFactory()
    assert not narrowed(AuditEvent.objects.of(empty), empty, after=BEGAN, before=BEGAN + timedelta(days=1))


@pytest.mark.parametrize("year", [1, 9999])
def test_a_time_out_of_this_world_narrows_nothing(trail, year):
    events = AuditEvent.objects.of(trail)
    at = datetime(year, 6, 1, tzinfo=UTC)
    assert narrowed(events, trail, after=at, before=at).count() == events.count()


@pytest.mark.parametrize("actor", ["system", "SYS", "anna", "Anna@example.com", "m", "nobody", ""])
def test_an_actor_or_a_piece_of_one(trail, actor):
    fitting = AuditEvent.objects.of(trail).filter(actor__icontains=actor)
    assert set(narrowed(fitting, trail, actor=actor)) == set(fitting)


@pytest.mark.parametrize("action", ["record.", "record.done", "run", "mapping.saved", "r", "never", ""])
def test_an_action_or_the_beginning_of_one(trail, action):
    fitting = AuditEvent.objects.of(trail).filter(action__startswith=action)
    assert set(narrowed(fitting, trail, action=action)) == set(fitting)


@pytest.fixture
def plans(postgres_url: str, django_db_blocker) -> Iterator[Organization]:
    with django_db_blocker.unblock(), moved_to(create_database(postgres_url, "finding_plans")):
        organization = factories.OrganizationFactory()
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO syncengine_audit_event (organization_id, actor, action, message, data, created_at) "
                f"SELECT {organization.pk}, 'system', 'record.done', '', '{{}}', now() FROM generate_series(1, 20000)"
            )
            cursor.execute("VACUUM ANALYZE syncengine_audit_event")
        yield organization


def test_what_is_rare_is_found_by_a_small_index(plans):
    events = AuditEvent.objects.of(plans).order_by("-pk")
    by_person = narrowed(events.filter(actor__icontains="anna"), plans, actor="anna")[:50]
    by_action = narrowed(events.filter(action__startswith="mapping"), plans, action="mapping")[:50]
    assert "audit_of_people" in by_person.explain()
    assert "audit_not_routine" in by_action.explain()
