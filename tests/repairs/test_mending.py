"""The whole way between two real sandboxes: an account is closed, another is chosen, everything is posted."""

from __future__ import annotations

import pytest

from syncengine.engine import mappings
from syncengine.engine.runs import request_runs
from syncengine.models import Record
from syncengine.repairs import choices, deeds, effects, groups
from syncengine.repairs.cures import cure_of
from syncengine.repairs.translations import translated
from tests.engine.test_dry_runs import writes
from tests.engine.test_repair import documents, work_on
from tests.engine.world import PERSON

ACCOUNT, OTHER = "5006", "6701"
CAUSE = f"problems: G/L account {ACCOUNT} is frozen in SAP."


@pytest.fixture
def closed(world):
    """Two invoices that failed for a closed account; the rest stays in Basware."""
    world.change("ChartOfAccounts", ACCOUNT, FrozenFor="tYES")
    keys = [
        key
        for key, document in documents(world).items()
        if {row.get("accountCode") for row in document.get("codingRows", ())} & {ACCOUNT}
    ]
    found = [work_on(world, key) for key in sorted(keys)]
    return [record for record in found if record.failed_for == CAUSE][:2] or pytest.fail(
        str([(record.status, record.cause) for record in found])
    )


def group_of(world):
    group = groups.one(world.integration, "invoices", CAUSE)
    assert group is not None
    return group


def test_what_may_be_posted_to_is_read_from_sap_and_searched(world):
    world.change("ChartOfAccounts", ACCOUNT, FrozenFor="tYES")
    found = {choice.code: choice.name for choice in choices.search(world.integration, "accounts", "670")}
    assert found[OTHER]
    assert ACCOUNT not in {choice.code for choice in choices.search(world.integration, "accounts", ACCOUNT)}
    by_name = choices.search(world.integration, "accounts", found[OTHER][:5].upper())
    assert OTHER in {choice.code for choice in by_name}
    assert len(choices.search(world.integration, "accounts", "")) == choices.MOST_SHOWN


@pytest.mark.parametrize("table", choices.SOURCES)
def test_every_table_with_a_list_in_sap_can_be_searched(world, table):
    found = choices.search(world.integration, table, "")
    assert len(found) <= choices.MOST_SHOWN
    assert choices.search(world.integration, table, "no such thing at all") == []
    if found:
        again = choices.search(world.integration, table, found[0].code)
        assert found[0] in again


def test_the_effect_is_told_before_anything_is_written(world, closed):
    world.quiet()
    group = group_of(world)
    effect = effects.try_out(world.integration, group)
    assert effect.words() == f"{group.open.count} would still fail."
    assert all(f"G/L account {ACCOUNT} of coding row" in reason for reason, _ in effect.reasons)
    chosen = translated(world.integration, "invoices", cure_of(CAUSE, None), OTHER)
    better = effects.try_out(world.integration, group, chosen.mapping)
    assert better.good["posted"] == group.open.count
    assert better.all_tried
    assert writes(world) == []
    assert mappings.current(world.integration, "invoices").version == 0


def test_a_preview_stops_when_its_time_is_over_and_says_so(world, closed):
    effect = effects.try_out(world.integration, group_of(world), seconds=0)
    assert effect.tried == 1
    assert effect.all_tried == (effect.total == 1)


def test_a_closed_account_is_translated_replayed_posted_and_resolved(world, closed):
    group = group_of(world)
    chosen = translated(world.integration, "invoices", cure_of(CAUSE, None), OTHER)
    cause = deeds.Cause(world.integration, group, PERSON)
    assert deeds.mend_and_replay(cause, chosen) == group.open.count
    world.work()
    for record in closed:
        posted = world.again(record)
        assert posted.stage in ("posted", "confirmed"), posted.error_message
        accounts = {line.get("AccountCode") for line in posted.target["DocumentLines"]}
        assert OTHER in accounts
        assert ACCOUNT not in accounts
    over = group_of(world)
    assert list(over.states()) == [groups.State.RESOLVED], (over.open, over.retrying)
    assert over.resolved.count == group.open.count


def test_it_is_resolved_by_itself_when_a_later_run_succeeds(world):
    world.run("projects")
    record = world.records("projects")[0]
    world.change("Projects", record.key, Name="Renamed")
    world.outcome(record, "Error", message="The project is used elsewhere.", category="Technical")
    world.run("projects")
    cause = world.again(record).failed_for
    assert cause.startswith("import_failed")
    world.change("Projects", record.key, Name="Renamed once more")
    world.finish(request_runs(world.integration, "projects", "incremental", trigger="person", actor=PERSON)[0])
    done = Record.objects.get(pk=record.pk)
    assert (done.status, done.failed_for) == ("done", cause)
    group = groups.one(world.integration, "projects", cause)
    assert group is not None
    assert list(group.states()) == [groups.State.RESOLVED]
    assert group.repair is None
