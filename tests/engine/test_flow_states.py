"""Flow settings: schedules in the organization's time zone, defaults, what resend may change."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine

from syncengine.engine.flow_states import apply, check, next_time, states, with_defaults
from syncengine.flows import registry
from syncengine.models import AuditEvent, FlowState
from tenants.errors import Refused

HELSINKI = ZoneInfo("Europe/Helsinki")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "after", "due"),
    [
        ("*/15 * * * *", "2026-05-04T12:07:00", "2026-05-04T12:15:00"),
        ("*/15 * * * *", "2026-05-04T12:15:00", "2026-05-04T12:30:00"),
        ("0 3 * * *", "2026-05-04T12:00:00", "2026-05-05T00:00:00"),  # 03:00 in summer is 00:00 UTC
        ("0 3 * * *", "2026-01-04T12:00:00", "2026-01-05T01:00:00"),  # and in winter 01:00 UTC
        ("30 3 29 3 *", "2026-03-28T12:00:00", "2026-03-29T01:00:00"),  # skipped by the clock: as soon as it exists
        (None, "2026-05-04T12:00:00", None),
    ],
)
def test_a_schedule_is_due_by_the_clock_on_the_organization_s_wall(cron, after, due):
    assert next_time(cron, HELSINKI, at(after)) == (at(due) if due else None)


def test_missing_rows_are_made_with_their_defaults_in_the_order_of_dependencies(integration):
    FlowState.objects.create(integration=integration, flow="vendors", enabled=False)
    found = states(integration)
    assert list(found) == list(registry.flows())
    assert found["vendors"].enabled is False
    assert found["projects"].resend_field == "description"
    assert found["projects"].schedule is None
    assert FlowState.objects.count() == len(registry.flows())
    assert states(integration) == found


def test_defaults_are_shown_without_writing_anything(integration):
    assert list(with_defaults(integration, [])) == list(registry.flows())
    assert not FlowState.objects.exists()


@time_machine.travel(at("2026-05-04T12:00:00"), tick=False)
def test_a_schedule_is_stored_with_its_next_time(integration):
    integration.organization.time_zone = "Europe/Helsinki"
    apply(integration, {"vendors": {"schedule": "0 * * * *", "full_schedule": "0 3 * * *"}}, "admin@example.com")
    state = FlowState.objects.get(flow="vendors")
    assert state.next_due_at == at("2026-05-04T13:00:00")
    assert state.next_full_due_at == at("2026-05-05T00:00:00")
    apply(integration, {"vendors": {"enabled": False}}, "admin@example.com")
    state.refresh_from_db()
    assert (state.next_due_at, state.next_full_due_at, state.schedule) == (None, None, "0 * * * *")
    apply(integration, {"vendors": {"enabled": True, "full_schedule": None}}, "admin@example.com")
    state.refresh_from_db()
    assert (state.next_due_at, state.next_full_due_at) == (at("2026-05-04T13:00:00"), None)


def test_each_changed_flow_has_its_event_and_what_stays_has_none(integration):
    apply(integration, {"vendors": {"enabled": False}, "projects": {"enabled": True}}, "admin@example.com")
    (event,) = AuditEvent.objects.all()
    assert (event.action, event.message, event.actor) == ("flow.changed", "vendors", "admin@example.com")
    assert event.data == {"before": {"enabled": True}, "after": {"enabled": False}}


def test_a_bad_patch_changes_nothing_at_all(integration):
    with pytest.raises(Refused):
        apply(integration, {"vendors": {"enabled": False}, "projects": {"schedule": "soon"}}, "admin@example.com")
    assert not FlowState.objects.filter(enabled=False).exists()


@pytest.mark.parametrize(
    "cron", ["", "soon", "* * * *", "* * * * * *", "61 * * * *", "0 0 30 2 *", "@daily", 5, True, "* " * 60]
)
def test_what_is_no_schedule_is_refused(cron):
    with pytest.raises(Refused) as refused:
        check({"vendors": {"schedule": cron}})
    assert refused.value.errors[0].field == "flows.vendors.schedule"


@pytest.mark.parametrize(
    ("flow", "field"),
    [
        ("gl_accounts", "text5"),
        ("gl_accounts", "text1"),
        ("cost_centers", "text10"),
        ("vendors", "description"),
        ("purchase_orders", "text10"),
        ("payment_terms", "paymentTermNames"),
        ("invoices", None),
        ("vendors", None),
    ],
)
def test_a_field_that_may_carry_the_mark_is_accepted(flow, field):
    check({flow: {"resend_field": field}})


@pytest.mark.parametrize(
    ("flow", "field"),
    [
        ("vendors", "name"),
        ("vendors", "companies"),
        ("vendors", "vendorCode"),
        ("vendors", "processingStatus.active"),
        ("gl_accounts", "nowhere"),
        ("gl_accounts", 5),
        ("payments", "responseMessage"),
    ],
)
def test_a_field_that_would_change_the_record_s_meaning_is_refused(flow, field):
    with pytest.raises(Refused):
        check({flow: {"resend_field": field}})


@pytest.mark.parametrize("flow", list(registry.flows()))
def test_every_flow_s_own_default_is_acceptable(flow):
    check({flow: {"resend_field": registry.get(flow).resend_field}})
