"""What people do to records: replay, resend, ignore, decide. Each deed has its effect in Basware and in the trail."""

from __future__ import annotations

import pytest

from syncengine.engine import bulk_replays
from syncengine.engine import replay as deeds
from syncengine.engine.pauses import pause
from syncengine.engine.runs import ActionRefused
from syncengine.models import Record
from tests import factories
from tests.engine.world import PERSON, World

ADMIN = "admin@nordic-paper.example.com"


@pytest.fixture
def project(world):
    """A project that Basware has confirmed."""
    world.run("projects")
    world.quiet()
    return world.records("projects")[2]


@pytest.fixture
def refused(world, project):
    """The same after a change that P2P refused."""
    world.outcome(project, "Error", message="The project is locked.")
    world.change("Projects", project.key, Name="Renamed")
    world.run("projects")
    world.quiet()
    record = world.again(project)
    assert record.error_code == "import_failed"
    return record


# Replay


def test_a_replayed_record_is_pending_at_once(refused):
    record = deeds.replay(refused, PERSON, "unlocked it")
    assert (record.status, record.attempts, record.error_code) == ("pending", 0, "")


def test_a_failed_import_is_replayed_with_its_resend_field_changed_and_then_accepted(world, refused):
    deeds.replay(refused, PERSON)
    world.work()
    record = world.again(refused)
    (body,) = world.sent("projects")
    assert (record.status, record.resend_mark) == ("done", 1)
    assert "r1" in body["description"]
    assert world.basware("projects")[body["externalCode"]]["projectName"] == "Renamed"


def test_a_failed_import_that_was_mended_in_sap_is_replayed_as_it_is_now(world, refused):
    world.change("Projects", refused.key, Name="Renamed again")
    deeds.replay(refused, PERSON)
    world.work()
    (body,) = world.sent("projects")
    assert (body["projectName"], body.get("description")) == ("Renamed again", None)
    assert world.again(refused).status == "done"


def test_a_second_replay_is_never_swallowed(world, refused):
    for mark in (1, 2, 3):
        world.outcome(refused, "Error")
        deeds.replay(world.again(refused), PERSON)
        world.work()
        assert (world.again(refused).resend_mark, len(world.posts("projects"))) == (mark, mark)
    deeds.replay(world.again(refused), PERSON)
    world.work()
    assert world.again(refused).status == "done"
    assert [body["description"].split()[-1] for body in world.sent("projects")] == ["r1", "r2", "r3", "r4"]


def test_the_revision_mark_stays_so_that_the_next_run_sends_nothing(world, refused):
    deeds.replay(refused, PERSON)
    world.work()
    world.quiet()
    run = world.run("projects", "full")
    assert (run.sent, run.unchanged) == (0, 15)


def test_a_replay_of_what_is_done_and_unchanged_is_done_without_an_import(world, project):
    deeds.replay(project, PERSON)
    world.work()
    assert world.again(project).status == "done"
    assert world.posts("projects") == []


def test_a_replay_of_what_is_gone_from_sap_and_closed_ends(world, project):
    world.remove("Projects", project.key)
    world.run("projects", "full")
    deeds.replay(world.again(project), PERSON)
    world.quiet()
    world.work(2)
    record = world.again(project)
    assert (record.status, record.active) == ("done", False)
    assert len(world.calls("sap_b1", "GET", "/Projects")) == 1


def test_a_replay_of_what_was_never_sent_and_is_gone_ends(world):
    record = Record.objects.create(
        integration=world.integration, flow="projects", key="GONE", status="failed", error_code="problems"
    )
    deeds.replay(record, PERSON)
    world.work(2)
    assert (world.again(record).status, world.again(record).active) == ("done", False)
    assert world.posts("projects") == []


@pytest.mark.parametrize("deed", [deeds.resend, lambda *who: deeds.ignore(*who, "no"), deeds.hold])
def test_what_is_being_worked_on_can_be_replayed_and_nothing_else(deed, project):
    Record.objects.filter(pk=project.pk).update(status="in_progress")
    with pytest.raises(ActionRefused) as refusal:
        deed(project, PERSON)
    assert refusal.value.code == "in_progress"


def test_replaying_what_a_run_waits_for_lets_the_run_end(world, project):
    world.tell("/basware/switches", delay=60)
    world.change("Projects", project.key, Name="Renamed")
    run = world.start("projects")
    assert run.status == "settling"
    deeds.replay(world.again(project), PERSON)
    assert world.again(run).status == "succeeded"


def test_many_are_replayed_at_once_and_counted(world, project):
    for record in world.records("projects")[:5]:
        Record.objects.filter(pk=record.pk).update(status="failed", error_code="rejected")
    failed = Record.objects.filter(integration=world.integration, error_code="rejected")
    assert bulk_replays.replay_many(failed, PERSON, "the field was too short") == 5
    world.work()
    assert world.statuses("projects") == {"done"}
    assert len(world.events("record.replayed")) == 5


def test_many_are_replayed_in_steps_of_bounded_size(world, project, monkeypatch):
    monkeypatch.setattr(bulk_replays, "REPLAYED_AT_ONCE", 4)
    assert bulk_replays.replay_many(Record.objects.filter(integration=world.integration), PERSON) == 15


def test_a_replay_waits_while_the_integration_is_paused(world, refused):
    pause(world.integration, "The secret was refused.")
    deeds.replay(refused, PERSON)
    world.quiet()
    world.work(0.5)
    assert world.again(refused).status == "pending"
    assert world.silent


# Resend


def test_resending_changes_the_resend_field_each_time(world, project):
    for mark in (1, 2):
        deeds.resend(world.again(project), PERSON, "P2P lost it")
        world.work()
        assert (world.again(project).status, world.again(project).resend_mark) == ("done", mark)
    assert len(world.posts("projects")) == 2


def test_the_record_says_why_the_mark_is_there(world, project):
    for _ in range(2):
        deeds.resend(world.again(project), PERSON)
        world.work()
    (note,) = world.again(project).notes
    assert note.startswith("description carries a mark")


def test_an_invoice_is_replayed_not_resent(world):
    invoice = Record.objects.create(integration=world.integration, flow="invoices", key="i1")
    with pytest.raises(ActionRefused) as refusal:
        deeds.resend(invoice, PERSON)
    assert refusal.value.code == "not_resendable"


# Ignore


def test_ignoring_needs_a_reason(refused):
    with pytest.raises(ActionRefused) as refusal:
        deeds.ignore(refused, PERSON, "  ")
    assert refusal.value.field == "reason"


@pytest.mark.parametrize("answer", [{"give_back": True}, {"booked_as": 4711}])
@pytest.mark.parametrize("stage", ["confirmed", "paid"])
def test_an_invoice_that_basware_has_its_answer_to_is_not_answered_again(connected, monkeypatch, stage, answer):
    monkeypatch.setattr(deeds, "_check_number", lambda record, number: None)  # SAP would be asked for it
    record = factories.RecordFactory(integration=connected, flow="invoices", stage=stage, status="done")
    with pytest.raises(ActionRefused, match="has its answer") as caught:
        deeds.ignore(record, PERSON, "not ours", **answer)
    assert caught.value.field == next(iter(answer))
    record.refresh_from_db()
    assert record.status == "done"


def test_what_is_ignored_stays_ignored_whatever_changes(world, refused):
    deeds.ignore(refused, PERSON, "not used here")
    world.change("Projects", refused.key, Name="Renamed once more")
    for mode in ("incremental", "full"):
        world.run("projects", mode)
    assert world.again(refused).status == "ignored"
    assert world.posts("projects") == []


def test_what_is_ignored_and_gone_from_sap_is_left_alone(world, refused):
    deeds.ignore(refused, PERSON, "not used here")
    world.remove("Projects", refused.key)
    run = world.run("projects", "full")
    assert (run.closed, world.again(refused).status) == (0, "ignored")


def test_what_is_ignored_can_be_replayed(world, refused):
    deeds.ignore(refused, PERSON, "not used here")
    deeds.replay(world.again(refused), PERSON, "it is used after all")
    world.work()
    assert world.again(refused).status == "done"


def test_ignoring_what_a_run_waits_for_lets_the_run_end(world, project):
    world.tell("/basware/switches", delay=60)
    world.change("Projects", project.key, Name="Renamed")
    run = world.start("projects")
    deeds.ignore(world.again(project), PERSON, "never mind")
    assert world.again(run).is_final


# Decide: a vendor's bank account


@pytest.fixture
def vendor(world):
    """A vendor with one bank account that Basware has confirmed, alone among the suppliers."""
    partners = world.sandboxes.sap.company.collection("BusinessPartners")
    suppliers = [key for key, row in partners.items() if row["CardType"] == "cSupplier" and row.get("BPBankAccounts")]
    for key in set(partners.keys()) - set(suppliers[:3]):
        partners.delete(key)
    world.run("payment_terms")
    assert world.run("vendors").status == "succeeded"
    world.quiet()
    return world.record("vendors", suppliers[0])


def ibans(world: World, record: Record) -> list[str]:
    body = world.basware("vendors")[record.target_keys["external_code"]]
    accounts = [account for means in body["paymentMeans"] for account in means["financialAccounts"]]
    return [account["financialAccountIdentifiers"][0]["id"] for account in accounts]


def new_account(world: World, record: Record, iban: str) -> None:
    partner = world.sandboxes.sap.company.collection("BusinessPartners")[record.key]
    account = {**partner["BPBankAccounts"][0], "IBAN": iban}
    world.change("BusinessPartners", record.key, BPBankAccounts=[account])


def test_a_changed_bank_account_is_held_though_nothing_else_changed(world, vendor):
    before = ibans(world, vendor)
    new_account(world, vendor, "FI5542345670000081")
    run = world.run("vendors")
    record = world.again(vendor)
    assert (run.status, record.status, record.flags) == ("succeeded", "done", ["bank_change_held"])
    assert record.decisions == ["approve_bank_change"]
    assert ibans(world, vendor) == before
    assert world.posts("vendors") == []


def test_other_changes_of_the_vendor_go_out_while_the_account_is_held(world, vendor):
    before = ibans(world, vendor)
    new_account(world, vendor, "FI5542345670000081")
    world.change("BusinessPartners", vendor.key, CardName="Renamed Oy")
    world.run("vendors")
    record = world.again(vendor)
    assert (record.status, record.decisions) == ("done", ["approve_bank_change"])
    body = world.basware("vendors")[record.target_keys["external_code"]]
    assert (body["name"], ibans(world, vendor)) == ("Renamed Oy", before)


def test_a_bank_change_is_sent_once_an_admin_has_approved_it(world, vendor):
    new_account(world, vendor, "FI5542345670000081")
    world.run("vendors")
    record = deeds.decide(world.again(vendor), ADMIN, "approve_bank_change", reason="called the vendor")
    assert record.status == "pending"
    world.work()
    record = world.again(vendor)
    assert (record.status, record.flags, record.decisions) == ("done", [], [])
    assert ibans(world, vendor) == ["FI5542345670000081"]
    (event,) = world.events("record.decided")
    assert (event.actor, event.message, event.data["decision"]) == (ADMIN, "called the vendor", "approve_bank_change")


def test_an_approval_counts_for_the_change_that_was_seen_and_no_other(world, vendor):
    before = ibans(world, vendor)
    new_account(world, vendor, "FI5542345670000081")
    world.run("vendors")
    deeds.decide(world.again(vendor), ADMIN, "approve_bank_change")
    new_account(world, vendor, "FI1410093000123458")
    world.work()
    record = world.again(vendor)
    assert (ibans(world, vendor), record.decisions) == (before, ["approve_bank_change"])


def test_a_second_change_of_a_held_account_is_the_one_that_is_approved(world, vendor):
    new_account(world, vendor, "FI5542345670000081")
    world.run("vendors")
    new_account(world, vendor, "FI1410093000123458")
    world.run("vendors")
    deeds.decide(world.again(vendor), ADMIN, "approve_bank_change")
    world.work()
    assert ibans(world, vendor) == ["FI1410093000123458"]


def test_an_account_that_is_changed_back_needs_no_decision_any_more(world, vendor):
    before = world.sandboxes.sap.company.collection("BusinessPartners")[vendor.key]["BPBankAccounts"]
    new_account(world, vendor, "FI5542345670000081")
    world.run("vendors")
    world.change("BusinessPartners", vendor.key, BPBankAccounts=before)
    world.run("vendors")
    record = world.again(vendor)
    assert (record.status, record.flags, record.decisions) == ("done", [], [])


def test_only_what_the_record_names_can_be_decided(vendor):
    with pytest.raises(ActionRefused) as refusal:
        deeds.decide(vendor, ADMIN, "approve_bank_change")
    assert (refusal.value.field, refusal.value.code) == ("decision", "not_open")


# Decide: a code that became another vendor


@pytest.fixture
def replaced(world, vendor):
    """The same code, created anew in SAP for somebody else."""
    world.change("BusinessPartners", vendor.key, CardName="Somebody Else Oy", CreateDate="2026-01-15")
    run = world.run("vendors")
    record = world.again(vendor)
    assert (run.failed, record.error_code, record.decisions) == (1, "needs_decision", ["post", "close"])
    assert world.posts("vendors") == []
    return record


def test_a_vendor_that_took_over_a_code_is_sent_when_a_person_says_so(world, replaced):
    deeds.decide(replaced, ADMIN, "post", reason="merged")
    world.work()
    record = world.again(replaced)
    assert (record.status, record.decisions) == ("done", [])
    assert world.basware("vendors")[record.target_keys["external_code"]]["name"] == "Somebody Else Oy"


def test_a_vendor_that_took_over_a_code_stays_held_until_somebody_decides(world, replaced):
    world.run("vendors")
    assert world.again(replaced).error_code == "needs_decision"


def test_a_vendor_whose_code_was_taken_over_is_closed_when_a_person_says_so(world, replaced):
    deeds.decide(replaced, ADMIN, "close")
    world.work()
    record = world.again(replaced)
    body = world.basware("vendors")[record.target_keys["external_code"]]
    assert (record.status, record.active) == ("done", False)
    assert (body["processingStatus"]["active"], body["name"] != "Somebody Else Oy") == (False, True)
    world.quiet()
    for mode in ("incremental", "full"):
        assert world.run("vendors", mode).status == "succeeded"
    assert world.posts("vendors") == []
