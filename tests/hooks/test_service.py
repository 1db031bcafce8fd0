"""What people do with hooks, and what the trail keeps of it."""

from __future__ import annotations

import json

import pytest

from syncengine.hooks import service
from syncengine.hooks.events import Event
from syncengine.models import AuditEvent, Hook, HookDelivery
from tenants.errors import Refused
from tests import factories

pytestmark = pytest.mark.django_db
ACTOR = "admin@example.com"


def values(**changes):
    return {"name": "BI", "url": "https://tools.example.com/in", "events": ["run.finished"], **changes}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": "ftp://tools.example.com"}, "url"),
        ({"url": "http://tools.example.com"}, "url"),
        ({"url": "https://user:pass@tools.example.com"}, "url"),
        ({"url": "https://169.254.169.254/"}, "url"),
        ({"events": []}, "events"),
        ({"events": ["run.ended"]}, "events"),
    ],
)
def test_a_bad_field_is_named_and_nothing_is_kept(changes, field, organization):
    with pytest.raises(Refused) as refused:
        service.create(organization, values(**changes), ACTOR)
    assert refused.value.errors[0].field == field
    assert not Hook.objects.exists()


def test_an_integration_of_others_is_not_there(organization, elsewhere):
    theirs = factories.IntegrationFactory(organization=elsewhere)
    with pytest.raises(Refused, match="no such integration"):
        service.create(organization, values(integration=theirs), ACTOR)


def test_an_organization_has_so_many_and_no_more(organization, monkeypatch):
    monkeypatch.setattr(service, "MOST_HOOKS", 1)
    service.create(organization, values(), ACTOR)
    with pytest.raises(Refused, match="at most"):
        service.create(organization, values(), ACTOR)


def test_every_deed_is_in_the_trail_and_no_secret_is(organization):
    hook = service.create(organization, values(), ACTOR)
    first = hook.secret["value"]
    hook = service.rotate(hook, ACTOR)
    service.change(hook, {"name": "Reporting"}, ACTOR)
    shown = service.show_secret(hook, ACTOR)
    service.replay(service.test(hook, ACTOR), ACTOR)
    service.remove(hook, ACTOR)
    trail = AuditEvent.objects.filter(action__startswith="hook.").order_by("pk")
    assert [event.action.removeprefix("hook.") for event in trail] == [
        "created",
        "secret_rotated",
        "changed",
        "secret_shown",
        "tested",
        "replayed",
        "removed",
    ]
    kept = json.dumps([[event.message, event.data, event.actor] for event in trail])
    assert shown not in kept
    assert first not in kept


def test_a_secret_is_encrypted_where_it_is_kept(organization):
    from django.db import connection

    hook = service.create(organization, values(), ACTOR)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM syncengine_hook")
        assert hook.secret["value"] not in str(cursor.fetchone()[0])


def test_a_replay_has_the_id_and_the_words_of_the_first(organization):
    hook = service.create(organization, values(events=list(Event)), ACTOR)
    first = service.test(hook, ACTOR)
    again = service.replay(first, ACTOR)
    assert again.pk != first.pk
    assert (again.message_id, again.body, again.state) == (first.message_id, first.body, "waiting")


def test_what_is_off_is_neither_tested_nor_replayed(organization):
    hook = service.create(organization, values(enabled=False), ACTOR)
    with pytest.raises(Refused, match="is off"):
        service.test(hook, ACTOR)
    assert not HookDelivery.objects.exists()
