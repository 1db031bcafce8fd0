"""The fix-it inbox as people of each role see it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from syncengine.connectors.outcomes import Unavailable
from syncengine.engine import mappings, troubles
from syncengine.models import Record, Repair, RepairEntry
from syncengine.repairs import choices, effects
from syncengine.repairs.choices import Choice
from tests import factories
from tests.portal.views.test_queries import assert_constant

CLOSED = "problems: G/L account 4010 is frozen in SAP."
PERIOD = "problems: The posting period of 2026-10-31 is locked in SAP."
KEY = {"flow": "invoices", "cause": CLOSED}


@pytest.fixture
def failed(connected):
    def make(count=1, failed_for=CLOSED, **fields):
        given = {
            "status": "failed", "stage": "received", "error_code": "problems", "cause": failed_for,
            "failed_for": failed_for, "failed_at": timezone.now(), "amount": Decimal("100.10"), **fields,
        }  # fmt: skip
        return [factories.invoice(connected, **given) for _ in range(count)]

    return make


@pytest.fixture
def inbox(root):
    return f"{root}repairs/"


@pytest.fixture
def cause_page(root):
    return f"{root}repairs/cause/"


def text_of(answer):
    assert answer.status_code == 200
    return answer.content.decode()


def test_causes_are_listed_in_accounting_words_with_their_money(inbox, failed, people):
    failed(37, title="<script>alert(1)</script>")
    failed(1, PERIOD, amount=Decimal(5))
    shown = text_of(people["viewer"].get(inbox))
    assert shown.index("Account 4010 is closed in SAP") < shown.index("The posting period of 2026-10-31 is locked")
    assert "37 invoices" in shown
    assert "3,703.70 EUR" in shown
    assert "1 invoice<" in shown
    assert "Choose another account" in shown
    assert '<span class="tab-count">2</span>' in shown


def test_open_retrying_snoozed_and_resolved_are_kept_apart_in_the_url(inbox, failed, people, connected):
    failed(1, "problems: it is open")
    failed(1, "problems: it is retrying", status="pending", cause="")
    failed(1, "problems: it is snoozed")
    failed(1, "problems: it is resolved", status="done", cause="", mended_at=timezone.now())
    until = timezone.now() + timedelta(days=2)
    Repair.objects.create(integration=connected, flow="invoices", cause="problems: it is snoozed", snoozed_until=until)
    for state in ("open", "retrying", "snoozed", "resolved"):
        shown = text_of(people["viewer"].get(inbox, {"state": state}))
        assert [word for word in ("open", "retrying", "snoozed", "resolved") if f">It is {word}<" in shown] == [state]
    assert ">It is open<" in text_of(people["viewer"].get(inbox, {"state": "nonsense"}))


def test_a_resolved_cause_says_when_and_by_what(inbox, failed, people, connected):
    failed(1, status="done", cause="", mended_at=timezone.now())
    assert "by itself" in text_of(people["viewer"].get(inbox, {"state": "resolved"}))
    Repair.objects.create(
        integration=connected, flow="invoices", cause=CLOSED,
        acted_at=timezone.now(), acted_by="anna@example.com", acted_on=1, acted_how="4010 → 4011 in accounts",
    )  # fmt: skip
    shown = text_of(people["viewer"].get(inbox, {"state": "resolved"}))
    assert "after anna@example.com: 4010 → 4011 in accounts" in shown


def test_one_s_own_causes_are_found(inbox, failed, people, connected, operator):
    failed(1)
    assert "Nothing of yours here" in text_of(people["operator"].get(inbox, {"mine": "1"}))
    Repair.objects.create(integration=connected, flow="invoices", cause=CLOSED, assignee=operator)
    assert "Account 4010" in text_of(people["operator"].get(inbox, {"mine": "1"}))
    assert "Account 4010" not in text_of(people["admin"].get(inbox, {"mine": "1"}))


@pytest.mark.parametrize("state", ["open", "retrying", "snoozed", "resolved"])
def test_an_empty_tab_says_what_would_stand_there(inbox, people, state):
    shown = text_of(people["viewer"].get(inbox, {"state": state}))
    assert 'class="empty"' in shown


def test_what_a_worker_counted_says_when(inbox, failed, people, connected, monkeypatch):
    monkeypatch.setattr(troubles, "MANY", 3)
    failed(3)
    assert "Counted" not in text_of(people["viewer"].get(inbox))
    troubles.remember(connected)
    assert "Counted" in text_of(people["viewer"].get(inbox))


def test_the_navigation_counts_what_needs_a_person(root, failed, people):
    assert "records need a person" not in text_of(people["viewer"].get(f"{root}runs/"))
    failed(2)
    assert '2<span class="visually-hidden"> records need a person' in text_of(people["viewer"].get(f"{root}runs/"))


def test_a_cause_nobody_ever_heard_of_is_not_there(cause_page, people):
    assert people["viewer"].get(cause_page, KEY).status_code == 404
    assert people["viewer"].get(cause_page).status_code == 404
    assert people["operator"].post(f"{cause_page}note/", {"text": "x"}).status_code == 404


def test_a_viewer_reads_and_finds_no_form(cause_page, failed, people):
    failed(2, title="RE-4711")
    shown = text_of(people["viewer"].get(cause_page, KEY))
    assert "RE-4711" in shown
    assert 'method="post"' not in shown.split("<main")[1]
    assert people["viewer"].get(f"{cause_page}choices/", KEY).status_code == 403


def test_an_operator_may_replay_and_only_an_admin_chooses_another_code(cause_page, failed, people, connected):
    failed(2)
    assert "an admin does that" in text_of(people["operator"].get(cause_page, KEY))
    refused = people["operator"].post(f"{cause_page}replay/", {**KEY, "replacement": "4011"})
    assert refused.status_code == 403
    assert mappings.current(connected, "invoices").version == 0
    assert people["operator"].post(f"{cause_page}replay/", {**KEY, "expected": "2"}).status_code == 302
    assert Record.objects.filter(status="pending").count() == 2


def test_choices_are_shown_where_they_are_searched(cause_page, failed, people, monkeypatch):
    failed(1)
    asked = []

    def search(integration, table, text):
        asked.append((table, text))
        return [Choice("4011", "Goods <b>bought</b>")]

    monkeypatch.setattr(choices, "search", search)
    part = text_of(
        people["admin"].get(f"{cause_page}choices/", {**KEY, "text": "goods"}, headers={"HX-Request": "true"})
    )
    assert "<html" not in part
    assert "Goods &lt;b&gt;bought&lt;/b&gt;" in part
    assert asked == [("accounts", "goods")]
    assert "<html" in text_of(people["admin"].get(f"{cause_page}choices/", {**KEY, "text": "goods"}))


def test_a_search_that_sap_does_not_answer_says_so(cause_page, failed, people, monkeypatch):
    failed(1)

    def away(*_arguments):
        raise Unavailable("SAP does not answer.", code="connect_timeout")

    monkeypatch.setattr(choices, "search", away)
    monkeypatch.setattr(effects, "try_out", away)
    assert "SAP does not answer." in text_of(people["admin"].get(f"{cause_page}choices/", KEY))
    assert "SAP does not answer." in text_of(people["operator"].post(f"{cause_page}try/", KEY))


def test_the_effect_is_shown_in_place_with_what_is_in_the_way(cause_page, failed, people, monkeypatch):
    failed(37)
    tried = effects.Effect(37, 37)
    tried.good["posted"], tried.bad["still fail"], tried.why["Vendor V1 is frozen in SAP."] = 34, 3, 3
    seen = []
    monkeypatch.setattr(effects, "try_out", lambda integration, group, mapping: seen.append(mapping) or tried)
    part = text_of(
        people["admin"].post(f"{cause_page}try/", {**KEY, "replacement": "4011"}, headers={"HX-Request": "true"})
    )
    assert "34 would be posted, 3 would still fail." in part
    assert "3 because" in part
    assert "With 4010 → 4011 in accounts" in part
    assert "All 37 were tried." in part
    assert seen[0].lookups["accounts"] == {"4010": "4011"}
    assert "<html" in text_of(people["operator"].post(f"{cause_page}try/", KEY))


def test_a_translation_is_saved_and_all_replayed_as_one_act(cause_page, failed, people, connected):
    failed(3)
    order = {**KEY, "replacement": "4011", "expected": "3", "base": "0", "reason": "agreed"}
    answer = people["admin"].post(f"{cause_page}replay/", order, follow=True)
    shown = text_of(answer)
    assert "3 invoices on their way again, as one act." in shown
    assert "0 of 3 came through" in shown
    assert "4010 → 4011 in accounts, version 1 of the mapping" in shown
    assert mappings.current(connected, "invoices").lookups["accounts"] == {"4010": "4011"}


@pytest.mark.parametrize(
    ("stale", "words"),
    [({"expected": "2"}, "It was 2 when you looked; meanwhile it is 3."), ({"base": "7"}, "The mapping was changed")],
)
def test_what_has_changed_since_one_looked_is_shown_and_nothing_done(
    cause_page, failed, people, connected, stale, words
):
    failed(3)
    answer = people["admin"].post(f"{cause_page}replay/", {**KEY, "replacement": "4011", **stale})
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert Record.objects.filter(status="failed").count() == 3
    assert mappings.current(connected, "invoices").version == 0


def test_an_admin_who_has_chosen_nothing_yet_replays_only_when_it_is_meant(cause_page, failed, people):
    failed(2)
    answer = people["admin"].post(f"{cause_page}replay/", KEY)
    assert answer.status_code == 400
    assert "Choose the account first." in answer.content.decode()
    assert Record.objects.filter(status="failed").count() == 2
    assert people["admin"].post(f"{cause_page}replay/", {**KEY, "as_is": "yes"}).status_code == 302
    assert Record.objects.filter(status="pending").count() == 2


def test_progress_is_asked_for_until_all_is_done(cause_page, failed, people):
    failed(2)
    people["operator"].post(f"{cause_page}replay/", KEY)
    part = text_of(people["viewer"].get(f"{cause_page}progress/", KEY))
    assert "every 2s" in part
    assert "Cancel" not in part
    Record.objects.update(status="done", mended_at=timezone.now())
    part = text_of(people["viewer"].get(f"{cause_page}progress/", KEY))
    assert "every 2s" not in part
    assert "2 of 2 came through" in part


def test_queued_retries_are_cancelled(cause_page, failed, people):
    failed(2)
    people["operator"].post(f"{cause_page}replay/", KEY)
    answer = people["operator"].post(f"{cause_page}cancel/", KEY, follow=True)
    assert "2 retries were cancelled. They are open again." in text_of(answer)
    assert Record.objects.filter(status="failed", failed_for=CLOSED).count() == 2
    assert "nothing left to do" in text_of(people["operator"].post(f"{cause_page}cancel/", KEY, follow=True))


def test_putting_aside_needs_a_reason_and_tells_what_could_not_be(cause_page, failed, people):
    failed(1, stage="acknowledged", title="RE-1")
    assert people["operator"].post(f"{cause_page}put-aside/", KEY).status_code == 400
    shown = text_of(people["operator"].post(f"{cause_page}put-aside/", {**KEY, "reason": "old"}, follow=True))
    assert "Not done for 1: RE-1: Basware waits for an answer" in shown
    shown = text_of(
        people["operator"].post(f"{cause_page}put-aside/", {**KEY, "reason": "old", "give_back": "on"}, follow=True)
    )
    assert "1 invoice put aside with your reason." in shown


def test_somebody_of_the_organization_looks_after_it(cause_page, failed, people, admin, outsider):
    failed(1)
    shown = text_of(people["operator"].post(f"{cause_page}assign/", {**KEY, "assignee": admin.pk}, follow=True))
    assert f"{admin.email} looks after it." in shown
    assert people["operator"].post(f"{cause_page}assign/", {**KEY, "assignee": outsider.pk}).status_code == 400
    assert Repair.objects.get().assignee == admin
    people["operator"].post(f"{cause_page}assign/", {**KEY, "assignee": ""})
    assert Repair.objects.get().assignee is None


def test_it_is_snoozed_until_the_morning_of_a_day_and_brought_back(cause_page, failed, people, organization):
    failed(1)
    day = timezone.localdate() + timedelta(days=3)
    people["operator"].post(f"{cause_page}snooze/", {**KEY, "until": day.isoformat(), "why": "the period opens"})
    until = Repair.objects.get().snoozed_until.astimezone(organization.zone)
    assert (until.date(), until.hour) == (day, 8)
    shown = text_of(people["operator"].get(cause_page, KEY))
    assert "Bring it back now" in shown
    assert "the period opens" in shown
    people["operator"].post(f"{cause_page}snooze/", KEY)
    assert Repair.objects.get().snoozed_until is None


@pytest.mark.parametrize("days", [0, -1, 400])
def test_a_day_that_makes_no_sense_is_refused(cause_page, failed, people, days):
    failed(1)
    day = timezone.localdate() + timedelta(days=days)
    assert people["operator"].post(f"{cause_page}snooze/", {**KEY, "until": day.isoformat()}).status_code == 400
    assert not Repair.objects.exists()


def test_a_note_is_read_beside_the_cause(cause_page, failed, people):
    failed(1)
    people["operator"].post(f"{cause_page}note/", {**KEY, "text": "The <i>controller</i> knows."})
    shown = text_of(people["viewer"].get(cause_page, KEY))
    assert "The &lt;i&gt;controller&lt;/i&gt; knows." in shown
    assert people["operator"].post(f"{cause_page}note/", {**KEY, "text": ""}).status_code == 400
    assert RepairEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (PERIOD, "Wait for the period"),
        ("needs_decision: A document in SAP looks like it.", "Decide"),
        ("login_failed: SAP refused.", "Connections"),
        ("problems: X: the rule foo cannot be evaluated: bar.", "Mapping</a>"),
        ("problems: Unit: the lookup table units has no entry for PCE.", "Add a translation"),
    ],
)
def test_every_kind_of_cause_says_what_a_person_does(cause_page, failed, people, cause, words):
    failed(1, cause)
    assert words in text_of(people["admin"].get(cause_page, {"flow": "invoices", "cause": cause}))


def test_the_inbox_and_a_cause_ask_a_constant_number(inbox, cause_page, failed, people):
    failed(3)
    for number in range(2):
        failed(2, f"problems: {number}")

    def more():
        failed(20)
        for number in range(2, 12):
            failed(2, f"problems: {number}")
            failed(2, f"problems: {number}", status="pending", cause="")

    assert_constant(people["owner"], inbox, more)
    address = f"{cause_page}?flow=invoices&cause=problems%3A+G%2FL+account+4010+is+frozen+in+SAP."
    assert_constant(people["owner"], address, lambda: failed(60))
