"""Finding records and replaying many."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest

from syncengine.models import AuditEvent, Record
from tenants.models import SavedView
from tests import factories


def found(client, root, query):
    return {record.key for record in client.get(f"{root}records/{query}").context["page"].rows}


@pytest.fixture
def records(connected):
    factories.RecordFactory(integration=connected, key="V1", title="V1 Müller Stahl", status="done")
    factories.FailedRecordFactory(integration=connected, key="V2", title="V2 Nordic Paper")
    factories.invoice(
        connected,
        key="8f3a",
        title="Nordic RE-4711",
        reference="RE-4711",
        party="V2",
        stage="posted",
        found_by="webhook",
    )
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
        ("?search=1.240,50+EUR&flow=invoices", {"8f3a", "9b1c"}),
        ("?found_by=webhook", {"8f3a"}),
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


# Views


def test_filters_are_kept_under_a_name_for_oneself(records, root, people):
    people["viewer"].post(f"{root}records/views/", {"name": "Broken", "status": "failed", "flow": "invoices"})
    view = SavedView.objects.get()
    assert (view.filters, view.shared) == ({"status": "failed", "flow": "invoices"}, False)
    text = people["viewer"].get(f"{root}records/").content.decode()
    assert "Broken" in text
    assert "?flow=invoices&amp;status=failed" in text or "?status=failed&amp;flow=invoices" in text
    assert "Broken" not in people["admin"].get(f"{root}records/").content.decode()
    assert not AuditEvent.objects.filter(action__startswith="view.").exists()


def test_a_shared_view_is_seen_by_all_and_is_in_the_trail(records, root, people):
    data = {"name": "Month end", "status": "failed", "shared": "on"}
    assert people["viewer"].post(f"{root}records/views/", data).status_code == 403
    people["operator"].post(f"{root}records/views/", data)
    assert "Month end" in people["viewer"].get(f"{root}records/").content.decode()
    view = SavedView.objects.get()
    assert AuditEvent.objects.get(action="view.shared").data == {"view": view.pk, "filters": {"status": "failed"}}
    assert people["viewer"].post(f"{root}records/views/{view.pk}/remove/").status_code == 403
    people["admin"].post(f"{root}records/views/{view.pk}/remove/")
    assert AuditEvent.objects.filter(action="view.removed").count() == 1
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("name", ["", " ", "x" * 61])
def test_a_view_needs_a_name(records, root, people, name):
    page = people["viewer"].post(f"{root}records/views/", {"name": name, "status": "failed"}, follow=True)
    assert "Give the view a name" in page.content.decode()
    assert not SavedView.objects.exists()


def test_a_name_is_taken_once(records, root, people):
    for _ in range(2):
        page = people["viewer"].post(f"{root}records/views/", {"name": "Mine", "status": "failed"}, follow=True)
    assert "You have a view called Mine already" in page.content.decode()
    assert SavedView.objects.count() == 1


def test_anothers_own_view_cannot_be_removed(records, root, people):
    people["operator"].post(f"{root}records/views/", {"name": "Mine", "status": "failed"})
    assert people["owner"].post(f"{root}records/views/{SavedView.objects.get().pk}/remove/").status_code == 404


# Export


def exported(client, root, query=""):
    answer = client.get(f"{root}records/export/{query}")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_the_export_holds_what_the_filters_show_with_exact_amounts(records, root, people):
    rows = exported(people["viewer"], root, "?flow=invoices&search=4711")
    assert [(row["key"], row["amount"], row["currency"]) for row in rows] == [("8f3a", "1240.500000", "EUR")]
    assert {row["key"] for row in exported(people["viewer"], root)} == {"V1", "V2", "8f3a", "9b1c"}


def test_no_cell_of_an_export_is_a_formula_or_another_organizations(records, root, people, elsewhere):
    factories.RecordFactory(integration=records, key="V9", title="=HYPERLINK(0)", reference="@x", error_message="+1")
    factories.RecordFactory(integration=factories.IntegrationFactory(organization=elsewhere), key="SECRET")
    rows = {row["key"]: row for row in exported(people["viewer"], root)}
    assert rows["V9"]["title"] == "'=HYPERLINK(0)"
    assert (rows["V9"]["reference"], rows["V9"]["error_message"]) == ("'@x", "'+1")
    assert "SECRET" not in rows


def test_a_long_export_goes_on_where_a_page_ended(records, root, people, monkeypatch):
    monkeypatch.setattr("portal.views.record_views.CHUNK", 3)
    assert len(exported(people["viewer"], root)) == 4
