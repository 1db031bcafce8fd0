"""Notices as people meet them: the list with read and unread, their own choices, the organization's Slack."""

from __future__ import annotations

import pytest
from django.utils import timezone

from syncengine.models import AuditEvent, Notice
from syncengine.notices import Kind, close_notices, raise_notice
from tenants.models import NotificationChoice, SlackWebhook
from tests.notices.conftest import webhook

__all__ = ["webhook"]
HOSTILE = "<script>alert('x')</script>"
CHOICES = {kind.value: "none" for kind in Kind}


@pytest.fixture
def notice(connected) -> Notice:
    return raise_notice(
        connected, Kind.INTEGRATION_PAUSED, "pause", f"Finland is paused: {HOSTILE}", "Ping.",
        path=f"integrations/{connected.pk}/connections/",
    )  # fmt: skip


@pytest.fixture
def here(organization) -> str:
    return f"/o/{organization.slug}/notices/"


def text_of(client, path, status=200):
    answer = client.get(path)
    assert answer.status_code == status
    return answer.content.decode()


def test_a_notice_is_listed_with_its_hint_and_hostile_text_stays_text(here, notice, people):
    page = text_of(people["viewer"], here)
    assert "Integration paused" in page
    assert "&lt;script&gt;" in page
    assert HOSTILE not in page
    assert "Ping." in page


def test_unread_ones_are_counted_in_the_navigation_of_every_page(here, notice, people, root):
    assert '1<span class="visually-hidden"> unread</span>' in text_of(people["viewer"], root)
    people["viewer"].post(f"{here}{notice.pk}/read/")
    assert "unread</span>" not in text_of(people["viewer"], root)
    assert "unread</span>" in text_of(people["operator"], root)


def test_looking_at_one_marks_it_read_and_leads_to_its_cause(here, notice, people, root):
    answer = people["viewer"].post(f"{here}{notice.pk}/read/", {"open": "1"})
    assert (answer.status_code, answer["Location"]) == (302, f"{root}connections/")
    assert "Finland is paused" not in text_of(people["viewer"], f"{here}?show=unread")


def test_all_are_read_with_one_click(here, connected, people):
    for number in range(3):
        raise_notice(connected, Kind.RUN_FAILED, f"flow{number}", "It failed.")
    people["viewer"].post(f"{here}read/")
    assert "Nothing unread" in text_of(people["viewer"], f"{here}?show=unread")
    assert "It failed." in text_of(people["viewer"], here)


def test_what_is_over_is_marked_so_and_not_unread(here, notice, connected, people):
    close_notices(connected, Kind.INTEGRATION_PAUSED)
    page = text_of(people["viewer"], here)
    assert "Over" in page
    assert "unread</span>" not in page


def test_without_any_the_page_says_what_will_come(here, connected, people):
    assert "No notices yet" in text_of(people["viewer"], here)


def test_everybody_chooses_for_himself(here, connected, people, viewer):
    page = text_of(people["viewer"], f"{here}settings/")
    assert viewer.email in page
    assert "Slack, for all" not in page
    answer = people["viewer"].post(f"{here}settings/", {**CHOICES, "run_failed": "daily"})
    assert answer.status_code == 302
    chosen = NotificationChoice.objects.filter(membership__user=viewer)
    assert dict(chosen.values_list("kind", "how")) == {**CHOICES, "run_failed": "daily"}
    assert not NotificationChoice.objects.exclude(membership__user=viewer).exists()
    assert 'value="daily" selected' in text_of(people["viewer"], f"{here}settings/")


def test_a_choice_that_does_not_exist_is_refused(here, connected, people):
    answer = people["viewer"].post(f"{here}settings/", {**CHOICES, "run_failed": "hourly"})
    assert answer.status_code == 400
    assert not NotificationChoice.objects.exists()


def test_an_admin_stores_the_webhook_and_nobody_sees_its_url_again(here, connected, webhook, people):
    answer = people["admin"].post(f"{here}slack/", {"url": webhook.url, "kinds": ["run_failed"]})
    assert answer.status_code == 302
    stored = SlackWebhook.objects.get()
    assert (stored.url, stored.kinds) == ({"value": webhook.url}, ["run_failed"])
    page = text_of(people["admin"], f"{here}settings/")
    assert "Set up" in page
    assert "very-secret-part" not in page
    assert "very-secret-part" not in str(AuditEvent.objects.values_list("message", "data"))


def test_without_a_url_only_the_kinds_change(here, connected, webhook, people):
    people["admin"].post(f"{here}slack/", {"url": webhook.url, "kinds": ["run_failed"]})
    people["admin"].post(f"{here}slack/", {"url": "", "kinds": ["needs_decision"]})
    stored = SlackWebhook.objects.get()
    assert (stored.url, stored.kinds) == ({"value": webhook.url}, ["needs_decision"])


@pytest.mark.parametrize(
    "url", ["", "nonsense", "http://hooks.example.com/x", "https://127.0.0.1/x", "https://169.254.169.254/latest"]
)
def test_a_url_that_may_not_be_called_is_refused_at_its_field(here, connected, people, url):
    answer = people["admin"].post(f"{here}slack/", {"url": url, "kinds": []})
    assert answer.status_code == 400
    assert "url_error" in answer.content.decode() or "field-error" in answer.content.decode()
    assert not SlackWebhook.objects.exists()


def test_a_test_message_is_sent_and_told_of(here, connected, webhook, people, admin):
    people["admin"].post(f"{here}slack/", {"url": webhook.url, "kinds": []})
    answer = people["admin"].post(f"{here}slack/test/", follow=True)
    assert "The test has arrived." in answer.content.decode()
    assert admin.email in webhook.posts[0]["text"]


def test_a_test_that_does_not_arrive_says_why(here, connected, webhook, people):
    people["admin"].post(f"{here}slack/", {"url": webhook.url, "kinds": []})
    webhook.status = 404
    page = people["admin"].post(f"{here}slack/test/", follow=True).content.decode()
    assert "The webhook refuses messages (404)." in page
    assert "Not arriving" in page


def test_a_test_without_a_webhook_says_so(here, connected, people):
    assert "No webhook is stored yet." in people["admin"].post(f"{here}slack/test/", follow=True).content.decode()


def test_a_webhook_is_forgotten(here, connected, people, organization):
    SlackWebhook.objects.create(
        organization=organization, url={"value": "https://hooks.example.com/x"}, changed_at=timezone.now()
    )
    people["admin"].post(f"{here}slack/remove/")
    assert not SlackWebhook.objects.exists()
    assert AuditEvent.objects.filter(action="notifications.slack_removed").exists()


def test_members_who_are_no_admins_learn_that_there_is_one(here, connected, people, organization):
    SlackWebhook.objects.create(
        organization=organization, url={"value": "https://hooks.example.com/x"}, changed_at=timezone.now()
    )
    page = text_of(people["viewer"], f"{here}settings/")
    assert "posted to Slack too" in page
    assert "Send a test" not in page
