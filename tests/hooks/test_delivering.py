"""At least once, signed, ever later, and never to an address that must not be reached."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from syncengine.audit import record_event
from syncengine.audit.retention import remove_deliveries
from syncengine.engine.leases import lease_end
from syncengine.engine.work import Deadline
from syncengine.hooks import delivering, service
from syncengine.models import Hook, HookDelivery, Notice
from syncengine.notices import watching
from tests.engine.world import in_threads

pytestmark = pytest.mark.django_db(transaction=True)
ACTOR = "admin@example.com"


class Killed(BaseException):
    """The worker is gone."""


def happen(integration, times=1):
    for _ in range(times):
        record_event(integration.organization, "system", "integration.paused", "why", integration=integration)


def work():
    while delivering.send_due(Deadline(5)):
        pass


def later(**fields):
    """The waiting is over."""
    now = timezone.now()
    HookDelivery.objects.update(next_attempt_at=now)
    Hook.objects.update(retry_at=None, **fields)


def states():
    return list(HookDelivery.objects.order_by("pk").values_list("state", flat=True))


def test_a_message_arrives_signed_and_as_it_was_written(hook, integration, tool, verifies):
    happen(integration)
    work()
    [(headers, body)] = tool.posts
    row = HookDelivery.objects.get()
    assert body.decode() == row.body
    assert headers["webhook-id"] == row.message_id
    assert headers["content-type"] == "application/json"
    assert abs(int(headers["webhook-timestamp"]) - timezone.now().timestamp()) < 60
    assert verifies(headers, body, hook.secret["value"])
    assert not verifies(headers, body + b" ", hook.secret["value"])
    assert (row.state, row.status, row.attempts) == ("sent", 204, 1)


def test_after_a_rotation_both_secrets_verify_for_a_day_and_then_one(hook, integration, tool, verifies):
    before = hook.secret["value"]
    hook = service.rotate(hook, ACTOR)
    happen(integration)
    work()
    assert verifies(*tool.posts[0], before)
    assert verifies(*tool.posts[0], hook.secret["value"])
    Hook.objects.update(before_until=timezone.now() - timedelta(seconds=1))
    happen(integration)
    work()
    assert not verifies(*tool.posts[1], before)
    assert verifies(*tool.posts[1], hook.secret["value"])


def test_a_tool_that_fails_is_asked_again_ever_later_and_given_up_in_the_end(hook, integration, tool):
    tool.status = 500
    happen(integration)
    for tried in range(1, len(delivering.DELAYS) + 1):
        work()
        row = HookDelivery.objects.get()
        assert (row.state, row.attempts, row.status) == ("waiting", tried, 500)
        assert row.next_attempt_at > timezone.now() + timedelta(seconds=delivering.DELAYS[tried - 1] - 5)
        later()
    work()
    assert states() == ["failed"]
    assert len({headers["webhook-id"] for headers, _ in tool.posts}) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_patience_that_is_asked_for_is_had(status, hook, integration, tool):
    tool.status, tool.answer_headers = status, {"Retry-After": "1200"}
    happen(integration)
    work()
    hook.refresh_from_db()
    for moment in (HookDelivery.objects.get().next_attempt_at, hook.retry_at):
        assert timedelta(seconds=1190) < moment - timezone.now() < timedelta(seconds=1201)


def test_one_failure_keeps_the_others_for_the_same_address_waiting_and_a_success_lets_them_go(hook, integration, tool):
    tool.status = 500
    happen(integration, 3)
    work()
    assert len(tool.posts) == 1
    tool.status = 200
    later()
    work()
    assert states() == ["sent"] * 3
    hook.refresh_from_db()
    assert (hook.failing_since, hook.failures_in_a_row) == (None, 0)


def test_who_takes_nothing_for_days_is_stopped_and_people_are_told_until_it_is_switched_on(hook, integration, tool):
    tool.status = 500
    happen(integration)
    work()
    later(failing_since=timezone.now() - delivering.STOP_AFTER - timedelta(hours=1))
    work()
    hook.refresh_from_db()
    assert "5 days" in hook.stopped_for
    watching.watch([integration])
    assert Notice.objects.get(kind="hook_stopped", closed_at=None).path == f"hooks/{hook.pk}/"
    tool.status = 200
    service.change(hook, {"enabled": True}, ACTOR)
    later()
    work()
    assert states() == ["sent"]
    watching.watch([integration])
    assert not Notice.objects.filter(kind="hook_stopped", closed_at=None).exists()


def test_410_says_that_nothing_more_is_wanted(hook, integration, tool):
    tool.status = 410
    happen(integration, 2)
    work()
    assert states() == ["failed", "waiting"]
    hook.refresh_from_db()
    assert hook.stopped_at


def test_a_worker_that_is_lost_while_it_sends_leaves_the_message_to_the_next(hook, integration, tool, monkeypatch):
    happen(integration)
    monkeypatch.setattr(delivering, "_post", lambda *_: (_ for _ in ()).throw(Killed))
    with pytest.raises(Killed):
        work()
    monkeypatch.undo()
    assert not delivering.send_due(Deadline(5))  # the lease still holds
    HookDelivery.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    work()
    assert states() == ["sent"]


def test_a_message_that_another_worker_holds_is_left_alone(hook, integration, tool):
    happen(integration)
    HookDelivery.objects.update(lease_owner="another", lease_expires_at=lease_end(timezone.now()))
    work()
    assert tool.posts == []
    assert delivering.next_due(timezone.now()) is None


def test_workers_side_by_side_send_each_message_once(hook, integration, tool):
    happen(integration, 6)
    in_threads(work, work, work)
    assert len(tool.posts) == 6
    assert states() == ["sent"] * 6


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.7/",
        "https://[::1]/",
        "http://metadata.google.internal/",
    ],
)
def test_what_is_not_allowed_is_never_reached_even_when_it_was_stored(url, hook, integration, tool):
    hook.secret = {**hook.secret, "url": url}
    hook.save()
    happen(integration)
    work()
    row = HookDelivery.objects.get()
    assert (row.state, row.status) == ("waiting", None)
    assert row.error


def test_a_redirect_is_not_followed(hook, integration, tool):
    tool.status, tool.answer_headers = 302, {"Location": f"{tool.url}/elsewhere"}
    happen(integration)
    work()
    assert len(tool.posts) == 1
    assert HookDelivery.objects.get().status == 302


def test_the_log_keeps_the_answer_without_secrets(hook, integration, tool):
    tool.status = 400
    tool.answer = f'{{"got": "{hook.secret["value"]}", "password": "hunter2"}}'.encode()
    tool.answer_headers = {"Set-Cookie": "sid=very-secret-cookie", "Content-Type": "application/json"}
    happen(integration)
    work()
    row = HookDelivery.objects.get()
    kept = f"{row.request_headers} {row.response_headers} {row.response_body} {row.error}"
    for secret in (hook.secret["value"], "hunter2", "very-secret-cookie"):
        assert secret not in kept
    assert row.request_headers["webhook-id"] == row.message_id
    assert '"got"' in row.response_body


def test_a_hook_that_is_switched_off_is_sent_nothing(hook, integration, tool):
    happen(integration)
    service.change(hook, {"enabled": False}, ACTOR)
    work()
    assert tool.posts == []


def test_old_messages_are_removed_sent_or_not(hook, integration, tool):
    happen(integration, 2)
    HookDelivery.objects.filter(pk=HookDelivery.objects.order_by("pk")[0].pk).update(
        created_at=timezone.now() - timedelta(days=40)
    )
    assert sum(remove_deliveries(timezone.now() - timedelta(days=30))) == 1
    assert HookDelivery.objects.count() == 1


def test_one_that_cannot_be_decrypted_waits_and_says_why(hook, integration, tool):
    happen(integration)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE syncengine_hook SET secret = %s", [b"gAAAAABtorn"])
    work()
    row = HookDelivery.objects.defer("hook__secret").get()
    assert (row.state, row.attempts) == ("waiting", 1)
    assert "cannot be decrypted" in row.error
    assert tool.posts == []


def test_a_tool_that_repeats_its_own_address_has_no_key_in_the_log(hook, integration, tool):
    hook.secret = {**hook.secret, "url": f"{tool.url}/T0ken-in-the-path?key=also-a-token"}
    hook.save()
    tool.status = 404
    tool.answer = b'{"no": "T0ken-in-the-path", "asked": "/ledger/T0ken-in-the-path?key=also-a-token"}'
    happen(integration)
    work()
    row = HookDelivery.objects.get()
    assert "***" in row.response_body
    assert "T0ken" not in f"{row.response_body}{row.error}{row.request_headers}"
