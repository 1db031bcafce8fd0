"""Replays with the mapping of then, tried without writing, many as one act; and retries that a person holds."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from syncengine.connectors import jsonio
from syncengine.engine import bulk_replays, mappings
from syncengine.engine import replay as deeds
from syncengine.engine.dry_replays import try_replay
from syncengine.engine.records import HELD_BY_PERSON
from syncengine.engine.rehearsals import WriteRefused, rehearse
from syncengine.engine.runs import ActionRefused
from syncengine.flows import registry
from syncengine.models import Attempt, AuditEvent, Call, Record
from syncengine.sandbox.dataset import Dataset
from tests import factories
from tests.engine.papers import NO_CONTEXT, claimed, clients
from tests.engine.test_dry_runs import writes
from tests.engine.world import PERSON, World

Row = dict[str, object]
Document = dict[str, Any]


def everything() -> list[list[Row]]:
    """All rows that a try must leave as they are; the calls that it reads with are kept, as all calls are."""
    return [list(model.objects.order_by("pk").values()) for model in (Record, Attempt, AuditEvent)]


def documents(world: World) -> dict[str, Document]:
    """Basware's documents by id, amounts exact."""
    found = jsonio.loads(json.dumps(world.tell("/basware/documents", "GET")).encode())
    return {one["invoiceId"]: one for one in found}


def work_on(world: World, key: str) -> Record:
    """The record of one document, as far as it goes; the others are left in Basware."""
    document = documents(world)[key]
    record = factories.invoice(
        world.integration, key=key, source=document, party=document["supplierCode"], next_attempt_at=timezone.now(),
        memo={"status": "WaitingForTransfer"},
    )  # fmt: skip
    world.work()
    return world.again(record)


# With the mapping of then


@pytest.fixture
def project(world: World) -> Record:
    """A project that Basware has confirmed with the default mapping; today's names it otherwise."""
    world.run("projects")
    rules = mappings.current(world.integration, "projects").rules
    changed = [
        {**rule, "source": "concat(Name, ' today')"} if rule["target"] == "projectName" else rule for rule in rules
    ]
    mappings.save(world.integration, "projects", changed, {}, PERSON)
    world.quiet()
    return world.records("projects")[2]


def name_in_basware(world: World, record: Record) -> str:
    return str(world.basware("projects")[record.target_keys["external_code"]]["projectName"])


def test_a_replay_takes_today_s_mapping_unless_that_of_then_is_asked_for(world: World, project: Record):
    world.change("Projects", project.key, Name="Renamed")
    deeds.replay(project, PERSON, mapping="then")
    assert world.again(project).pinned_version == 0
    world.work()
    record = world.again(project)
    assert (name_in_basware(world, record), record.mapping_version, record.pinned_version) == ("Renamed", 0, None)
    deeds.replay(record, PERSON)
    world.work()
    assert (name_in_basware(world, record), world.again(project).mapping_version) == ("Renamed today", 1)
    events = world.events("record.replayed")
    assert [event.data["mapping"] for event in events] == ["then", "today"]
    assert events[0].data["mapping_version"] == 0


def test_the_mapping_of_then_holds_for_an_invoice_s_whole_way(world: World):
    bad = Dataset().bad_invoices()["frozen_vendor"]
    record = work_on(world, bad)
    assert record.status == "failed"
    rules = mappings.current(world.integration, "invoices").rules
    changed = [{**rule, "source": "'today'"} if rule["target"] == "Comments" else rule for rule in rules]
    mappings.save(world.integration, "invoices", changed, {}, PERSON)
    world.change("BusinessPartners", record.party, Frozen="tNO", Valid="tYES", FrozenFrom=None, FrozenTo=None)
    deeds.replay(record, PERSON, mapping="then")
    world.work()
    posted = world.again(record)
    assert (posted.stage in ("posted", "confirmed"), posted.mapping_version) == (True, 0), posted.error_message
    assert "today" not in posted.target["Comments"]


def test_a_version_that_is_gone_or_does_not_compile_is_refused(world: World, project: Record):
    Record.objects.filter(pk=project.pk).update(mapping_version=7)
    with pytest.raises(ActionRefused) as refusal:
        deeds.replay(project, PERSON, mapping="then")
    assert (refusal.value.field, refusal.value.code) == ("mapping", "mapping_gone")
    assert "is not there any more" in refusal.value.message
    assert world.again(project).status == "done"


def test_a_pinned_version_that_vanished_on_the_way_is_said_on_the_record(world: World, project: Record):
    deeds.replay(project, PERSON, mapping="then")
    Record.objects.filter(pk=project.pk).update(pinned_version=9)
    world.work()
    record = world.again(project)
    assert (record.status, record.error_code) == ("failed", "mapping_gone")


# Dry


def test_a_try_of_master_data_says_what_would_be_sent_and_writes_nothing(world: World, project: Record):
    world.change("Projects", project.key, Name="Renamed")
    before = everything()
    tried = try_replay(project)
    assert (tried.would, tried.mapping_version, tried.problems) == ("send", 1, [])
    (change,) = tried.difference
    assert change["path"].endswith("projectName")
    assert (change["old"], change["new"]) == (name_in_basware(world, project), "Renamed today")
    assert writes(world) == []
    assert everything() == before
    assert try_replay(project, "then").difference[0]["new"] == "Renamed"


def test_a_try_of_what_the_target_holds_already_would_do_nothing(world: World, project: Record):
    tried = try_replay(project, "then")
    assert (tried.would, tried.difference) == ("nothing", [])
    assert "holds already" in tried.message


def test_a_try_of_an_invoice_names_every_problem_and_then_what_it_would_post(world: World):
    key = Dataset().bad_invoices()["unknown_codes"]
    record = work_on(world, key)
    assert record.status == "failed"
    world.quiet()
    before, answers = everything(), world.tell("/basware/documents", "GET")
    tried = try_replay(record)
    assert (tried.would, tried.target, tried.difference) == ("fail", None, [])
    assert all(word in " ".join(one["message"] for one in tried.problems) for word in ("699999", "I99", "NOWHERE"))
    assert (writes(world), everything(), world.tell("/basware/documents", "GET")) == ([], before, answers)
    assert world.calls("sap_b1", "GET")


def test_a_try_of_a_good_invoice_goes_as_far_as_the_post(world: World):
    bad = set(Dataset().bad_invoices().values())
    waiting = [one for one in documents(world).values() if one["processingStatus"] == "WaitingForTransfer"]
    good = next(one for one in waiting if one["invoiceId"] not in bad and not one.get("orderNumbers"))
    record = factories.invoice(world.integration, key=good["invoiceId"], source=good, status="failed")
    world.quiet()
    before = everything()
    tried = try_replay(record)
    assert (tried.would, tried.problems) == ("post", []), tried.message
    assert tried.target["NumAtCard"] == good["invoiceNumber"]
    assert tried.difference[0]["old"] is None
    assert (writes(world), everything()) == ([], before)
    assert Call.objects.exists()


def test_a_rehearsal_refuses_clients_that_write(db, connected):
    with pytest.raises(WriteRefused):
        rehearse(registry.get("invoices"), claimed(connected), clients(connected), NO_CONTEXT, NO_CONTEXT)


def test_a_replay_of_a_still_bad_invoice_that_failed_in_basware_sends_no_second_false(world: World):
    """Contracts: Basware §14.2: a document in TransferFailed takes no response; the record names today's problems."""
    key = Dataset().bad_invoices()["sums_disagree"]
    record = work_on(world, key)
    assert record.status == "failed"
    assert [answer["success"] for answer in documents(world)[key]["transferResponses"]] == [False]
    world.quiet()
    deeds.replay(record, PERSON)
    world.work()
    record = world.again(record)
    assert (record.status, record.error_code) == ("failed", "problems")
    assert [call for call in world.calls("basware", "POST") if "transferResponses" in call["path"]] == []


# Many as one act


def test_the_extent_counts_what_can_be_replayed_and_adds_up_by_currency(db, connected):
    for status, amount, currency in [
        ("failed", "10.10", "EUR"), ("waiting", "0.05", "EUR"), ("failed", "7", "USD"), ("ignored", "99", "EUR"),
        ("pending", "99", "EUR"),
    ]:  # fmt: skip
        factories.invoice(connected, status=status, amount=Decimal(amount), currency=currency)
    factories.FailedRecordFactory(integration=connected)
    found = bulk_replays.extent(Record.objects.filter(integration=connected))
    assert (found.count, dict(found.sums)) == (4, {"EUR": Decimal("10.15"), "USD": Decimal(7)})


def test_a_bulk_replay_is_one_audited_act_that_each_record_names(db, connected, monkeypatch):
    monkeypatch.setattr(bulk_replays, "REPLAYED_AT_ONCE", 2)
    for _ in range(5):
        factories.invoice(connected, status="failed", cause="problems: x", amount=Decimal("1.50"))
    rows = Record.objects.filter(integration=connected, cause="problems: x")
    assert bulk_replays.replay_many(rows, PERSON, "opened 4010", chosen_by={"cause": "problems: x"}) == 5
    (act,) = AuditEvent.objects.filter(action="records.replayed")
    assert (act.actor, act.message, act.record) == (PERSON, "opened 4010", None)
    assert act.data == {
        "count": 5, "sums": {"EUR": act.data["sums"]["EUR"]}, "chosen_by": {"cause": "problems: x"}, "mapping": "today",
    }  # fmt: skip
    assert Decimal(act.data["sums"]["EUR"]) == Decimal("7.5")
    each = AuditEvent.objects.filter(action="record.replayed")
    assert [(event.actor, event.data["act"]) for event in each] == [(PERSON, act.pk)] * 5
    assert bulk_replays.replay_many(rows, PERSON) == 0
    assert AuditEvent.objects.filter(action="records.replayed").count() == 1


def test_a_record_whose_mapping_of_then_is_gone_stays_as_it_is_in_a_bulk_replay(db, connected):
    gone = factories.FailedRecordFactory(integration=connected, mapping_version=9)
    factories.FailedRecordFactory(integration=connected)
    assert bulk_replays.replay_many(Record.objects.all(), PERSON, mapping="then") == 1
    gone.refresh_from_db()
    assert gone.status == "failed"


# Held


def test_a_retry_that_is_planned_is_held_until_somebody_replays_it(db, connected):
    soon = timezone.now() + timedelta(minutes=5)
    record = factories.invoice(connected, status="waiting", next_attempt_at=soon, error_code="unreachable")
    held = deeds.hold(record, PERSON, "SAP is moved tonight")
    assert (held.status, held.error_code, held.next_attempt_at) == ("failed", "held_by_person", None)
    assert "SAP is moved tonight" in held.error_message
    event = AuditEvent.objects.get(action="record.held")
    assert (event.actor, event.message) == (PERSON, "SAP is moved tonight")
    assert deeds.replay(held, PERSON).status == "pending"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"status": "waiting", "next_attempt_at": None}, "not_waiting"),
        ({"status": "done"}, "not_waiting"),
        ({"status": "failed"}, "not_waiting"),
        ({"status": "in_progress"}, "in_progress"),
        ({"status": "waiting", "memo": {"unknown_since": "2026-05-04T12:00:00+00:00"}}, "in_doubt"),
        ({"status": "waiting", "memo": {"draft": {"entry": 7}}}, "in_doubt"),
    ],
)
def test_what_is_not_waiting_for_its_next_try_or_in_doubt_is_not_held(fields, code, db, connected):
    record = factories.invoice(connected, **{"next_attempt_at": timezone.now(), **fields})
    with pytest.raises(ActionRefused) as refusal:
        deeds.hold(record, PERSON)
    assert refusal.value.code == code
    assert deeds.can_hold(record) is False


@pytest.mark.parametrize(
    ("state", "held"), [("unknown", False), ("sending", False), ("accepted", False), ("done", True)]
)
def test_nothing_is_held_while_a_write_may_have_happened(state, held, db, connected):
    record = factories.invoice(connected, status="waiting", next_attempt_at=timezone.now())
    factories.AttemptFactory(integration=connected, record=record, kind="post", state=state)
    assert deeds.can_hold(record) is (state == "done")


def test_what_is_held_is_not_sent_by_a_run_until_it_changes(world: World):
    world.run("projects")
    record = world.records("projects")[0]
    world.outcome(record, "Error")
    world.change("Projects", record.key, Name="Renamed")
    world.run("projects")
    Record.objects.filter(pk=record.pk).update(error_code=HELD_BY_PERSON)
    world.quiet()
    world.run("projects", "full")
    assert world.posts("projects") == []
    world.change("Projects", record.key, Name="Renamed again")
    world.run("projects", "full")
    assert (len(world.posts("projects")), world.again(record).status) == (1, "done")
