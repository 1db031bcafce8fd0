"""What people do with hooks, and what the trail keeps of it."""

from __future__ import annotations

import json
import re
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

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


def test_the_secret_and_the_address_which_may_be_one_are_encrypted_where_they_are_kept(organization):
    hook = service.create(organization, values(url="https://tools.example.com/in/T0ken?key=also"), ACTOR)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret, url FROM syncengine_hook")
        kept, shown = cursor.fetchone()
    assert shown == "https://tools.example.com/***"
    assert not {hook.secret["value"], "T0ken", "also"} & {*re.split(r"\W", str(bytes(kept)))}
    assert hook.secret["url"] == "https://tools.example.com/in/T0ken?key=also"


def test_what_is_shown_of_the_address_given_back_leaves_it_as_it_is(organization):
    hook = service.create(organization, values(), ACTOR)
    same = service.change(hook, {"url": hook.url, "name": "Reporting"}, ACTOR)
    assert same.secret == hook.secret
    moved = service.change(hook, {"url": "https://other.example.com/in"}, ACTOR)
    assert (moved.url, moved.secret["url"]) == ("https://other.example.com/***", "https://other.example.com/in")
    assert moved.secret["value"] == hook.secret["value"]


def test_one_that_cannot_be_decrypted_says_so_until_its_address_is_entered_again(organization):
    hook = service.create(organization, values(), ACTOR)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE syncengine_hook SET secret = %s", [b"gAAAAABtorn"])
    before, hook = hook.secret["value"], Hook.objects.defer("secret").get()
    for deed in (service.show_secret, service.rotate):
        with pytest.raises(Refused, match="cannot be decrypted"):
            deed(hook, ACTOR)
    with pytest.raises(Refused, match="cannot be decrypted"):
        service.change(hook, {"url": hook.url}, ACTOR)
    mended = service.change(hook, values(), ACTOR)
    assert mended.secret["url"] == values()["url"]
    assert service.show_secret(mended, ACTOR) != before


def test_addresses_of_the_version_before_are_encrypted_and_unreadable_ones_wait(organization):
    encrypt = import_module("syncengine.migrations.0026_hook_addresses").encrypt
    old, torn = factories.HookFactory.create_batch(2, organization=organization, url="https://tools.example.com/key")
    old.secret = {"value": "whsec_x"}
    old.save()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE syncengine_hook SET secret = %s WHERE id = %s", [b"gAAAAABtorn", torn.pk])
    encrypt(apps, None)
    old.refresh_from_db()
    assert (old.url, old.secret["url"]) == ("https://tools.example.com/***", "https://tools.example.com/key")
    assert Hook.objects.filter(pk=torn.pk).values_list("url", flat=True).get() == "https://tools.example.com/key"


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
