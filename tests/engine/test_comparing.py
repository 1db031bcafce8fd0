"""What becomes of a record that was read, from what is known of it: the table of fates."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from syncengine.engine import mappings
from syncengine.engine.comparing import Comparison, Fate, Judged, first_part, next_edge, problems_trouble
from syncengine.flows import registry
from syncengine.mapping import Problem
from syncengine.models import Record
from tests import factories
from tests.flows.world import TODAY, context

pytestmark = pytest.mark.django_db

PROJECT = {"Code": "P1", "Name": "Paper machine", "ValidFrom": "2020-01-01", "ValidTo": None, "Active": "tYES"}
RENAMED = {**PROJECT, "Name": "Paper machine 2"}


@pytest.fixture
def judge(integration):
    """Judges one source record of the flow `projects`, as a run of it would."""

    def judged(source: dict[str, Any], flow: str = "projects", **how: Any) -> Judged:
        return comparison(integration, flow).judge([source], **how)[0]

    return judged


def comparison(integration: Any, flow: str, **ctx: Any) -> Comparison:
    declared: Any = registry.get(flow)
    return Comparison(
        integration, declared, mappings.current(integration, flow), context(**ctx), None, declared.resend_field
    )


@pytest.fixture
def stored(judge):
    """The record of PROJECT as an earlier run left it: its payload `sent`, and confirmed or not."""

    def store(sent: dict[str, Any] = PROJECT, *, confirmed: dict[str, Any] | None = None, **fields: Any) -> Record:
        record = judge(sent).record
        if confirmed is not None:
            before = judge(confirmed).record
            record.confirmed_fingerprint, record.confirmed_target = before.fingerprint, before.target
        record.part = ""
        for name, value in fields.items():
            setattr(record, name, value)
        record.save()
        return record

    return store


def test_a_new_record_is_sent_as_created(judge):
    one = judge(PROJECT)
    assert (one.fate, one.stored, one.record.action, one.record.part) == (Fate.SEND, True, "created", "record")


def test_a_new_record_carries_everything_people_look_for(judge):
    record = judge(PROJECT).record
    assert (record.title, record.status) == ("P1 Paper machine", "in_progress")
    assert "paper machine" in record.search
    assert record.target_keys["external_code"].endswith("P1")


ORDER = {
    "DocEntry": 1,
    "DocNum": 500,
    "CardCode": "V1",
    "DocDate": "2026-11-01",
    "DocCurrency": "EUR",
    "DocumentStatus": "bost_Open",
    "CancelStatus": "csNo",
    "DocumentLines": [],
}
CONFIRMED = {"confirmed": PROJECT}
FATES = {
    "done and the same": (CONFIRMED | {"status": "done"}, PROJECT, Fate.UNCHANGED, False),
    "done and changed": (CONFIRMED | {"status": "done"}, RENAMED, Fate.SEND, True),
    "ignored and changed": (CONFIRMED | {"status": "ignored"}, RENAMED, Fate.UNCHANGED, False),
    "pending and the same": ({"status": "pending"}, PROJECT, Fate.UNCHANGED, False),
    "in progress and the same": ({"status": "in_progress"}, PROJECT, Fate.UNCHANGED, False),
    "waiting for the answer and the same": ({"status": "waiting"}, PROJECT, Fate.UNCHANGED, False),
    "waiting for the answer and changed": ({"status": "waiting"}, RENAMED, Fate.SEND, True),
    "waiting for a retry and the same": (
        {"status": "waiting", "error_code": "unreachable"}, PROJECT, Fate.UNCHANGED, False,
    ),
    "waiting for a dependency that is there now": (
        {"status": "waiting", "error_code": "dependency_pending"}, PROJECT, Fate.SEND, True,
    ),
    "failed at import and the same": ({"status": "failed", "error_code": "import_failed"}, PROJECT, Fate.FAILED, False),
    "refused at once and the same": ({"status": "failed", "error_code": "rejected"}, PROJECT, Fate.FAILED, False),
    "failed at import and changed": ({"status": "failed", "error_code": "import_failed"}, RENAMED, Fate.SEND, True),
    "failed by problems that are mended": ({"status": "failed", "error_code": "problems"}, PROJECT, Fate.SEND, True),
    "failed by a dependency that is there now": (
        {"status": "failed", "error_code": "dependency_failed"}, PROJECT, Fate.SEND, True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FATES)
def test_the_fate_follows_from_what_is_known(case, stored, judge):
    fields, source, fate, is_stored = FATES[case]
    record = stored(**fields)
    one = judge(source)
    assert (one.fate, one.stored) == (fate, is_stored)
    assert one.record.pk == record.pk


def test_a_change_that_failed_and_was_taken_back_is_done_without_a_call(stored, judge):
    stored(RENAMED, confirmed=PROJECT, status="failed", error_code="import_failed", error_message="too long")
    one = judge(PROJECT)
    assert (one.fate, one.stored) == (Fate.UNCHANGED, True)
    assert (one.record.status, one.record.error_code) == ("done", "")


@pytest.mark.parametrize("status", ["waiting", "in_progress", "pending"])
def test_a_change_that_is_taken_back_while_it_is_on_its_way_is_sent(stored, judge, status):
    stored(RENAMED, confirmed=PROJECT, status=status)
    assert judge(PROJECT).fate is Fate.SEND


def test_a_change_that_was_never_answered_and_is_taken_back_is_sent(stored, judge):
    stored(RENAMED, confirmed=PROJECT, status="failed", error_code="no_answer")
    assert judge(PROJECT).fate is Fate.SEND


def test_a_person_may_have_an_unchanged_record_sent_again(stored, judge):
    stored(status="failed", error_code="rejected")
    assert judge(PROJECT, again=True).fate is Fate.SEND


def test_a_replay_of_a_failed_import_changes_the_resend_field_when_nothing_else_did(stored, judge):
    before = stored(status="in_progress", memo={"resend_if_same": True})
    one = judge(PROJECT, again=True)
    assert one.record.resend_mark == 1
    assert one.record.fingerprint != before.fingerprint
    assert "r1" in str(one.record.target)


def test_a_replay_of_a_failed_import_leaves_the_resend_field_alone_when_the_payload_changed(stored, judge):
    stored(status="in_progress", memo={"resend_if_same": True})
    one = judge(RENAMED, again=True)
    assert (one.fate, one.record.resend_mark) == (Fate.SEND, 0)


def test_problems_fail_the_record_and_name_each_of_them(judge):
    one = judge({**ORDER, "CardCode": None, "DocNum": None}, "purchase_orders")
    assert (one.fate, one.record.status, one.record.error_code) == (Fate.FAILED, "failed", "problems")
    assert [problem["path"] for problem in one.record.problems] == ["header.orderNumber", "header.supplierCode"]
    told = one.record.error_message.casefold()
    assert all(problem["message"].rstrip(".").casefold() in told for problem in one.record.problems)


def test_every_problem_is_a_sentence_of_the_message():
    trouble = problems_trouble([Problem("a", "a is missing"), Problem("b", "b is too long.", "Shorten b.")])
    assert trouble.message == "A is missing. B is too long."
    assert trouble.hint == "Shorten b."
    assert [problem["path"] for problem in trouble.problems] == ["a", "b"]


VENDOR = {"CardCode": "V1", "CardName": "Mill Oy", "CardType": "cSupplier", "Valid": "tYES", "Frozen": "tNO"}
CUSTOMER = {**VENDOR, "CardType": "cCustomer"}


def test_what_is_out_of_scope_and_unknown_is_left_alone(judge):
    assert (judge(CUSTOMER, "vendors").fate, judge(CUSTOMER, "vendors").stored) == (Fate.OUT_OF_SCOPE, False)


@pytest.fixture
def known_vendor(judge):
    """A vendor that Basware has confirmed."""
    record = judge(VENDOR, "vendors").record
    record.status, record.part = "done", ""
    record.confirmed_fingerprint, record.confirmed_target = record.fingerprint, record.target
    record.save()
    return record


def test_what_left_the_scope_is_sent_once_more_as_closed(judge, known_vendor):
    one = judge(CUSTOMER, "vendors")
    assert (one.fate, one.record.action) == (Fate.SEND, "closed")
    assert one.record.target["record"][0]["processingStatus"]["active"] is False


def test_a_closing_that_is_on_its_way_is_not_sent_again(judge, known_vendor):
    closing = judge(CUSTOMER, "vendors").record
    closing.status = "waiting"
    closing.save()
    one = judge(CUSTOMER, "vendors")
    assert (one.fate, one.stored) == (Fate.UNCHANGED, False)


def test_a_closing_that_was_refused_is_not_sent_again_by_itself(judge, known_vendor):
    closing = judge(CUSTOMER, "vendors").record
    closing.status, closing.error_code = "failed", "import_failed"
    closing.save()
    one = judge(CUSTOMER, "vendors")
    assert (one.fate, one.stored) == (Fate.FAILED, False)


def test_a_closing_that_was_refused_is_sent_again_when_a_person_asks(judge, known_vendor):
    closing = judge(CUSTOMER, "vendors").record
    closing.status, closing.error_code = "failed", "import_failed"
    closing.save()
    assert judge(CUSTOMER, "vendors", again=True).fate is Fate.SEND


def test_what_is_closed_and_confirmed_is_no_longer_active(integration, known_vendor):
    vendors = comparison(integration, "vendors")
    closing = vendors.gone([known_vendor])[0].record
    closing.status, closing.confirmed_fingerprint, closing.confirmed_target = (
        "done",
        closing.fingerprint,
        closing.target,
    )
    closing.save()
    one = vendors.gone([closing])[0]
    assert (one.fate, one.record.active) == (Fate.OUT_OF_SCOPE, False)


def test_what_was_never_sent_and_is_gone_needs_no_closing(integration):
    record = factories.RecordFactory(integration=integration, flow="vendors", key="V9", status="failed")
    assert comparison(integration, "vendors").gone([record])[0].fate is Fate.OUT_OF_SCOPE


TERM = {**VENDOR, "PayTermsGrpCode": 7}


def test_a_dependency_that_nobody_sends_holds_nothing_back(judge):
    assert judge(TERM, "vendors").fate is Fate.SEND


def test_a_record_waits_for_a_dependency_that_is_on_its_way(integration, judge):
    term = factories.RecordFactory(integration=integration, flow="payment_terms", key="7", status="waiting")
    one = judge(TERM, "vendors")
    assert (one.fate, one.record.status, one.record.error_code) == (Fate.WAITS, "waiting", "dependency_pending")
    assert one.record.blocked_by == term


def test_a_record_fails_with_a_dependency_that_failed_and_names_it(integration, judge):
    factories.RecordFactory(
        integration=integration, flow="payment_terms", key="7", title="7 Net 30", status="failed", error_message="no"
    )
    one = judge(TERM, "vendors")
    assert (one.fate, one.record.error_code) == (Fate.FAILED, "dependency_failed")
    assert "payment_terms 7 (7 Net 30)" in one.record.error_message


@pytest.mark.parametrize("fields", [{"status": "done", "confirmed_fingerprint": "f"}, {"status": "ignored"}])
def test_a_dependency_that_is_there_or_ignored_holds_nothing_back(integration, judge, fields):
    factories.RecordFactory(integration=integration, flow="payment_terms", key="7", **fields)
    assert judge(TERM, "vendors").fate is Fate.SEND


def test_the_next_edge_is_the_first_day_that_is_still_to_come(integration):
    vendors: Any = registry.get("vendors")
    tomorrow = TODAY + timedelta(days=1)
    source = {**VENDOR, "ValidFrom": "2020-01-01", "ValidTo": TODAY.isoformat()}
    assert next_edge(vendors, source, context()) == tomorrow
    assert next_edge(vendors, {**VENDOR, "ValidFrom": "2020-01-01"}, context()) is None
    assert next_edge(vendors, source, context(today=date(2030, 1, 1))) is None


def test_the_first_part_to_send_is_the_first_that_differs():
    orders: Any = registry.get("purchase_orders")
    confirmed = {"header": [{"externalCode": "H"}], "lines": [{"externalCode": "L", "quantity": 1}]}
    changed = {**confirmed, "lines": [{"externalCode": "L", "quantity": 2}]}
    assert first_part(orders, Record(target=changed, confirmed_target=confirmed)) == "lines"
    assert first_part(orders, Record(target=changed)) == "header"
    assert first_part(orders, Record(target=confirmed, confirmed_target=confirmed)) == "header"


def test_two_orders_with_one_number_are_told_apart_within_a_page(integration):
    orders = comparison(integration, "purchase_orders")
    one, other = ORDER, {**ORDER, "DocEntry": 2}
    numbers = [judged.record.target["header"][0]["orderNumber"] for judged in orders.judge([one, other])]
    assert numbers == ["500", "500-2"]
