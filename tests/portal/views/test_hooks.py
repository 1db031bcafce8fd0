"""The pages of outgoing webhooks."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.proof import GOOD_FOR
from syncengine.models import AuditEvent, Hook, HookDelivery
from tests import factories

GOOD = {"name": "BI", "url": "https://tools.example.com/in", "events": ["run.finished"], "enabled": "on"}


@pytest.fixture
def hook(organization):
    return factories.HookFactory(organization=organization)


@pytest.fixture
def root(organization):
    return f"/o/{organization.slug}/"


def test_a_new_one_shows_its_secret_once_and_no_cache_keeps_it(people, root):
    page = people["admin"].post(f"{root}hooks/", GOOD)
    hook = Hook.objects.get()
    assert hook.secret["value"] in page.content.decode()
    assert page["Cache-Control"] == "no-store"
    for address in (f"{root}hooks/", f"{root}hooks/{hook.pk}/"):
        assert hook.secret["value"] not in people["admin"].get(address).content.decode()


def test_what_is_wrong_stands_beside_its_field(people, root):
    page = people["admin"].post(f"{root}hooks/", {**GOOD, "url": "http://10.0.0.1/"})
    assert page.status_code == 400
    assert "field-error" in page.content.decode()
    assert not Hook.objects.exists()


def test_the_secret_is_shown_to_who_has_just_shown_who_they_are_and_the_trail_tells(people, root, hook):
    page = people["admin"].post(f"{root}hooks/{hook.pk}/secret/")
    assert hook.secret["value"] in page.content.decode()
    assert AuditEvent.objects.filter(action="hook.secret_shown").count() == 1
    browser = people["admin"]
    session = browser.session
    session["shown_who_at"] -= GOOD_FOR + 60
    session.save()
    page = browser.post(f"{root}hooks/{hook.pk}/secret/")
    assert page.status_code == 302
    assert "reauthenticate" in page["Location"]
    assert AuditEvent.objects.filter(action="hook.secret_shown").count() == 1


def test_a_stopped_one_says_why_and_saving_it_switched_on_takes_it_up_again(people, root, hook):
    Hook.objects.update(stopped_at=factories.NOON, stopped_for="It answered 410: it wants nothing more.")
    assert "It answered 410" in people["viewer"].get(f"{root}hooks/{hook.pk}/").content.decode()
    people["admin"].post(f"{root}hooks/{hook.pk}/", GOOD)
    hook.refresh_from_db()
    assert hook.stopped_at is None
    assert hook.name == "BI"


def test_a_message_is_shown_with_what_was_sent_and_answered_as_text(people, root, hook):
    delivery = factories.HookDeliveryFactory(hook=hook, response_body="<b>bold</b>", body='{"type":"run.finished"}')
    page = people["viewer"].get(f"{root}hook-deliveries/{delivery.pk}/").content.decode()
    assert "&lt;b&gt;bold" in page
    assert "&quot;type&quot;: &quot;run.finished&quot;" in page


def test_a_test_and_a_replay_are_new_messages(people, root, hook):
    people["admin"].post(f"{root}hooks/{hook.pk}/test/")
    first = HookDelivery.objects.get()
    people["operator"].post(f"{root}hook-deliveries/{first.pk}/replay/")
    assert HookDelivery.objects.filter(message_id=first.message_id).count() == 2


def test_the_log_takes_as_many_queries_for_many_as_for_one(people, root, hook, django_assert_max_num_queries):

    factories.HookDeliveryFactory(hook=hook)
    people["viewer"].get(f"{root}hooks/{hook.pk}/")
    with CaptureQueriesContext(connection) as few:
        people["viewer"].get(f"{root}hooks/{hook.pk}/")
    factories.HookDeliveryFactory.create_batch(20, hook=hook)
    with django_assert_max_num_queries(len(few)):
        people["viewer"].get(f"{root}hooks/{hook.pk}/")
