"""Snoozed until a posting period opens: SAP is asked, and once it is open everything goes again by itself."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone

from syncengine.connectors.outcomes import Unavailable
from syncengine.engine import due, locks
from syncengine.engine.work import Deadline
from syncengine.models import AuditEvent, Record, Repair, RepairEntry
from syncengine.posting.findings import Period
from syncengine.posting.lookups import SapFacts
from syncengine.repairs import waiting
from tests import factories

DAY = date(2026, 10, 31)
LOCKED = f"problems: The posting period of {DAY} is locked in SAP."


@pytest.fixture
def snoozed(world):
    """Two invoices whose period is locked, snoozed for a week."""
    for _ in range(2):
        factories.invoice(world.integration, status="failed", cause=LOCKED, failed_for=LOCKED, stage="received")
    until = timezone.now() + timedelta(days=7)
    return Repair.objects.create(integration=world.integration, flow="invoices", cause=LOCKED, snoozed_until=until)


@pytest.fixture
def period(monkeypatch):
    """What SAP says of the period from now on."""

    def says(answer):
        def period(_facts, on):
            assert on == DAY
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(SapFacts, "period", period)

    return says


def failed():
    return Record.objects.filter(status="failed", failed_for=LOCKED).count()


def test_nothing_goes_while_the_period_is_locked(snoozed, period):
    period(Period(known=True, is_open=False))
    assert not waiting.look_due(Deadline(1))
    assert failed() == 2


def test_all_go_again_once_the_period_is_open(snoozed, period):
    period(Period(known=True, is_open=True))
    assert waiting.look_due(Deadline(1))
    assert failed() == 0
    snoozed.refresh_from_db()
    assert (snoozed.snoozed_until, snoozed.acted_by, snoozed.acted_on) == (None, "system", 2)
    act = AuditEvent.objects.get(action="records.replayed")
    assert (act.actor, act.message) == ("system", waiting.REASON)


def test_a_real_period_is_read_from_sap(world, snoozed):
    today = timezone.now().date()
    cause = f"problems: The posting period of {today} is locked in SAP."
    Record.objects.update(failed_for=cause)
    Repair.objects.update(cause=cause)
    assert waiting.look(world.integration, [Repair.objects.get()]) == 2


def test_a_system_that_is_away_is_asked_another_time(snoozed, period):
    period(Unavailable("SAP does not answer.", code="connect_timeout"))
    assert not waiting.look_due(Deadline(1))
    assert failed() == 2


def test_without_a_connection_nothing_happens(db):
    integration = factories.IntegrationFactory()
    repair = Repair(integration=integration, flow="invoices", cause=LOCKED)
    assert waiting.look(integration, [repair]) == 0


def test_only_what_is_snoozed_is_asked_for_and_not_too_often(snoozed, period):
    period(AssertionError("SAP was asked"))
    Repair.objects.update(snoozed_until=None)
    assert not waiting.look_due(Deadline(1))
    assert not locks.taken_for(waiting.LOOK, seconds=1)
    assert waiting.look_due in due.UNITS


def test_a_cause_whose_records_are_gone_is_left_alone(world, snoozed, period):
    period(Period(known=True, is_open=True))
    Record.objects.all().delete()
    assert waiting.look(world.integration, [snoozed]) == 0
    assert not RepairEntry.objects.exists()
