"""Records: found, shown whole, replayed, ignored, decided."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from syncengine.engine.runs import ActionRefused
from syncengine.models import AuditEvent, Record
from tenants.models import FieldMapping
from tests import factories

KEYS = {
    "id", "integration", "flow", "key", "title", "status", "stage", "flags", "attempts", "next_attempt_at", "amount",
    "currency", "error", "updated_at",
}  # fmt: skip


@pytest.fixture
def caller(api):
    return api("operator")


@pytest.fixture
def found(integration, caller):
    def keys(query: str) -> set[str]:
        answer = caller.get(f"integrations/{integration.pk}/records/?{query}")
        assert answer.status_code == 200, answer.content
        return {record["key"] for record in answer.json()["results"]}

    return keys


def test_a_list_of_records_is_three_queries_and_reads_no_payloads(
    integration, caller, django_assert_num_queries, django_assert_max_num_queries
):
    for number in range(20):
        factories.invoice(integration, key=f"INV{number}", source={"big": "x" * 1000}, flags=["total_differs"])
    caller.get(f"integrations/{integration.pk}/records/")
    with django_assert_num_queries(3) as queries:  # the key, the integration, the records
        results = caller.get(f"integrations/{integration.pk}/records/").json()["results"]
    assert set(results[0]) == KEYS
    assert '"source"' not in queries.captured_queries[-1]["sql"]
    assert [record["key"] for record in results][:2] == ["INV19", "INV18"]


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("1240.5", "1240.50"), ("100", "100.00"), ("0.123456", "0.123456"), ("-7.1", "-7.10"), ("1E+3", "1000.00")],
)
def test_amounts_are_decimal_text(amount, shown, integration, caller):
    record = factories.invoice(integration, amount=Decimal(amount))
    assert caller.get(f"records/{record.pk}/").json()["amount"] == shown


def test_a_record_without_an_amount_says_null(record, caller):
    assert caller.get(f"records/{record.pk}/").json()["amount"] is None


def test_filters_narrow_the_list(integration, found):
    factories.FailedRecordFactory(integration=integration, key="V1")
    factories.RecordFactory(integration=integration, key="V2", status="done", stage="confirmed")
    factories.invoice(integration, key="INV1", status="done", stage="paid")
    assert found("flow=vendors") == {"V1", "V2"}
    assert found("status=failed") == {"V1"}
    assert found("stage=paid") == {"INV1"}
    assert found("flow=vendors&status=done") == {"V2"}
    assert found("flow=spaceships") == set()


def test_search_finds_keys_titles_numbers_and_vendors(integration, found):
    factories.RecordFactory(integration=integration, key="V10000", title="V10000 Nordic Paper Oy")
    factories.invoice(
        integration, key="6719-aa", title="Invoice 4711", reference="4711", party="V20000",
        search="4711 1000234 V20000 Baltic Steel OÜ",
    )  # fmt: skip
    assert found("search=v10000") == {"V10000"}
    assert found("search=nordic+paper") == {"V10000"}
    assert found("search=4711") == {"6719-aa"}
    assert found("search=1000234") == {"6719-aa"}
    assert found("search=Baltic") == {"6719-aa"}
    assert found("search=V20000") == {"6719-aa"}
    assert found("search=%25") == set()


def test_updated_after_shows_what_is_new(integration, found):
    old = factories.RecordFactory(integration=integration, key="OLD")
    Record.objects.filter(pk=old.pk).update(updated_at=factories.NOON)
    factories.RecordFactory(integration=integration, key="NEW")
    assert found("updated_after=2026-05-04T12:00:00Z") == {"NEW"}
    assert found("updated_after=2026-05-04T13:59:59%2B02:00") == {"NEW", "OLD"}


def test_a_record_tells_its_whole_story(integration, caller):
    record = factories.FailedRecordFactory(
        integration=integration, key="V1", source={"CardCode": "V1", "Balance": Decimal("10.10")},
        target={"vendorCode": "V1"}, problems=[{"path": "name", "message": "name is required", "hint": "Fill it."}],
        decisions=["adopt"], mapping_version=3, target_keys={"externalCode": "1000-V-V1"},
    )  # fmt: skip
    other = factories.RecordFactory(integration=integration, key="V2")
    factories.AuditEventFactory(organization=integration.organization, record=record, action="first")
    factories.AuditEventFactory(organization=integration.organization, record=record, action="second")
    factories.AuditEventFactory(organization=integration.organization, record=other, action="another's")
    own = factories.CallFactory(integration=integration, record=record)
    batch = factories.sent_in_batch(record, request_body='[{"vendorCode": "V1"}]', response_body="{}")
    single = factories.AttemptFactory(integration=integration, record=record)
    by_attempt = factories.CallFactory(integration=integration, attempt=single)
    factories.CallFactory(integration=integration, record=other)
    shown = caller.get(f"records/{record.pk}/").json()
    assert shown["error"] == {
        "code": "mapping", "message": "name is required, but CardName has no value", "hint": "Fill the field in SAP.",
    }  # fmt: skip
    assert shown["problems"] == [{"path": "name", "message": "name is required", "hint": "Fill it."}]
    assert [event["action"] for event in shown["events"]] == ["first", "second"]
    assert [call["id"] for call in shown["calls"]] == [own.pk, batch.pk, by_attempt.pk]
    assert shown["calls"][1]["request_body"] == '[{"vendorCode": "V1"}]'
    assert {"system", "method", "url", "status", "outcome", "started_at", "duration_ms"} <= set(shown["calls"][0])
    assert shown["source"] == {"CardCode": "V1", "Balance": "10.10"}
    assert shown["target"] == {"vendorCode": "V1"}
    assert shown["decisions"] == ["adopt"]
    assert shown["mapping_version"] == 3


def test_a_record_with_many_calls_takes_no_more_queries(record, caller, django_assert_max_num_queries):
    for _ in range(30):
        factories.sent_in_batch(record)
    caller.get(f"records/{record.pk}/")
    with django_assert_max_num_queries(6):  # the key, the record, its events, its writes, its batches, its calls
        assert len(caller.get(f"records/{record.pk}/").json()["calls"]) == 30


def test_a_replay_is_pending_when_it_is_answered(record, caller):
    response = caller.post(f"records/{record.pk}/replay/", {"reason": "the vendor was mended"})
    assert response.status_code == 202
    assert response.json()["status"] == "pending"
    assert Record.objects.get().status == "pending"
    event = AuditEvent.objects.get(action="record.replayed")
    assert event.message == "the vendor was mended"
    assert event.actor.startswith("api-key:")


def test_a_body_is_optional_for_replay_resend_and_ignore(integration, caller):
    for action in ("replay", "resend", "ignore"):
        record = factories.FailedRecordFactory(integration=integration)
        assert caller.post(f"records/{record.pk}/{action}/").status_code == 202, action


def test_a_reason_of_null_is_no_reason(record, caller):
    assert caller.post(f"records/{record.pk}/replay/", {"reason": None}).status_code == 202
    assert AuditEvent.objects.get(action="record.replayed").message == ""


def test_an_ignored_record_stays_with_its_reason(record, caller):
    assert caller.post(f"records/{record.pk}/ignore/", {"reason": "a test vendor"}).json()["status"] == "ignored"
    assert AuditEvent.objects.get(action="record.ignored").message == "a test vendor"


def test_an_invoice_that_we_hold_is_not_ignored_just_so(integration, caller):
    record = factories.invoice(integration, status="failed", stage="acknowledged")
    refused = caller.post(f"records/{record.pk}/ignore/", {"reason": "paid by card"})
    assert refused.status_code == 400
    assert refused.json()["errors"]
    assert caller.post(f"records/{record.pk}/ignore/", {"reason": "x", "booked_as": "many"}).status_code == 400
    assert caller.post(f"records/{record.pk}/ignore/", {"reason": "x", "booked_as": 10**30}).status_code == 400


def test_an_invoice_that_was_answered_already_is_ignored_just_so(integration, caller):
    """TransferFailed: Basware has our false response and waits for nothing."""
    memo = {"status": "TransferFailed", "read_again": True}
    record = factories.invoice(integration, status="failed", stage="acknowledged", memo=memo)
    assert caller.post(f"records/{record.pk}/ignore/").json()["status"] == "ignored"


def test_a_number_that_sap_does_not_show_is_refused_before_anything_happens(integration, caller, monkeypatch):
    def refuse(record, number):
        raise ActionRefused(f"SAP has no document {number}.", field="booked_as", code="booked_as")

    monkeypatch.setattr("syncengine.engine.replay._check_number", refuse)
    record = factories.invoice(integration, status="failed", stage="acknowledged")
    answer = caller.post(f"records/{record.pk}/ignore/", {"reason": "x", "booked_as": 4711})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "booked_as")
    assert Record.objects.get(pk=record.pk).status == "failed"


def test_a_number_cannot_be_verified_without_a_connection(integration, caller):
    record = factories.invoice(integration, status="failed", stage="acknowledged")
    assert caller.post(f"records/{record.pk}/ignore/", {"reason": "x", "booked_as": 4711}).status_code == 409


@pytest.mark.parametrize("how", [{"give_back": True}, {"booked_as": 7}])
def test_only_invoices_are_given_back_or_booked(how, record, caller):
    answer = caller.post(f"records/{record.pk}/ignore/", {"reason": "x", **how})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, next(iter(how)))


def test_a_decision_that_is_not_open_is_400(record, caller):
    response = caller.post(f"records/{record.pk}/decide/", {"decision": "adopt", "reason": "it is this one"})
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "decision"


@pytest.mark.parametrize("body", [{}, {"decision": "adopt"}, {"decision": "dance", "reason": "x"}])
def test_a_decision_needs_a_known_name_and_a_reason(body, record, caller):
    assert caller.post(f"records/{record.pk}/decide/", body).status_code == 400


def test_a_bank_change_is_approved_by_admins_only(integration, api):
    record = factories.RecordFactory(
        integration=integration, status="done", flags=["bank_change_held"], decisions=["approve_bank_change"],
        memo={"held": {"mark": "m1"}},
    )  # fmt: skip
    body = {"decision": "approve_bank_change", "reason": "called the vendor"}
    assert api("operator").post(f"records/{record.pk}/decide/", body).status_code == 403
    assert api("admin").post(f"records/{record.pk}/decide/", body).status_code == 202
    event = AuditEvent.objects.get(action="record.decided")
    assert event.message == "called the vendor"


class TestBulkReplay:
    """POST integrations/{id}/replays/"""

    @pytest.fixture
    def replayed(self, integration, caller):
        def count(body) -> int:
            response = caller.post(f"integrations/{integration.pk}/replays/", body)
            assert response.status_code == 202, response.content
            return response.json()["count"]

        return count

    @pytest.fixture
    def records(self, integration):
        return [
            factories.FailedRecordFactory(integration=integration, key="A"),
            factories.FailedRecordFactory(integration=integration, key="B", error_code="lookup_missing"),
            factories.FailedRecordFactory(integration=integration, key="C", flow="gl_accounts"),
            factories.RecordFactory(integration=integration, key="D", status="done"),
        ]

    def test_replays_what_failed(self, records, replayed):
        assert replayed({}) == 3
        assert Record.objects.filter(status="pending").count() == 3

    def test_of_one_flow_with_one_error(self, records, replayed):
        assert replayed({"flow": "vendors", "error_code": "lookup_missing"}) == 1

    def test_by_id_and_only_of_this_integration(self, records, replayed, elsewhere):
        foreign = factories.FailedRecordFactory(integration__organization=elsewhere)
        assert replayed({"record_ids": [records[0].pk, foreign.pk]}) == 1
        foreign.refresh_from_db()
        assert foreign.status == "failed"

    @pytest.mark.parametrize(
        "body", [{"flow": "spaceships"}, {"status": "broken"}, {"record_ids": "all"}, {"record_ids": [10**30]}]
    )
    def test_a_bad_filter_replays_nothing(self, body, records, integration, caller):
        assert caller.post(f"integrations/{integration.pk}/replays/", body).status_code == 400
        assert not Record.objects.filter(status="pending").exists()


def test_a_record_worked_on_right_now_is_left_to_its_worker_and_replayed_after_it(integration, caller):
    record = factories.RecordFactory(
        integration=integration, status="in_progress", lease_owner="w",
        lease_expires_at=timezone.now() + timedelta(minutes=1),
    )  # fmt: skip
    response = caller.post(f"records/{record.pk}/replay/")
    assert (response.status_code, response.json()["status"]) == (202, "in_progress")
    assert caller.get(f"records/{record.pk}/").json()["replay_remembered"] is True
    assert caller.post(f"records/{record.pk}/resend/").json()["code"] == "in_progress"


def test_a_record_says_with_which_mapping_it_was_mapped_and_which_is_todays(integration, caller):
    record = factories.RecordFactory(integration=integration, mapping_version=1, pinned_version=1, cause="problems: x")
    FieldMapping.objects.create(integration=integration, flow="vendors", version=4, rules=[], lookups={})
    shown = caller.get(f"records/{record.pk}/").json()
    assert [shown[name] for name in ("mapping_version", "mapping_today", "pinned_version")] == [1, 4, 1]
    assert (shown["cause"], shown["replay_remembered"]) == ("problems: x", False)


def test_records_of_one_cause_are_listed_counted_and_replayed(integration, caller, found):
    for number, cause in enumerate(["a: 4010", "a: 4010", "a: 5020"]):
        factories.invoice(integration, key=f"I{number}", status="failed", error_code="a", cause=cause)
    assert found("cause=a%3A+4010") == {"I0", "I1"}
    path, body = f"integrations/{integration.pk}/replays/", {"cause": "a: 4010"}
    counted = caller.post(path, {**body, "dry": True})
    assert (counted.status_code, counted.json()) == (200, {"count": 2, "sums": {"EUR": "2481.00"}})
    assert found("status=pending") == set()
    assert caller.post(path, body).json() == {"count": 2}
    assert found("status=pending") == {"I0", "I1"}
    event = AuditEvent.objects.get(action="records.replayed")
    assert event.data["chosen_by"] == {"status": "failed", "cause": "a: 4010"}


def test_a_replay_with_a_mapping_that_does_not_compile_any_more_is_refused(integration, caller):
    rules = [{"target": "name", "source": "nonsense((("}]
    FieldMapping.objects.create(integration=integration, flow="vendors", version=1, rules=rules, lookups={})
    FieldMapping.objects.create(integration=integration, flow="vendors", version=2, rules=[], lookups={})
    record = factories.FailedRecordFactory(integration=integration, mapping_version=1)
    for body in ({"mapping": "then"}, {"mapping": "then", "dry": True}):
        answer = caller.post(f"records/{record.pk}/replay/", body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "mapping")
        assert "does not compile any more" in answer.json()["errors"][0]["message"]
    assert caller.post(f"records/{record.pk}/replay/", {"mapping": "tomorrow"}).status_code == 400
    record.refresh_from_db()
    assert record.status == "failed"


def test_a_retry_that_is_planned_can_be_held(integration, caller):
    record = factories.RecordFactory(integration=integration, status="waiting", next_attempt_at=timezone.now())
    answer = caller.post(f"records/{record.pk}/hold/", {"reason": "asked the vendor"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (202, "held_by_person")
    assert caller.post(f"records/{record.pk}/hold/").json()["code"] == "not_waiting"
