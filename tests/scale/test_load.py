"""The load that capacity is tried with: what the command makes, small, and when it refuses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from syncengine.audit.verification import BadPlace, verify
from syncengine.engine.statistics import attention, statistics_of
from syncengine.models import Attempt, AuditEvent, AuditSeal, Call, PostedDocument, Record, Run
from syncengine.repairs import groups
from tenants.models import Integration, Membership, Organization
from tests.postgres import create_database, moved_to, postgres_url

__all__ = ["postgres_url"]

SIZE = {"records": 2000, "organizations": 2, "events_per_record": 4}


@pytest.fixture(scope="module")
def largest(postgres_url: str, django_db_blocker) -> Iterator[Integration]:
    with django_db_blocker.unblock(), moved_to(create_database(postgres_url, "load")):
        call_command("generate_load", into_this_database=True, **SIZE)
        yield Integration.objects.order_by("pk")[0]


def test_there_is_as_much_as_was_asked_for(largest):
    assert Record.objects.count() == 2000
    assert AuditEvent.objects.filter(action__startswith="record.").count() == 8000
    assert Organization.objects.count() == 2
    assert Integration.objects.count() == 4


def test_the_first_integration_has_most_of_it(largest):
    assert Record.objects.filter(integration=largest).count() == 1600
    assert Record.objects.filter(integration=largest, flow="invoices").count() == 200


def test_a_quarter_of_the_largest_has_failed_for_many_causes(largest):
    failed = Record.objects.filter(integration=largest, status="failed")
    assert 350 < failed.count() < 450
    assert len(groups.of_integration(largest)) > 50
    assert attention(largest, 8)


def test_every_row_is_one_that_the_product_could_have_written(largest):
    for model in (Record, Run, Attempt, Call, PostedDocument):
        for row in model.objects.filter(integration=largest).order_by("-pk")[:30]:
            headers = ["request_headers", "response_headers"]  # there may be none
            row.full_clean(exclude=headers, validate_unique=False, validate_constraints=False)


def test_rows_name_one_another(largest):
    invoice = Record.objects.filter(integration=largest, flow="invoices", status="done").order_by("-pk")[0]
    assert invoice.posted_documents.get().num_at_card == invoice.reference
    assert Counter(invoice.calls.values_list("method", flat=True)) == {"GET": 2, "POST": 1}
    assert invoice.attempt_rows.get().calls.get().method == "POST"
    assert invoice.events.order_by("pk").last().action == "record.done"
    assert invoice.run.integration_id == largest.pk


def test_the_figures_of_the_dashboard_are_counted(largest):
    found = statistics_of(largest, timezone.localdate())
    assert found.counted_at
    assert sum(stage.count for stage in found.stages) > 150
    assert sum(day.done for day in found.days) > 50


def test_the_owner_sees_every_organization(largest):
    assert Membership.objects.filter(user__email="load@example.com", role="owner").count() == 2


def test_the_trail_says_that_nobody_wrote_it(largest):
    assert AuditSeal.objects.exists()
    with pytest.raises(BadPlace):
        verify(largest.organization_id)


def test_new_rows_go_on_behind_the_load(largest):
    run = Run.objects.create(integration=largest, flow="vendors", status="succeeded")
    assert run.pk > Run.objects.filter(integration=largest).exclude(pk=run.pk).latest("pk").pk


@pytest.mark.django_db
def test_it_is_refused_where_nobody_has_said_yes():
    with override_settings(DEBUG=False), pytest.raises(CommandError, match=r"own|PostgreSQL"):
        call_command("generate_load", **SIZE)
    assert not Record.objects.exists()


def test_a_database_with_organizations_is_left_alone(largest):
    with pytest.raises(CommandError, match="of its own"):
        call_command("generate_load", into_this_database=True, **SIZE)


def test_integrations_take_turns(largest):
    newest = Record.objects.order_by("-pk").values_list("integration", flat=True)[:100]
    assert len(set(newest)) == 4
    assert list(newest).count(largest.pk) == 80


@pytest.mark.django_db
def test_it_is_refused_on_another_database():
    if connection.vendor != "postgresql":
        with pytest.raises(CommandError, match="PostgreSQL"):
            call_command("generate_load", into_this_database=True, **SIZE)
