"""The nightly ping: once a night, by one worker, where calls are welcome; drift is told and refusals pause."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib import import_module
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps
from django.utils import timezone

from syncengine.connectors.checks import Check
from syncengine.engine import due
from syncengine.engine import ping as pings
from syncengine.engine.ping_schedule import at_work, is_due, next_night, plan, start_due
from syncengine.engine.work import Deadline
from syncengine.models import AuditEvent, Notice, Ping, PingPlan
from tenants.models import Connection, Integration
from tests.engine.world import in_threads

pytestmark = pytest.mark.django_db(transaction=True)
GOOD = Check("reach", True, 5, "It answers.", fact="one")
REFUSED = Check("login", False, 7, "The password was refused.", "Enter it again.", login_refused=True)


@pytest.fixture
def asked(monkeypatch):
    """Which systems were asked; `answer` is what they say."""

    class Asked(list):
        answer = (GOOD,)

    systems = Asked()

    def pretend(_integration, system, _calls):
        systems.append(system)
        return iter(systems.answer)

    monkeypatch.setattr(pings, "_checks", pretend)
    return systems


@pytest.fixture
def tonight(connected):
    """The connected integration, whose time has come."""
    plan(connected)
    PingPlan.objects.update(next_at=timezone.now() - timedelta(minutes=1))
    return connected


def night():
    PingPlan.objects.update(next_at=timezone.now() - timedelta(minutes=1))
    return start_due(Deadline(5))


def test_the_next_night_is_in_the_organizations_own_zone(connected):
    connected.organization.time_zone = "Europe/Helsinki"
    zone = ZoneInfo("Europe/Helsinki")
    for hour in range(24):
        now = datetime(2026, 5, 4, hour, 30, tzinfo=zone)
        at = next_night(connected, now).astimezone(zone)
        assert 2 <= at.hour < 5
        assert timedelta(hours=1) <= at - now <= timedelta(hours=25)


def test_a_saved_connection_is_looked_at_from_then_on(connected):
    plan(connected)
    plan(connected)
    assert PingPlan.objects.get(integration=connected).next_at > timezone.now()
    assert not is_due(timezone.now())


def test_who_was_connected_before_there_were_nightly_pings_is_looked_at_too(connected):
    migration = import_module("syncengine.migrations.0006_pings")
    migration.plan_connected(apps, None)
    found = PingPlan.objects.get(integration=connected)
    assert timezone.now() < found.next_at < timezone.now() + timedelta(days=2)


def test_both_systems_are_pinged_once_a_night(tonight, asked):
    assert is_due(timezone.now())
    assert due.anything_due(timezone.now())
    assert start_due(Deadline(5))
    assert sorted(asked) == ["basware", "sap_b1"]
    assert not start_due(Deadline(5))
    assert PingPlan.objects.get().next_at > timezone.now()
    assert set(Ping.objects.values_list("trigger", flat=True)) == {"nightly"}
    assert AuditEvent.objects.get(action="integration.pinged").actor == "system"


def test_of_many_workers_one_pings(tonight, asked):
    done = in_threads(*[lambda: start_due(Deadline(5))] * 4)
    assert sum(done) == 1
    assert len(asked) == 2


def test_a_worker_that_dies_over_it_leaves_it_for_the_next_night(tonight, monkeypatch):
    def dies(*_, **__):
        raise RuntimeError("gone")
        yield

    monkeypatch.setattr("syncengine.engine.ping_schedule.ping", dies)
    assert start_due(Deadline(5))
    assert not is_due(timezone.now())
    assert PingPlan.objects.get().lease_owner == ""


def test_a_lease_tells_the_supervisor_that_somebody_works(tonight, asked, monkeypatch):
    seen = []
    monkeypatch.setattr(pings, "_checks", lambda *_: seen.append(due.somebody_works(timezone.now())) or iter([GOOD]))
    start_due(Deadline(5))
    assert seen == [True, True]
    assert not at_work(due.Q(lease_expires_at__gt=timezone.now()))


@pytest.mark.parametrize(
    "held_back",
    [
        lambda: Integration.objects.update(paused_since=timezone.now(), paused_reason="refused"),
        lambda: Integration.objects.update(enabled=False),
        lambda: Connection.objects.update(retry_after=timezone.now() + timedelta(hours=1)),
        lambda: Connection.objects.filter(system="sap_b1").update(login_refused={"message": "m"}),
        lambda: Connection.objects.filter(system="basware").delete(),
    ],
    ids=["paused", "off", "patience", "refused", "half connected"],
)
def test_where_calls_are_held_back_nobody_asks(tonight, asked, held_back):
    held_back()
    assert start_due(Deadline(5))
    assert asked == []
    assert not is_due(timezone.now())


def test_a_refused_log_in_pauses_and_is_not_tried_the_next_night(tonight, asked):
    asked.answer = (GOOD, REFUSED)
    start_due(Deadline(5))
    tonight.refresh_from_db()
    assert tonight.paused
    assert "The password was refused." in tonight.paused_reason
    asked.clear()
    assert night()
    assert asked == []


def test_drift_is_an_event_that_names_what_changed(tonight, asked):
    night()
    assert not AuditEvent.objects.filter(action="integration.drifted").exists()
    asked.answer = (Check("reach", True, 5, "It answers.", fact="two"),)
    night()
    event = AuditEvent.objects.filter(action="integration.drifted").first()
    assert "reach" in event.message
    assert event.data["changes"] == [{"name": "reach", "was": "one", "now": "two", "worse": None}]


def test_what_got_better_is_no_drift(tonight, asked):
    asked.answer = (Check("reach", False, 5, "Gone."),)
    night()
    asked.answer = (GOOD,)
    night()
    assert not AuditEvent.objects.filter(action="integration.drifted").exists()


def test_a_certificate_that_ends_soon_is_a_notice_until_it_is_renewed(tonight, asked):
    asked.answer = (Check("tls", True, 5, "Certificate …", "Renew it.", warning=True, code="certificate_expires"),)
    night()
    assert Notice.objects.filter(kind="certificate", closed_at=None).count() == 2
    asked.answer = (Check("tls", True, 5, "Certificate …"),)
    night()
    assert not Notice.objects.filter(kind="certificate", closed_at=None).exists()
