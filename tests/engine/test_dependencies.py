"""What depends on something else waits for it, fails with it, and follows by itself once it is mended."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import transaction

from syncengine.engine import replay as deeds
from syncengine.engine import verdicts
from syncengine.engine.records import dependency_pending, free_those_held_back_by, set_waiting
from syncengine.engine.storing import store_records
from syncengine.models import Record
from tests import factories
from tests.engine.world import PERSON, in_threads


@pytest.fixture
def vendor(world):
    """SAP with one supplier, whose payment term P2P refuses at first."""
    partners = world.sandboxes.sap.company.collection("BusinessPartners")
    (code, row), *_ = [(key, row) for key, row in partners.items() if row["CardType"] == "cSupplier"]
    for key in set(partners.keys()) - {code}:
        partners.delete(key)
    world.tell(
        "/basware/outcome", externalCode=f"1000-PT-{row['PayTermsGrpCode']}", status="Error", message="Not in use."
    )
    return row


def term(world, vendor) -> Record:
    return world.record("payment_terms", str(vendor["PayTermsGrpCode"]))


def held_back(world, vendor) -> Record:
    return world.record("vendors", vendor["CardCode"])


@pytest.fixture
def failed_together(world, vendor):
    world.run("payment_terms")
    run = world.run("vendors")
    assert (run.status, run.failed) == ("failed", 1)
    return held_back(world, vendor)


def test_a_vendor_fails_with_its_payment_term_and_names_it(world, vendor, failed_together):
    assert (failed_together.status, failed_together.error_code) == ("failed", "dependency_failed")
    assert f"payment_terms {term(world, vendor).key}" in failed_together.error_message
    assert "Not in use." in failed_together.error_message
    assert failed_together.blocked_by == term(world, vendor)
    assert world.posts("vendors") == []


def test_a_vendor_follows_by_itself_once_its_payment_term_is_mended(world, vendor, failed_together):
    deeds.replay(term(world, vendor), PERSON)
    world.work()
    assert term(world, vendor).status == "done"
    record = held_back(world, vendor)
    assert (record.status, record.error_code, record.blocked_by) == ("done", "", None)
    assert list(world.basware("vendors")) == [record.target_keys["external_code"]]


def test_a_vendor_is_pending_in_the_transaction_in_which_its_term_is_done(world, vendor, failed_together, monkeypatch):
    seen = []
    original = verdicts.free_those_held_back_by

    def free(done):
        original(done)
        seen.append((held_back(world, vendor).status, term(world, vendor).status))

    monkeypatch.setattr(verdicts, "free_those_held_back_by", free)
    deeds.replay(term(world, vendor), PERSON)
    world.work()
    assert seen[0] == ("pending", "done")


def test_the_same_failure_is_told_once_however_often_it_is_run(world, vendor, failed_together):
    for _ in range(2):
        assert world.run("vendors").failed == 1
    assert [event.record_id for event in world.events("record.failed")].count(failed_together.pk) == 1


def test_an_ignored_vendor_stays_ignored_when_its_term_is_mended(world, vendor, failed_together):
    deeds.ignore(failed_together, PERSON, "not bought from any more")
    deeds.replay(term(world, vendor), PERSON)
    world.work()
    assert held_back(world, vendor).status == "ignored"
    assert world.posts("vendors") == []


def test_an_ignored_term_holds_nothing_back(world, vendor, failed_together):
    deeds.ignore(term(world, vendor), PERSON, "Basware has it already")
    world.run("vendors")
    assert held_back(world, vendor).error_code != "dependency_failed"
    assert len(world.posts("vendors")) == 1


@pytest.fixture
def waiting_together(world, vendor):
    """The term is sent and not answered, the vendor's run is over but for it."""
    world.tell("/basware/switches", delay=60)
    terms = world.start("payment_terms")
    vendors = world.start("vendors")
    record = held_back(world, vendor)
    assert (record.status, record.error_code, record.next_attempt_at) == ("waiting", "dependency_pending", None)
    assert (world.again(terms).status, world.again(vendors).status) == ("settling", "settling")
    return vendors


def answered(world) -> None:
    world.tell("/basware/switches", delay=0)
    world.tell("/basware/process")


def test_a_vendor_waits_for_a_term_that_is_on_its_way_and_fails_with_it(world, vendor, waiting_together):
    answered(world)
    run = world.finish(waiting_together)
    record = held_back(world, vendor)
    assert (record.status, record.error_code) == ("failed", "dependency_failed")
    assert (run.status, run.failed) == ("failed", 1)


def test_a_vendor_waits_for_a_term_that_is_on_its_way_and_follows_it(world, vendor, waiting_together):
    world.sandboxes.basware.processing.forced.clear()
    answered(world)
    run = world.finish(waiting_together)
    assert held_back(world, vendor).status == "done"
    assert (run.status, run.sent, run.confirmed) == ("succeeded", 1, 1)


@pytest.fixture
def on_its_way(transactional_db):
    """A payment term whose answer is awaited."""
    return factories.RecordFactory(flow="payment_terms", key="5", status="waiting", fingerprint="f")


def a_vendor_that_waits_for(term: Record) -> Record:
    vendor = Record(integration=term.integration, flow="vendors", key="V1", blocked_by=term)
    set_waiting(vendor, None, dependency_pending(term))
    return vendor


def test_a_vendor_is_not_stored_as_waiting_for_what_came_through_meanwhile(on_its_way):
    vendor = a_vendor_that_waits_for(on_its_way)
    Record.objects.filter(pk=on_its_way.pk).update(status="done", confirmed_fingerprint="f")
    store_records([vendor])
    vendor.refresh_from_db()
    assert (vendor.status, vendor.error_code, vendor.blocked_by) == ("pending", "", None)
    assert vendor.next_attempt_at is not None


def test_a_vendor_is_not_stored_as_waiting_for_what_failed_meanwhile(on_its_way):
    vendor = a_vendor_that_waits_for(on_its_way)
    Record.objects.filter(pk=on_its_way.pk).update(status="failed", error_message="Not in use.")
    store_records([vendor])
    vendor.refresh_from_db()
    assert (vendor.status, vendor.error_code, vendor.blocked_by) == ("failed", "dependency_failed", on_its_way)


def test_a_vendor_stored_while_another_worker_confirms_its_payment_term_follows_it(on_its_way):
    vendor, confirmed = a_vendor_that_waits_for(on_its_way), threading.Event()

    def confirm() -> None:
        with transaction.atomic():
            Record.objects.filter(pk=on_its_way.pk).update(status="done", confirmed_fingerprint="f")
            free_those_held_back_by([on_its_way.pk])
            confirmed.set()
            time.sleep(0.2)  # the other worker comes upon the row that is not committed yet

    def store() -> None:
        assert confirmed.wait(5)
        store_records([vendor])

    in_threads(confirm, store)
    vendor.refresh_from_db()
    assert (vendor.status, vendor.blocked_by) == ("pending", None)
