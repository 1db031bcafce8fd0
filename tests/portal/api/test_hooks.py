"""Outgoing webhooks by the API."""

from __future__ import annotations

import pytest

from syncengine.models import Hook, HookDelivery
from tests import factories

NEW = {"name": "BI", "url": "https://tools.example.com/in", "events": ["run.finished", "record.failed"]}


@pytest.fixture
def hook(organization):
    return factories.HookFactory(organization=organization)


def test_the_secret_is_in_the_answer_that_makes_it_and_in_no_other(api):
    caller = api("admin")
    made = caller.post("hooks/", NEW)
    assert made.status_code == 201
    secret = made.json()["secret"]
    assert secret == Hook.objects.get().secret["value"]
    address = f"hooks/{made.json()['id']}/"
    for path in ("hooks/", address, f"{address}deliveries/"):
        assert secret not in caller.get(path).content.decode()
    rotated = caller.post(f"{address}rotate/", {}).json()
    assert rotated["secret"] not in {secret, None}
    assert rotated["old_secret_until"]
    assert secret not in str(rotated)


def test_the_same_post_under_the_same_key_makes_one(api):
    caller = api("admin")
    first, again = (caller.post("hooks/", NEW, Idempotency_Key="one") for _ in range(2))
    assert first.json() == again.json()
    assert Hook.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "http://10.0.0.1/"}, "url"),
        ({"url": 5}, "url"),
        ({"events": []}, "events"),
        ({"events": ["run.ended"]}, "events.0"),
        ({"integration": 999999}, "integration"),
        ({"evnets": ["run.finished"]}, "evnets"),
    ],
)
def test_a_bad_field_is_named(change, field, api):
    answer = api("admin").post("hooks/", {**NEW, **change})
    assert answer.status_code == 400
    assert field in {error["field"] for error in answer.json()["errors"]}


def test_one_of_an_integration_of_others_is_not_made(api, elsewhere):
    theirs = factories.IntegrationFactory(organization=elsewhere)
    assert api("admin").post("hooks/", {**NEW, "integration": theirs.pk}).status_code == 400


def test_if_match_refuses_a_change_to_what_has_changed_meanwhile(hook, api):
    caller = api("admin")
    tag = caller.get(f"hooks/{hook.pk}/").headers["ETag"]
    assert caller.request("PATCH", f"hooks/{hook.pk}/", {"name": "A"}, If_Match=tag).status_code == 200
    assert caller.request("PATCH", f"hooks/{hook.pk}/", {"name": "B"}, If_Match=tag).status_code == 412


def test_a_stopped_one_tells_why_and_is_taken_up_again(hook, api):
    Hook.objects.update(stopped_at=factories.NOON, stopped_for="gone")
    caller = api("admin")
    assert caller.get(f"hooks/{hook.pk}/").json()["stopped"] == {"at": "2026-05-04T12:00:00Z", "reason": "gone"}
    assert caller.request("PATCH", f"hooks/{hook.pk}/", {"enabled": True}).json()["stopped"] is None


def test_the_log_is_filtered_and_a_message_shows_both_sides(hook, api):
    factories.HookDeliveryFactory(hook=hook)
    failed = factories.HookDeliveryFactory(
        hook=hook, state="failed", status=500, response_body="no", error="It said no."
    )
    caller = api("viewer")
    [listed] = caller.get(f"hooks/{hook.pk}/deliveries/?state=failed").json()["results"]
    assert (listed["id"], listed["status"], listed["error"]) == (failed.pk, 500, "It said no.")
    assert "response_body" not in listed
    shown = caller.get(f"hook-deliveries/{failed.pk}/").json()
    assert (shown["request_body"], shown["response_body"]) == (failed.body, "no")


def test_a_test_waits_and_a_replay_has_the_same_message_id(hook, api):
    caller = api("admin")
    sent = caller.post(f"hooks/{hook.pk}/test/", {}).json()
    assert (sent["event"], sent["state"]) == ("test", "waiting")
    again = caller.post(f"hook-deliveries/{sent['id']}/replay/", {}).json()
    assert again["message_id"] == sent["message_id"]
    Hook.objects.update(enabled=False)
    assert caller.post(f"hooks/{hook.pk}/test/", {}).status_code == 400
    assert HookDelivery.objects.count() == 2
