"""Which records a complete read did not find."""

from __future__ import annotations

import pytest

from syncengine.engine.closings import absent_records, active_records, last_complete_read
from tests import factories


@pytest.fixture
def run(db):
    return factories.RunFactory(mode="full")


def vendor(run, **fields):
    given = {"status": "done", "confirmed_fingerprint": "f", "active": True, **fields}
    return factories.RecordFactory(integration=run.integration, **given)


def test_what_the_target_holds_and_the_source_no_longer_shows_is_absent(run):
    never, before = vendor(run), vendor(run, seen_run=run.pk - 1)
    assert set(absent_records(run)) == {never, before}


@pytest.mark.parametrize("later", [0, 1])
def test_what_this_run_or_a_later_one_has_seen_is_not(run, later):
    vendor(run, seen_run=run.pk + later)
    assert not absent_records(run)


@pytest.mark.parametrize(
    "fields", [{"active": False}, {"status": "ignored"}, {"confirmed_fingerprint": ""}, {"flow": "projects"}]
)
def test_what_the_target_does_not_hold_cannot_be_closed(run, fields):
    vendor(run, **fields)
    assert not absent_records(run)


def test_records_that_are_still_on_their_way_count_among_the_active(run):
    vendor(run, confirmed_fingerprint="", status="pending")
    assert active_records(run).count() == 1


def test_where_every_run_reads_everything_any_of_them_tells_how_many_there_are(run):
    given = {"integration": run.integration, "status": "succeeded", "finished_at": factories.NOON}
    factories.RunFactory(**given, mode="incremental", read=17)
    factories.RunFactory(**given, mode="dry_run", read=99)
    assert last_complete_read(run, incremental=False) == 17


def test_the_second_run_knows_about_how_many_it_will_read(world):
    first, second = world.run("projects"), world.run("projects")
    assert (first.expected, second.expected) == (None, first.read)


def test_a_run_expects_what_the_last_complete_one_of_its_flow_read(run):
    assert last_complete_read(run, incremental=True) is None
    given = {"integration": run.integration, "finished_at": factories.NOON}
    factories.RunFactory(**given, mode="full", status="succeeded", read=120)
    factories.RunFactory(**given, mode="incremental", status="succeeded", read=3)
    factories.RunFactory(**given, mode="full", status="failed", read=7)
    factories.RunFactory(**given, mode="full", status="succeeded", read=9, flow="projects")
    assert last_complete_read(run, incremental=True) == 120
