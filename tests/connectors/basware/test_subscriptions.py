"""Push subscriptions and their history (contracts: Basware §16.1, §16.5)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from syncengine.connectors.outcomes import Rejected

from .conftest import Said, recorded

PATH = "/v1/subscriptions"
SECRET = "hook-secret-0001"


def test_subscribing_posts_an_array_with_nothing_that_is_reserved(api, basware):
    api.on("POST", PATH, Said(200, []))
    basware.subscribe("AccountingDocuments", "WaitingForTransfer", "https://portal.example/hook", SECRET)
    assert api.requests("POST", PATH)[0].json == [
        {
            "taskType": "AccountingDocuments",
            "taskSubType": "WaitingForTransfer",
            "subscriptionType": "Webhook",
            "notificationWebhookURL": "https://portal.example/hook",
            "webhookAuthenticationToken": SECRET,
        }
    ]


def test_a_failed_handshake_is_rejected_in_basware_s_words(api, basware):
    body = {"requestId": "r", "hasError": True, "errorMessages": [{"type": "T", "code": "C", "message": "no 200"}]}
    api.on("POST", PATH, Said(400, body))
    with pytest.raises(Rejected, match="no 200") as caught:
        basware.subscribe("AccountingDocuments", "All", "https://portal.example/hook", SECRET)
    assert caught.value.code == "C"


def test_subscriptions_come_with_their_secret_which_no_repr_shows(api, basware):
    api.on("GET", PATH, Said(200, recorded("subscriptions")))
    first, _second = basware.subscriptions("AccountingDocuments", "WaitingForTransfer")
    assert (first.task_type, first.task_sub_type) == ("AccountingDocuments", "WaitingForTransfer")
    assert first.url == "https://portal.example.com/hooks/basware/acme"
    assert first.secret.startswith("s3cr3t-Nordic")
    assert "s3cr3t" not in repr(first)
    assert api.requests("GET", PATH)[0].query == [
        ("taskType", "AccountingDocuments"),
        ("taskSubType", "WaitingForTransfer"),
    ]


def test_404_means_no_subscription(api, basware):
    api.on("GET", PATH, Said(404, {"detail": "Not Found"}))
    assert basware.subscriptions() == []
    assert api.requests("GET", PATH)[0].query == []


def test_no_secret_of_a_subscription_is_kept(api, basware, observed):
    api.on("POST", PATH, Said(200, [{"webhookAuthenticationToken": SECRET}]))
    api.on("GET", PATH, Said(200, recorded("subscriptions")))
    basware.subscribe("RequestStatus", "Error", "https://portal.example/hook", SECRET)
    basware.subscriptions()
    assert SECRET not in repr(observed)
    assert "s3cr3t-Nordic" not in repr(observed)


def test_unsubscribing_names_exact_types_and_counts(api, basware):
    api.on("DELETE", PATH, Said(200, {"status": "Deleted successfully", "numberOfRecordsDeleted": 2}))
    assert basware.unsubscribe("AccountingDocuments", "WaitingForTransfer") == 2
    assert api.requests("DELETE", PATH)[0].query == [
        ("lastUpdated", "0001-01-01T00:00:00Z"),
        ("taskType", "AccountingDocuments"),
        ("taskSubType", "WaitingForTransfer"),
    ]


@pytest.mark.parametrize("said", [Said(404, {"detail": "Not Found"}), Said(404), Said(200, b""), Said(200, [])])
def test_unsubscribing_what_is_not_there_removes_none(api, basware, said):
    api.on("DELETE", PATH, said)
    assert basware.unsubscribe("AccountingDocuments", "All") == 0


def test_the_wildcard_that_removes_other_systems_subscriptions_is_refused(api, basware):
    with pytest.raises(ValueError, match="exact task type"):
        basware.unsubscribe("All", "All")
    assert not api.asked


def test_the_history_comes_under_the_name_task_status(api, basware):
    api.on("GET", "/v1/tasks", Said(200, recorded("tasks")))
    pages = basware.tasks(task_type="AccountingDocuments", task_status="Failed", document_id="d",
                          last_updated=datetime(2026, 5, 6, tzinfo=UTC))  # fmt: skip
    assert [task["taskStatus"] for rows in pages for task in rows] == ["Completed"]
    assert dict(api.requests("GET", "/v1/tasks")[0].query) == {
        "taskType": "AccountingDocuments",
        "taskStatus": "Failed",
        "documentId": "d",
        "lastUpdated": "2026-05-06T00:00:00Z",
    }
