"""Sending: at least once, twice only after a crash, bounded tries, nothing hostile in a header."""

from __future__ import annotations

import email
import email.policy
import json
from datetime import timedelta

import pytest
from django.core import mail as outbox
from django.db import connection
from django.utils import timezone

from syncengine.engine.leases import lease_end
from syncengine.engine.work import Deadline
from syncengine.models import DeliveryState, Notice, NoticeDelivery
from syncengine.notices import Kind, delivering, mail, raise_notice, slack
from tenants.models import Membership, SlackWebhook
from tests.engine.world import in_threads

pytestmark = pytest.mark.django_db(transaction=True)
HOSTILE = "Vendor <b>x</b>\r\nBcc: thief@example.com\r\n\r\nBuy now \x1b[31m"


class Killed(BaseException):
    """The worker is gone."""


def tell(integration, subject="pause", message="Finland is paused.", kind=Kind.INTEGRATION_PAUSED, **more):
    return raise_notice(integration, kind, subject, message, "Mend the connection.", **more)


def work():
    while delivering.send_due(Deadline(5)):
        pass


def states():
    return list(NoticeDelivery.objects.order_by("pk").values_list("state", flat=True))


def lose_lease():
    NoticeDelivery.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))


@pytest.fixture
def slack_to(integration, webhook):
    return SlackWebhook.objects.create(
        organization=integration.organization, url={"value": webhook.url}, kinds=list(Kind), changed_at=timezone.now()
    )


# E-mail


def test_a_notice_goes_out_over_smtp_with_text_and_links(integration, operator, mail_server, settings):
    settings.SITE_URL = "https://portal.example.com"
    tell(integration, path="integrations/7/connections/")
    work()
    [raw] = mail_server.messages
    message = email.message_from_string(raw, policy=email.policy.default)
    assert message["To"] == operator.email
    assert message["Subject"] == "[Nordic Paper] Finland is paused."
    assert message["Auto-Submitted"] == "auto-generated"
    text = message.get_content()
    assert "https://portal.example.com/o/nordic-paper/integrations/7/connections/" in text
    assert "https://portal.example.com/o/nordic-paper/notices/settings/" in text
    assert "Mend the connection." in text
    assert states() == ["sent"]


def test_hostile_text_makes_no_header_and_steers_no_terminal(integration, operator, mail_server):
    tell(integration, message=HOSTILE)
    work()
    [raw] = mail_server.messages
    message = email.message_from_string(raw, policy=email.policy.default)
    assert message["Bcc"] is None
    assert "\x1b" not in raw
    assert "Bcc: thief@example.com" in message["Subject"]  # as words, on the one line


def test_the_name_of_an_organization_makes_no_header_either(integration, operator, mail_server):
    integration.organization.name = "Evil\nBcc: thief@example.com"
    integration.organization.save()
    tell(integration)
    work()
    assert email.message_from_string(mail_server.messages[0])["Bcc"] is None


def test_several_notices_to_one_member_go_in_one_message(integration, operator, mail_server):
    for subject in ("a", "b", "c"):
        tell(integration, subject, f"{subject} failed.", Kind.RUN_FAILED)
    work()
    [raw] = mail_server.messages
    assert "3 notices from Ledgerbridge" in raw
    assert states() == ["sent"] * 3


def test_a_mail_server_that_refuses_is_tried_again_and_given_up_in_the_end(integration, operator, mail_server):
    mail_server.refuse = "451 Later please"
    tell(integration)
    for tried in range(1, len(delivering.DELAYS) + 1):
        work()
        row = NoticeDelivery.objects.get()
        assert (row.state, row.attempts) == ("waiting", tried)
        assert "451" not in row.error
        NoticeDelivery.objects.update(next_attempt_at=timezone.now())
    work()
    assert states() == ["failed"]
    assert mail_server.messages == []


def test_it_arrives_when_the_mail_server_is_back(integration, operator, mail_server):
    mail_server.refuse = "451 Later please"
    tell(integration)
    work()
    mail_server.refuse = ""
    NoticeDelivery.objects.update(next_attempt_at=timezone.now())
    work()
    assert len(mail_server.messages) == 1


def test_a_mail_server_that_is_away_breaks_nothing(integration, operator, mail_server, settings):
    settings.EMAIL_PORT = 1
    tell(integration)
    work()
    assert states() == ["waiting"]


def test_several_workers_send_it_once(integration, operator, mail_server):
    tell(integration)
    in_threads(*[work] * 4)
    assert len(mail_server.messages) == 1


def test_who_left_is_not_told_any_more(integration, operator, mail_server):
    tell(integration)
    Membership.objects.filter(user=operator).delete()
    work()
    assert mail_server.messages == []


# A worker that is lost


def die(*_arguments, **_more):
    raise Killed


def test_lost_before_sending_it_is_sent_by_another(integration, operator, monkeypatch):
    tell(integration)
    with monkeypatch.context() as patch:
        patch.setattr(mail, "send", die)
        with pytest.raises(Killed):
            work()
    assert states() == ["sending"]
    work()
    assert outbox.outbox == []  # its lease still holds
    lose_lease()
    work()
    assert len(outbox.outbox) == 1


def test_lost_after_sending_it_is_sent_twice_at_most_under_one_message_id(integration, operator, monkeypatch):
    tell(integration)
    send = mail.send

    def send_and_die(deliveries):
        send(deliveries)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(mail, "send", send_and_die)
        for _ in range(2):
            with pytest.raises(Killed):
                work()
            lose_lease()
    work()
    assert len(outbox.outbox) == 2
    assert len({message.extra_headers["Message-ID"] for message in outbox.outbox}) == 1
    assert states() == ["failed"]


def test_a_lease_is_not_taken_from_who_still_sends(integration, operator):
    tell(integration)
    NoticeDelivery.objects.update(
        state=DeliveryState.SENDING, lease_owner="x", lease_expires_at=lease_end(timezone.now())
    )
    work()
    assert outbox.outbox == []


# Slack


def test_slack_gets_words_and_a_link_and_no_secret(integration, webhook, slack_to, settings):
    settings.SITE_URL = "https://portal.example.com"
    tell(integration, message="Invoices <!channel> & co failed.", path="runs/3/")
    work()
    [posted] = webhook.posts
    assert posted["text"] == "Integration paused: Invoices &lt;!channel&gt; &amp; co failed."
    [block] = posted["blocks"]
    assert "<https://portal.example.com/o/nordic-paper/runs/3/|Open in Ledgerbridge>" in block["text"]["text"]
    assert "very-secret-part" not in json.dumps(posted)
    assert states() == ["sent"]


@pytest.mark.parametrize(("status", "state"), [(500, "waiting"), (429, "waiting"), (404, "failed"), (302, "failed")])
def test_what_slack_answers_decides_whether_it_is_tried_again(integration, webhook, slack_to, status, state):
    webhook.status = status
    tell(integration)
    work()
    assert states() == [state]
    slack_to.refresh_from_db()
    assert slack_to.error
    assert "very-secret-part" not in slack_to.error


def test_slack_says_how_long_to_wait(integration, webhook, slack_to):
    webhook.status, webhook.headers = 429, {"Retry-After": "600"}
    tell(integration)
    work()
    left = NoticeDelivery.objects.get().next_attempt_at - timezone.now()
    assert timedelta(seconds=590) < left <= timedelta(seconds=600)


def test_what_arrives_again_shows_no_error(integration, webhook, slack_to):
    SlackWebhook.objects.update(error="It was away.")
    tell(integration)
    work()
    slack_to.refresh_from_db()
    assert slack_to.error == ""


def test_a_webhook_is_kept_from_private_addresses(integration, webhook, slack_to, settings):
    settings.OUTBOUND_ALLOW = []
    tell(integration)
    work()
    assert webhook.posts == []
    assert states() == ["failed"]


def test_a_webhook_that_was_removed_gets_nothing(integration, webhook, slack_to):
    tell(integration)
    slack_to.delete()
    work()
    assert (webhook.posts, states()) == ([], ["failed"])


def test_its_url_is_encrypted_at_rest(slack_to, webhook):
    with connection.cursor() as cursor:
        cursor.execute("SELECT url FROM tenants_slackwebhook")
        assert "very-secret-part" not in str(cursor.fetchone()[0])


def test_text_is_escaped_as_slack_reads_it():
    assert slack.escaped("<!here> & <@U1>") == "&lt;!here&gt; &amp; &lt;@U1&gt;"


def test_a_long_message_is_cut_in_the_subject_only(integration, operator, mail_server):
    tell(integration, message="long " * 100)
    work()
    assert Notice.objects.get().message.startswith("long long")
    subject = email.message_from_string(mail_server.messages[0], policy=email.policy.default)["Subject"]
    assert len(subject.strip()) == mail.LONGEST_SUBJECT
