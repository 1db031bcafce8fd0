"""What pings found before: bounded, compared, and told as what changed."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest

from syncengine.connectors.checks import Check
from syncengine.engine.ping_history import KEPT, differences, entry_of, keep, latencies
from syncengine.models import Ping
from tenants.models import Connection

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
REACH = Check("reach", True, 5, "It answers.")
VERSION = Check("version", True, 7, "SAP 10.00.240", fact="10.00.240")
DRAFTS = Check("read:Drafts", True, 9, "Drafts can be read.")
FAILED = replace(DRAFTS, ok=False, detail="User x may not read Drafts.", code="not_permitted")


def changed(before, now):
    return [tuple(asdict(change).values()) for change in differences(map(asdict, before), map(asdict, now))]


# --- comparing


def test_nothing_changes_where_nothing_changed():
    later = [replace(check, latency_ms=900, detail="other words") for check in (REACH, VERSION)]
    assert changed([REACH, VERSION], later) == []


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (DRAFTS, FAILED, ("read:Drafts", "ok", FAILED.detail, True)),
        (FAILED, DRAFTS, ("read:Drafts", FAILED.detail, "ok", False)),
        (VERSION, replace(VERSION, fact="10.00.280"), ("version", "10.00.240", "10.00.280", None)),
        (REACH, replace(REACH, warning=True, detail="Soon over."), ("reach", "ok", "Soon over.", True)),
        (FAILED, replace(FAILED, code="throttled", detail="Wait."), ("read:Drafts", FAILED.detail, "Wait.", None)),
    ],
)
def test_each_kind_of_change_is_told(before, now, expected):
    assert changed([before], [now]) == [expected]


def test_a_check_that_was_not_made_both_times_says_nothing():
    assert changed([REACH, DRAFTS], [REACH, VERSION]) == []


def test_only_what_got_better_is_no_drift():
    assert not differences([asdict(FAILED)], [asdict(DRAFTS)])[0].is_drift
    assert differences([asdict(VERSION)], [asdict(replace(VERSION, fact="2"))])[0].is_drift


# --- keeping


@pytest.fixture
def keeps(connected):
    def keep_one(*checks, at=NOON, system="sap_b1"):
        return keep(connected, entry_of(system, checks or (REACH,)), "person", at)

    return keep_one


@pytest.mark.django_db
def test_the_first_ping_has_nothing_to_be_compared_with(keeps, connected):
    assert keeps(REACH) == []
    stored = Connection.objects.get(integration=connected, system="sap_b1")
    assert stored.last_ping["changes"] == []
    assert "changed_since" not in stored.last_ping
    assert stored.last_ping_at == NOON


@pytest.mark.django_db
def test_changes_are_kept_with_the_connection_and_in_the_history(keeps, connected):
    keeps(VERSION, DRAFTS)
    found = keeps(replace(VERSION, fact="10.00.280"), FAILED, at=NOON + timedelta(days=1))
    assert [change.name for change in found] == ["version", "read:Drafts"]
    stored = Connection.objects.get(integration=connected, system="sap_b1").last_ping
    assert stored["changed_since"] == NOON.isoformat()
    newest = Ping.objects.order_by("-at")[0]
    assert newest.changes == stored["changes"]
    assert (newest.ok, newest.failed, newest.warnings, newest.latency_ms) == (False, 1, 0, 16)


@pytest.mark.django_db
def test_a_connection_that_was_changed_is_not_compared_with_what_it_was(keeps, connected):
    keeps(DRAFTS)
    Connection.objects.filter(integration=connected).update(last_ping=None)
    assert keeps(FAILED, at=NOON + timedelta(hours=1)) == []


@pytest.mark.django_db
def test_a_system_that_is_not_connected_has_no_history(integration):
    assert keep(integration, entry_of("sap_b1", (REACH,)), "person", NOON) == []
    assert not Ping.objects.exists()


@pytest.mark.django_db
def test_the_last_sixty_are_kept_and_one_a_day_besides(keeps):
    for hour in range(4 * 24):
        keeps(at=NOON + timedelta(hours=hour))
    kept = list(Ping.objects.order_by("at").values_list("at", "keeps_day"))
    newest = kept[-KEPT:]
    assert [at for at, _ in newest] == [NOON + timedelta(hours=hour) for hour in range(4 * 24 - KEPT, 4 * 24)]
    assert all(first_of_day for _, first_of_day in kept[:-KEPT])
    assert len(kept) == KEPT + 2


@pytest.mark.django_db
def test_after_a_year_even_the_day_is_forgotten(keeps):
    keeps(at=NOON - timedelta(days=366))
    keeps(at=NOON)
    assert list(Ping.objects.values_list("at", flat=True)) == [NOON]


@pytest.mark.django_db
def test_both_systems_have_histories_of_their_own(keeps, connected):
    keeps(REACH)
    keeps(REACH, VERSION, system="basware", at=NOON + timedelta(hours=1))
    assert latencies(connected, "sap_b1") == [(NOON, 5, True)]
    assert latencies(connected, "basware") == [(NOON + timedelta(hours=1), 12, True)]
