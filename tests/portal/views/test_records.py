"""Finding records and replaying many."""

from __future__ import annotations

from decimal import Decimal

import pytest

from syncengine.models import AuditEvent, Record
from tests import factories


def found(client, root, query):
    return {record.key for record in client.get(f"{root}records/{query}").context["page"].rows}


@pytest.fixture
def records(connected):
    factories.RecordFactory(integration=connected, key="V1", title="V1 Müller Stahl", status="done")
    factories.FailedRecordFactory(integration=connected, key="V2", title="V2 Nordic Paper")
    factories.invoice(connected, key="8f3a", title="Nordic RE-4711", reference="RE-4711", party="V2", stage="posted")
    factories.invoice(connected, key="9b1c", title="RE-4712", search="10001 200045", status="failed", stage="checked")
    return connected


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("", {"V1", "V2", "8f3a", "9b1c"}),
        ("?flow=invoices", {"8f3a", "9b1c"}),
        ("?status=failed", {"V2", "9b1c"}),
        ("?stage=posted", {"8f3a"}),
        ("?flow=invoices&status=failed", {"9b1c"}),
        ("?error_code=mapping", {"V2"}),
        ("?search=4711", {"8f3a"}),
        ("?search=müller+stahl", {"V1"}),
        ("?search=stahl+m%C3%BCller", {"V1"}),
        ("?search=V2", {"V2", "8f3a"}),
        ("?search=200045", {"9b1c"}),
        ("?search=nordic&flow=vendors", {"V2"}),
        ("?search=nothing-like-it", set()),
        ("?status=nonsense", {"V1", "V2", "8f3a", "9b1c"}),
        ("?search=%25", set()),
    ],
)
def test_filters_and_words_in_the_url_find_records(records, root, people, query, keys):
    if "m%C3%BC" in query or "müller" in query:
        keys = {"V1"}
    assert found(people["viewer"], root, query) == keys


def test_another_integrations_records_are_never_found(records, root, people, elsewhere):
    factories.RecordFactory(integration=factories.IntegrationFactory(organization=elsewhere), key="SECRET")
    assert "SECRET" not in found(people["viewer"], root, "")


def test_amounts_stand_with_their_currency(records, root, people):
    assert "1,240.50 EUR" in people["viewer"].get(f"{root}records/").content.decode()


def test_older_pages_keep_the_filters(connected, root, people):
    for _ in range(51):
        factories.FailedRecordFactory(integration=connected)
    page = people["viewer"].get(f"{root}records/?status=failed").content.decode()
    assert "status=failed&amp;before=" in page


@pytest.mark.parametrize(("query", "words"), [("", "No records yet"), ("?search=x", "Nothing fits")])
def test_an_empty_list_says_what_to_do(root, people, query, words):
    assert words in people["viewer"].get(f"{root}records/{query}").content.decode()


def test_replaying_many_shows_how_many_before_it_does_anything(records, root, people):
    ticked = list(Record.objects.values_list("pk", flat=True)[:2])
    page = people["operator"].post(f"{root}replays/", {"record": ticked}).content.decode()
    assert "Replay 2 records?" in page
    assert not Record.objects.filter(status="pending", memo__contains="replay").exists()


def test_a_confirmed_replay_of_many_is_audited_for_each(records, root, people):
    failed = Record.objects.filter(status="failed")
    data = {"record": [record.pk for record in failed], "confirmed": "yes", "reason": "account opened"}
    page = people["operator"].post(f"{root}replays/", data, follow=True).content.decode()
    assert "2 records are on their way again" in page
    assert not Record.objects.filter(status="failed").exists()
    events = AuditEvent.objects.filter(action="record.replayed")
    assert {event.message for event in events} == {"account opened"}
    assert {event.actor for event in events} == {"operator@nordic-paper.example.com"}


def test_all_that_fit_the_filters_can_be_replayed(records, root, people):
    data = {"all_failed": "yes", "flow": "invoices", "status": "failed"}
    page = people["operator"].post(f"{root}replays/", data).content.decode()
    assert "Replay 1 record?" in page
    people["operator"].post(f"{root}replays/", {**data, "confirmed": "yes"})
    assert Record.objects.get(key="9b1c").status == "pending"
    assert Record.objects.get(key="V2").status == "failed"


def test_what_cannot_be_replayed_is_not_counted(connected, root, people):
    ticked = [factories.RecordFactory(integration=connected, status=status).pk for status in ("ignored", "in_progress")]
    ticked.append(factories.FailedRecordFactory(integration=connected).pk)
    assert "Replay 1 record?" in people["operator"].post(f"{root}replays/", {"record": ticked}).content.decode()


def test_records_of_others_cannot_be_ticked(root, people, elsewhere):
    foreign = factories.FailedRecordFactory(integration__organization=elsewhere)
    people["operator"].post(f"{root}replays/", {"record": [foreign.pk], "confirmed": "yes"})
    foreign.refresh_from_db()
    assert foreign.status == "failed"


@pytest.mark.parametrize("ticked", [[], ["nonsense"], ["-1"]])
def test_ticking_nothing_replays_nothing(records, root, people, ticked):
    assert "Nothing to replay" in people["operator"].post(f"{root}replays/", {"record": ticked}).content.decode()


def test_the_sums_by_currency_are_shown_before_a_confirm(records, root, people):
    factories.invoice(records, key="77aa", status="failed", amount=Decimal("10.05"), currency="USD")
    data = {"all_failed": "yes", "flow": "invoices", "status": "failed"}
    text = people["operator"].post(f"{root}replays/", data).content.decode()
    assert "Replay 2 records?" in text
    assert "1,240.50 EUR" in text
    assert "10.05 USD" in text


def test_all_with_one_cause_are_replayed_and_nothing_else(records, root, people):
    cause = "problems: G/L account 4010 is frozen in SAP."
    for key in ("4010-a", "4010-b"):
        factories.invoice(records, key=key, status="failed", error_code="problems", cause=cause)
    listed = people["operator"].get(f"{root}records/", {"status": "failed", "cause": cause}).content.decode()
    assert "G/L account 4010 is frozen in SAP." in listed
    assert "Replay all with this cause" in listed
    data = {"all_failed": "yes", "cause": cause}
    assert "Replay 2 records?" in people["operator"].post(f"{root}replays/", data).content.decode()
    people["operator"].post(f"{root}replays/", {**data, "confirmed": "yes", "expected": "2"})
    assert {one.key for one in Record.objects.filter(status="pending") if one.memo} == {"4010-a", "4010-b"}
    act = AuditEvent.objects.get(action="records.replayed")
    assert act.data["chosen_by"] == {"all_failed": ["yes"], "cause": [cause]}
    assert {event.data["act"] for event in AuditEvent.objects.filter(action="record.replayed")} == {act.pk}


def test_another_number_than_the_confirmed_one_is_asked_again(records, root, people):
    data = {"all_failed": "yes", "confirmed": "yes", "expected": "7"}
    text = people["operator"].post(f"{root}replays/", data).content.decode()
    assert "It was 7 when you looked; meanwhile it is 2." in text
    assert Record.objects.filter(status="failed").count() == 2
