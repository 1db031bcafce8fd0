"""Windows open and close without an update stamp: the next incremental run sends what they change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from syncengine.engine import master_data
from syncengine.models import FlowState, Record


@pytest.fixture
def today():
    return datetime.now(UTC)


@pytest.fixture
def vendors(world, today):
    """Three suppliers in SAP, all sent; the first is valid until today, the second from the day after tomorrow."""
    partners = world.sandboxes.sap.company.collection("BusinessPartners")
    suppliers = [key for key, row in partners.items() if row["CardType"] == "cSupplier"][:3]
    for key in set(partners.keys()) - set(suppliers):
        partners.delete(key)
    windows = [{"ValidTo": day(today)}, {"ValidFrom": day(today + timedelta(days=2))}, {}]
    for key, window in zip(suppliers, windows, strict=True):
        row = {**partners[key], "Valid": "tYES", "Frozen": "tNO", "ValidFrom": None, "ValidTo": None, **window}
        # An old stamp: an incremental read does not find them.
        partners.put(key, {**row, "UpdateDate": "2020-01-01", "CreateDate": "2020-01-01"})
    world.run("payment_terms")
    assert world.run("vendors").status == "succeeded"
    FlowState.objects.filter(flow="vendors").update(watermark={"date": day(today)})
    world.quiet()
    return suppliers


def day(moment: datetime) -> str:
    return moment.date().isoformat()


def is_active(world, record: Record) -> bool:
    body = world.basware("vendors")[record.target_keys["external_code"]]
    return bool(body["processingStatus"]["active"])


def test_each_record_knows_the_day_on_which_its_window_opens_or_closes(world, vendors, today):
    edges = [world.record("vendors", key).next_edge for key in vendors]
    assert edges == [(today + timedelta(days=1)).date(), (today + timedelta(days=2)).date(), None]


def test_a_vendor_is_active_on_its_last_day(world, vendors):
    assert world.run("vendors").sent == 0
    assert is_active(world, world.record("vendors", vendors[0]))


def test_a_vendor_whose_time_is_over_is_sent_as_inactive_by_the_next_incremental_run(world, vendors, today):
    with time_machine.travel(today + timedelta(days=1)):
        run = world.run("vendors")
    assert (run.status, run.mode, run.sent) == ("succeeded", "incremental", 1)
    assert not is_active(world, world.record("vendors", vendors[0]))
    assert world.record("vendors", vendors[0]).next_edge is None


def test_a_vendor_whose_time_has_come_is_sent_as_active(world, vendors, today):
    assert not is_active(world, world.record("vendors", vendors[1]))
    with time_machine.travel(today + timedelta(days=2)):
        world.run("vendors")
    assert is_active(world, world.record("vendors", vendors[1]))


def test_what_crossed_its_edge_is_sent_once(world, vendors, today):
    with time_machine.travel(today + timedelta(days=3)):
        assert world.run("vendors").sent == 2
        assert world.run("vendors").sent == 0


def test_only_what_crosses_its_edge_is_read_again(world, vendors, today):
    with time_machine.travel(today + timedelta(days=1)):
        assert world.run("vendors").read == 1


# The watermark


def test_an_incremental_run_reads_from_a_day_before_the_newest_stamp_it_has_seen(world, vendors):
    world.change("BusinessPartners", vendors[2], CardName="Renamed Oy")
    run = world.run("vendors")
    assert (run.read, run.sent) == (1, 1)
    newest = max(row["UpdateDate"] for row in world.sap("BusinessPartners"))
    assert FlowState.objects.get(flow="vendors").watermark == {"date": newest}


def test_the_watermark_never_goes_back(world, vendors):
    FlowState.objects.filter(flow="vendors").update(watermark={"date": "2099-01-01"})
    world.run("vendors", "full")
    assert FlowState.objects.get(flow="vendors").watermark == {"date": "2099-01-01"}


def test_a_dry_run_leaves_the_watermark_alone(world):
    world.run("vendors", "dry_run")
    assert FlowState.objects.get(flow="vendors").watermark is None


def test_more_of_them_than_are_read_at_once_are_all_looked_at(world, vendors, today, monkeypatch):
    monkeypatch.setattr(master_data, "CHUNK", 1)
    with time_machine.travel(today + timedelta(days=3)):
        assert world.run("vendors").sent == 2
    assert [is_active(world, world.record("vendors", key)) for key in vendors] == [False, True, True]
