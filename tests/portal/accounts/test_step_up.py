"""Secrets, keys, members and deletion ask who is there, unless that was shown within a quarter of an hour."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from tenants.models import ApiKey, Integration
from tenants.services import verify_email
from tests import factories
from tests.factories import NOON, PASSWORD

LATER = NOON + timedelta(minutes=16)


@pytest.fixture
def logged_in(organization):
    """A browser whose owner entered their password at noon."""
    person = factories.member(organization, "owner", email="anna@example.com")
    verify_email(person)
    client = Client()
    with time_machine.travel(NOON, tick=False):
        client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
    return client


@pytest.fixture
def guarded(organization, connected, viewer):
    """Deeds that ask: method, path, what is sent."""
    base, one = f"/o/{organization.slug}/", f"/o/{organization.slug}/integrations/{connected.pk}/"
    key = ApiKey.issue(organization, "ci", "viewer")[0]
    member = viewer.memberships.get().pk
    return [
        ("get", f"{one}connections/sap_b1/", {}),
        ("post", f"{one}connections/basware/", factories.BASWARE),
        ("post", f"{base}api-keys/", {"name": "ci", "role": "viewer"}),
        ("post", f"{base}api-keys/{key.pk}/revoke/", {}),
        ("post", f"{base}members/invite/", {"email": "new@example.com", "role": "viewer"}),
        ("post", f"{base}members/{member}/role/", {"role": "operator"}),
        ("post", f"{base}members/{member}/remove/", {}),
        ("post", f"{one}remove/", {"typed_name": "Finland"}),
        ("post", f"{base}organization/second-factor/", {"wanted": "true"}),
        ("get", f"{base}organization/sign-in/", {}),
        ("post", f"{base}organization/offer/", {"offer-member": member}),
        ("get", f"{base}organization/delete/", {}),
        ("post", f"{base}organization/delete/", {"typed_name": "Nordic Paper"}),
    ]


def test_after_a_quarter_of_an_hour_each_deed_asks_first_and_does_nothing(logged_in, guarded, organization):
    with time_machine.travel(LATER, tick=False):
        for method, path, data in guarded:
            answer = getattr(logged_in, method)(path, data)
            assert answer["Location"].startswith("/accounts/reauthenticate/?next="), path
    assert ApiKey.objects.count() == Integration.objects.count() == 1
    assert organization.memberships.count() == 2


def test_right_after_the_log_in_nothing_asks(logged_in, guarded):
    with time_machine.travel(NOON + timedelta(minutes=14), tick=False):
        for method, path, data in guarded[:4]:
            assert "reauthenticate" not in getattr(logged_in, method)(path, data).get("Location", ""), path


def test_the_password_again_opens_the_way_back(logged_in, organization):
    page = f"/o/{organization.slug}/api-keys/"
    with time_machine.travel(LATER, tick=False):
        asked = logged_in.post(page, {"name": "ci", "role": "viewer"}, HTTP_REFERER=f"http://testserver{page}")
        wrong = logged_in.post(asked["Location"], {"password": "wrong"})
        assert wrong.status_code == 200
        assert "Nothing was changed yet" in wrong.content.decode()
        answer = logged_in.post(asked["Location"], {"password": PASSWORD}, follow=True)
        assert answer.redirect_chain[-1][0] == page
        assert "new_key" in logged_in.post(page, {"name": "ci", "role": "viewer"}).context


def test_what_was_sent_is_not_kept_meanwhile(logged_in, organization, connected):
    with time_machine.travel(LATER, tick=False):
        logged_in.post(f"/o/{organization.slug}/integrations/{connected.pk}/connections/basware/", factories.BASWARE)
    assert factories.BASWARE_SECRET not in str(dict(logged_in.session.items()))


def test_nobody_is_led_to_another_site_on_the_way_back(logged_in, organization):
    with time_machine.travel(LATER, tick=False):
        path = f"/o/{organization.slug}/members/invite/"
        asked = logged_in.post(path, {}, HTTP_REFERER=f"https://evil.example.com/o/{organization.slug}/")
    assert "evil" not in asked["Location"]


def test_reading_never_asks(logged_in, organization, connected):
    with time_machine.travel(LATER, tick=False):
        for page in ("members/", "api-keys/", "organization/", f"integrations/{connected.pk}/connections/"):
            assert logged_in.get(f"/o/{organization.slug}/{page}").status_code == 200


def test_who_may_only_look_at_a_connection_is_not_asked(organization, connected, viewer):
    client = Client()
    with time_machine.travel(NOON, tick=False):
        client.force_login(viewer, backend="django.contrib.auth.backends.ModelBackend")
    with time_machine.travel(LATER, tick=False):
        answer = client.get(f"/o/{organization.slug}/integrations/{connected.pk}/connections/sap_b1/")
    assert answer.status_code == 200


def test_the_api_asks_browser_sessions_only(logged_in, organization, api):
    body = {"name": "ci", "role": "viewer"}
    with time_machine.travel(LATER, tick=False):
        answer = logged_in.post(f"/o/{organization.slug}/api/v1/api-keys/", body, "application/json")
        assert answer.status_code == 403
        assert answer.json()["code"] == "step_up"
        assert logged_in.get(f"/o/{organization.slug}/api/v1/api-keys/").status_code == 200
        assert api("admin").post("api-keys/", body).status_code == 201


def test_a_role_that_may_not_is_told_so_before_anything_is_asked(organization, viewer):
    client = Client()
    with time_machine.travel(NOON, tick=False):
        client.force_login(viewer, backend="django.contrib.auth.backends.ModelBackend")
    with time_machine.travel(LATER, tick=False):
        assert client.post(f"/o/{organization.slug}/api-keys/", {}).status_code == 403


def test_allauth_s_own_pages_take_a_recent_log_in_too(logged_in):
    with time_machine.travel(NOON + timedelta(minutes=1), tick=False):
        assert logged_in.get("/accounts/2fa/totp/activate/").status_code == 200
    with time_machine.travel(LATER, tick=False):
        assert logged_in.get("/accounts/2fa/totp/activate/")["Location"].startswith("/accounts/reauthenticate/")
