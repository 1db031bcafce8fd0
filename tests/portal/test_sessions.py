"""What lies in the tables of sessions opens nothing for whoever has a copy of them, and everything still works."""

from __future__ import annotations

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client

from portal.sessions import SessionStore, cookie_of, key_of
from tenants.services import verify_email
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(organization):
    found = factories.member(organization, "admin", email="bea@example.com")
    verify_email(found)
    return found


def inside(browser):
    """Whether the browser is somebody's."""
    return browser.get("/organizations/").status_code == 200


def signed_in(person):
    browser = Client()
    browser.post("/accounts/login/", {"login": person.email, "password": factories.PASSWORD})
    assert inside(browser)
    return browser


def test_the_ids_of_the_tables_open_nothing(person):
    cookie = signed_in(person).cookies["sessionid"].value
    kept = {*Session.objects.values_list("pk", flat=True), *UserSession.objects.values_list("session_key", flat=True)}
    assert key_of(cookie) in kept
    for key in kept:
        thief = Client()
        for spelled in (key, f"{key}:", f"{key}:{'A' * 43}", cookie_of(key)[:-1]):
            thief.cookies["sessionid"] = spelled
            assert not inside(thief)


def test_what_a_session_holds_cannot_be_read_from_its_row(person):
    browser = signed_in(person)
    session = browser.session
    session["invitation"] = "a-token-that-opens"
    session.save()
    row = Session.objects.get(pk=key_of(browser.cookies["sessionid"].value))
    assert SessionStore().decode(row.session_data)["invitation"] == "a-token-that-opens"
    assert row.get_decoded() == {}


def test_a_session_under_keys_that_are_gone_is_none(person):
    browser = signed_in(person)
    Session.objects.update(session_data="gAAAAABtorn")
    assert not inside(browser)
    browser.post("/accounts/login/", {"login": person.email, "password": factories.PASSWORD})
    assert inside(browser)


def test_a_session_under_the_key_before_goes_on(person, settings):
    browser = signed_in(person)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "the-next-secret-key-of-the-tests"
    assert key_of(browser.cookies["sessionid"].value) is not None


def test_people_see_their_sign_ins_and_end_the_others(person):
    here, there = signed_in(person), signed_in(person)
    page = here.get("/accounts/sessions/")
    assert len(page.context["sessions"]) == 2
    assert page.content.decode().count("This one") == 1
    here.post("/accounts/sessions/")
    assert inside(here)
    assert not inside(there)


def test_the_cookie_keeps_what_the_settings_say_of_it(person):
    morsel = signed_in(person).cookies["sessionid"]
    assert morsel["httponly"]
    assert morsel["samesite"] == "Lax"


def test_logging_out_takes_the_cookie_away(person):
    browser = signed_in(person)
    browser.post("/accounts/logout/")
    assert browser.cookies["sessionid"].value == ""
    assert not inside(browser)
