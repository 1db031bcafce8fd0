"""Second factors: their secrets, the organization's wish for them, and what it leaves alone."""

from __future__ import annotations

import base64
import hmac
import json
import struct
from datetime import timedelta
from hashlib import sha1
from io import StringIO

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from allauth.usersessions.models import UserSession
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from tenants import second_factor
from tenants.models import Membership
from tenants.services import create_organization, verify_email
from tests import factories
from tests.factories import NOON, PASSWORD

SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code_at(moment: float) -> str:
    """RFC 6238."""
    digest = hmac.digest(base64.b32decode(SEED), struct.pack(">Q", int(moment) // 30), sha1)
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 10**6:06}"


@pytest.fixture
def anna(organization):
    person = factories.member(organization, "admin", email="anna@example.com")
    verify_email(person)
    return person


def log_in(email="anna@example.com"):
    client = Client()
    client.post("/accounts/login/", {"login": email, "password": PASSWORD})
    return client


@pytest.fixture
def required(organization):
    organization.second_factor_since = timezone.now() - timedelta(minutes=1)
    organization.save()


def test_the_password_alone_does_not_log_in_once_there_is_a_code(anna):
    TOTP.activate(anna, SEED)
    with time_machine.travel(NOON, tick=False):
        client = log_in()
        assert "_auth_user_id" not in client.session
        assert client.get("/accounts/2fa/authenticate/").status_code == 200
        client.post("/accounts/2fa/authenticate/", {"code": "000000"})
        assert "_auth_user_id" not in client.session
        client.post("/accounts/2fa/authenticate/", {"code": code_at(NOON.timestamp())})
        assert client.session["_auth_user_id"] == str(anna.pk)


def test_its_secret_is_encrypted_and_follows_the_keys(anna, settings):
    totp = TOTP.activate(anna, SEED).instance
    assert SEED not in str(Authenticator.objects.values_list("data"))
    old, *_ = settings.FERNET_KEYS
    settings.FERNET_KEYS = ["a-new-key-of-the-tests", old]
    assert second_factor.rotate(totp.pk) == "rotated"
    assert second_factor.rotate(totp.pk) == "unchanged"
    settings.FERNET_KEYS = ["a-new-key-of-the-tests"]
    assert second_factor.decrypt(Authenticator.objects.get().data["secret"]) == SEED
    settings.FERNET_KEYS = ["none-of-those"]
    assert second_factor.rotate(totp.pk) == "unreadable"
    assert second_factor.rotate(0) == "absent"


def test_one_from_before_they_were_encrypted_works_and_is_encrypted_by_the_next_rotation(anna):
    Authenticator.objects.create(user=anna, type="totp", data={"secret": SEED})
    assert second_factor.decrypt(SEED) == SEED
    out = StringIO()
    call_command("rotate_keys", stdout=out)
    assert json.loads(out.getvalue())["rotated"] >= 1
    assert SEED not in str(Authenticator.objects.values_list("data"))


def test_who_logs_in_without_one_is_led_to_it(anna, organization, required):
    client = log_in()
    page = client.get(f"/o/{organization.slug}/members/", follow=True)
    assert page.redirect_chain[-1][0] == "/second-factor/"
    assert "/accounts/2fa/totp/activate/" in page.content.decode()
    assert client.get("/accounts/2fa/totp/activate/").status_code == 200
    assert client.get("/accounts/2fa/webauthn/add/").status_code == 200
    assert client.get(f"/o/{organization.slug}/api/v1/members/").json()["code"] == "second_factor_required"
    TOTP.activate(anna, SEED)
    assert client.get(f"/o/{organization.slug}/members/").status_code == 200
    assert client.get("/second-factor/")["Location"] == "/"


def test_a_session_from_before_the_wish_goes_on_until_the_next_log_in(anna, organization, owner):
    client = log_in()
    browser = Client()
    browser.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    browser.post(f"/o/{organization.slug}/organization/second-factor/", {"wanted": "true"})
    assert client.get(f"/o/{organization.slug}/members/").status_code == 200
    with time_machine.travel(timezone.now() + timedelta(seconds=5), tick=False):
        assert log_in().get(f"/o/{organization.slug}/members/")["Location"] == "/second-factor/"
    browser.post(f"/o/{organization.slug}/organization/second-factor/", {"wanted": "false"})
    assert log_in().get(f"/o/{organization.slug}/members/").status_code == 200


def test_keys_and_owners_from_createorganization_are_not_forced(organization, required, api):
    made = create_organization("Made by command", "chief@example.com", PASSWORD)
    made.second_factor_since = timezone.now() - timedelta(minutes=1)
    made.save()
    assert Membership.objects.get(organization=made).spared_second_factor
    assert log_in("chief@example.com").get(f"/o/{made.slug}/members/").status_code == 200
    assert api("viewer").get("members/").status_code == 200


def test_the_list_of_members_tells_who_has_one(anna, organization, viewer):
    TOTP.activate(anna, SEED)
    browser = Client()
    browser.force_login(viewer, backend="django.contrib.auth.backends.ModelBackend")
    page = browser.get(f"/o/{organization.slug}/members/").content.decode()
    assert "Second factor set up" in page
    assert "No second factor" in page


def test_sessions_are_listed_and_ended_one_by_one(anna):
    here, there = log_in(), log_in()
    page = here.get("/accounts/sessions/").content.decode()
    assert page.count("This one") == 1
    assert "End all others" in page
    other = UserSession.objects.get(session_key=there.session.session_key)
    assert Client().post(f"/sessions/{other.pk}/end/")["Location"].startswith("/accounts/login/")
    here.post(f"/sessions/{other.pk}/end/")
    assert there.get("/organizations/").status_code == 302
    assert here.get("/organizations/").status_code == 200


def test_nobody_ends_the_sessions_of_others(anna, organization):
    log_in()
    theirs = UserSession.objects.get()
    stranger = Client()
    stranger.force_login(factories.UserFactory(), backend="django.contrib.auth.backends.ModelBackend")
    assert stranger.post(f"/sessions/{theirs.pk}/end/").status_code == 404
    assert UserSession.objects.filter(pk=theirs.pk).exists()


@pytest.mark.parametrize("page", ["mfa_index", "mfa_activate_totp", "mfa_list_webauthn", "mfa_add_webauthn"])
def test_the_pages_of_factors_hold_no_inline_code(anna, page):
    from django.urls import reverse

    text = log_in().get(reverse(page)).content.decode()
    assert "data-allauth-onload" not in text
    assert text.count("<script") == text.count("<script src=") + text.count('type="application/json"')


def test_sign_up_and_reset_do_not_tell_who_is_there(anna, client, mailoutbox):
    answers = [
        client.post("/accounts/signup/", {"email": email, "password1": PASSWORD, "password2": PASSWORD})
        for email in ("anna@example.com", "nobody@example.com")
    ]
    assert len({(answer.status_code, answer["Location"]) for answer in answers}) == 1
    emails = ("anna@example.com", "nobody@example.com")
    resets = [client.post("/accounts/password/reset/", {"email": email}) for email in emails]
    assert len({(answer.status_code, answer["Location"]) for answer in resets}) == 1
    wrong = [Client().post("/accounts/login/", {"login": email, "password": "wrong"}) for email in emails]
    assert len({str(answer.context["form"].errors) for answer in wrong}) == 1


@pytest.mark.parametrize("password", ["password123", "iloveyou1", "qwertyuiop", "anna@example.com", "8372615849"])
def test_a_common_or_telling_password_is_refused_without_a_network(db, client, password):
    answer = client.post(
        "/accounts/signup/", {"email": "anna@example.com", "password1": password, "password2": password}
    )
    assert answer.context["form"].errors["password1"]
