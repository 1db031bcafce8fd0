"""Runs as the API asks for them and shows them."""

from __future__ import annotations

import pytest

from syncengine.flows import registry
from syncengine.models import Run
from tests import factories

KEYS = {
    "id", "integration", "flow", "mode", "trigger", "requested_by", "status", "counts", "progress", "created_at",
    "started_at", "finished_at", "error",
}  # fmt: skip


@pytest.fixture
def caller(api):
    return api("operator")


def test_a_run_is_asked_for_and_answered_at_once(integration, caller):
    response = caller.post(f"integrations/{integration.pk}/runs/", {"flow": "vendors", "mode": "full"})
    run = Run.objects.get()
    assert response.status_code == 202
    assert response.json() == {
        "id": run.pk,
        "flow": "vendors",
        "status": "queued",
        "runs": [{"id": run.pk, "flow": "vendors", "status": "queued"}],
    }
    assert (run.mode, run.trigger) == ("full", "api")
    assert run.requested_by.startswith("api-key:lb_")


def test_a_person_in_the_browser_is_named(integration, operator, in_browser):
    in_browser(operator).post(f"integrations/{integration.pk}/runs/", {"flow": "vendors"})
    run = Run.objects.get()
    assert (run.trigger, run.mode, run.requested_by) == ("person", "incremental", operator.email)


def test_who_asks_again_is_answered_with_the_open_run(integration, caller):
    path = f"integrations/{integration.pk}/runs/"
    first = caller.post(path, {"flow": "vendors"}).json()
    assert caller.post(path, {"flow": "vendors", "mode": "full"}).json() == first
    assert Run.objects.count() == 1


def test_all_makes_one_run_a_flow_in_the_order_of_dependencies(integration, caller):
    answer = caller.post(f"integrations/{integration.pk}/runs/", {"flow": "all", "mode": "dry_run"}).json()
    assert [run["flow"] for run in answer["runs"]] == list(registry.flows())
    assert answer["id"] == answer["runs"][0]["id"]
    assert answer["flow"] == "all"


def test_the_list_is_newest_first_a_hundred_a_page_with_absolute_links(integration, caller):
    for _ in range(120):
        factories.RunFactory(integration=integration, status="succeeded")
    first = caller.get(f"integrations/{integration.pk}/runs/").json()
    assert len(first["results"]) == 100
    assert first["previous"] is None
    assert first["next"].startswith("http://testserver/api/v1/")
    second = caller.get(first["next"]).json()
    assert second["next"] is None
    keys = [run["id"] for run in first["results"] + second["results"]]
    assert keys == sorted(keys, reverse=True)
    assert len(set(keys)) == 120


def test_a_list_of_runs_is_three_queries(integration, caller, django_assert_num_queries):
    for _ in range(10):
        factories.RunFactory(integration=integration, status="failed")
    caller.get(f"integrations/{integration.pk}/runs/")
    with django_assert_num_queries(3):  # the key, the integration, the runs
        results = caller.get(f"integrations/{integration.pk}/runs/?status=failed").json()["results"]
    assert set(results[0]) == KEYS


def test_a_run_shows_its_counts_error_and_progress(integration, caller):
    run = factories.RunFactory(
        integration=integration, status="running", read=30, expected=120, sent=4, failed=1,
        error_code="closing_needs_approval", error_message="12 records are gone.", error_hint="Confirm them.",
        started_at=factories.NOON,
    )  # fmt: skip
    shown = caller.get(f"runs/{run.pk}/").json()
    assert shown["progress"] == 0.25
    assert shown["counts"] == {
        "read": 30, "unchanged": 0, "sent": 4, "confirmed": 0, "failed": 1, "created": 0, "updated": 0, "closed": 0,
    }  # fmt: skip
    assert shown["error"]["code"] == "closing_needs_approval"
    assert shown["error"]["hint"] == "Confirm them."
    assert shown["started_at"] == "2026-05-04T12:00:00Z"


@pytest.mark.parametrize(
    ("status", "expected", "progress"),
    [("queued", None, 0.0), ("running", None, None), ("settling", 10, 1.0), ("succeeded", None, 1.0)],
)
def test_progress_is_a_share_or_unknown(status, expected, progress, integration, caller):
    run = factories.RunFactory(integration=integration, status=status, expected=expected, read=15)
    assert caller.get(f"runs/{run.pk}/").json()["progress"] == progress


def test_a_dry_run_shows_what_it_found_with_exact_amounts(integration, caller):
    from decimal import Decimal

    result = {"counts": {"created": 1}, "examples": [{"amount": Decimal("100.10")}]}
    run = factories.RunFactory(integration=integration, mode="dry_run", status="succeeded", result=result)
    assert caller.get(f"runs/{run.pk}/").json()["result"]["examples"] == [{"amount": "100.10"}]


def test_a_queued_run_is_cancelled(integration, caller):
    run = factories.RunFactory(integration=integration)
    response = caller.post(f"runs/{run.pk}/cancel/")
    assert response.status_code == 202
    assert response.json()["status"] == "cancelled"
    assert caller.post(f"runs/{run.pk}/cancel/").status_code == 400


def test_closings_that_were_held_are_confirmed_by_a_run_that_closes_them(integration, caller):
    run = factories.RunFactory(
        integration=integration, mode="full", status="partial", error_code="closing_needs_approval", closings_held=12
    )
    response = caller.post(f"runs/{run.pk}/confirm-closings/")
    assert response.status_code == 202
    assert response.json()["mode"] == "full"
    assert caller.post(f"runs/{run.pk}/confirm-closings/").status_code == 400


def test_an_idempotency_key_gives_the_first_answer_again(integration, caller):
    path = f"integrations/{integration.pk}/runs/"
    first = caller.post(path, {"flow": "vendors"}, Idempotency_Key="k-1")
    Run.objects.update(status="succeeded")
    again = caller.post(path, {"flow": "vendors"}, Idempotency_Key="k-1")
    assert again.status_code == 202
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert caller.post(path, {"flow": "projects"}, Idempotency_Key="k-1").status_code == 409
    assert caller.post(path, {"flow": "vendors"}, Idempotency_Key="k-2").json() != first.json()


def test_an_idempotency_key_is_free_again_after_an_error(integration, caller):
    path = f"integrations/{integration.pk}/runs/"
    assert caller.post(path, {"flow": "nonsense"}, Idempotency_Key="k-1").status_code == 400
    assert caller.post(path, {"flow": "vendors"}, Idempotency_Key="k-1").status_code == 202
    assert caller.post(path, {"flow": "vendors"}, Idempotency_Key="k" * 256).status_code == 400


REPEATED = [
    ("integrations/", {"name": "Second"}, 201),
    ("api-keys/", {"name": "tool", "role": "viewer"}, 201),
    ("members/invite/", {"email": "new@example.com", "role": "viewer"}, 201),
    ("runs/{run}/cancel/", None, 202),
]


@pytest.mark.parametrize(("path", "body", "status"), REPEATED)
def test_what_is_repeated_under_its_idempotency_key_is_answered_alike(path, body, status, run, api):
    caller = api("admin")
    answers = [caller.post(path.format(run=run.pk), body, Idempotency_Key="k-9") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [status, status]
    assert answers[0].json() == answers[1].json()


def test_another_caller_is_not_answered_with_what_a_key_was_told(api):
    body = {"name": "tool", "role": "viewer"}
    first = api("admin").post("api-keys/", body, Idempotency_Key="k-9").json()
    other = api("admin").post("api-keys/", body, Idempotency_Key="k-9").json()
    assert first["key"] != other["key"]
