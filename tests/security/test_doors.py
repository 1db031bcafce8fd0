"""Guessing, knocking often, and asking who is there: what the doors give away, and to whom they close."""

from __future__ import annotations

import hmac
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.conf import settings as project
from django.contrib.auth.hashers import BasePasswordHasher, MD5PasswordHasher
from django.test import Client

from portal.forms.second_factor import CODES
from portal.rates import Rate
from portal.webhooks import BAD_RATE
from tenants.services import verify_email
from tests import factories

SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
KNOWN, UNKNOWN = "clerk@example.com", "nobody@example.com"
HERE, THERE = "198.51.100.7", "203.0.113.9"


@pytest.fixture
def person(db: None) -> Any:
    made = factories.UserFactory(email=KNOWN)
    verify_email(made)
    return made


def knock(path: str, data: dict[str, str], address: str = HERE) -> Any:
    return Client().post(path, data, REMOTE_ADDR=address)


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How many passwords were hashed: what takes the time that a stranger could measure."""
    seen: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(self: BasePasswordHasher, password: str, salt: str) -> str:
        seen.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    return seen


def told(answer: Any, email: str) -> tuple[int, str, str]:
    """What an answer says, but for the address that was typed and the token of the form."""
    text = answer.content.decode().replace(email, "EMAIL")
    token = answer.context["csrf_token"] if answer.context and "csrf_token" in answer.context else None
    return answer.status_code, answer.get("Location", ""), text.replace(str(token), "") if token else text


def _without_tokens(text: str) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", text)


DOORS = {
    "log in": ("/accounts/login/", lambda email: {"login": email, "password": "a-wrong-Passphrase-1"}),
    "sign up": (
        "/accounts/signup/",
        lambda email: {"email": email, "password1": factories.PASSWORD, "password2": factories.PASSWORD},
    ),
    "reset a password": ("/accounts/password/reset/", lambda email: {"email": email}),
    "log in as staff": ("/admin/login/", lambda email: {"username": email, "password": "a-wrong-Passphrase-1"}),
}


@pytest.mark.parametrize("door", DOORS)
def test_nobody_learns_who_has_an_account(door, person, hashed, prove):
    """The same words for who is known and who is not, and the same number of slow steps."""
    path, data = DOORS[door]
    answers, effort = [], []
    for email in (KNOWN, UNKNOWN):
        hashed.clear()
        status, location, text = told(knock(path, data(email)), email)
        answers.append((status, location, _without_tokens(text)))
        effort.append(len(hashed))
    differs = [door] if answers[0] != answers[1] else []
    if effort[0] != effort[1]:
        differs.append(f"{door}: {effort} passwords hashed")
    prove("no user enumeration: same words, same effort", 2, differs)


def test_no_one_else_can_lock_somebody_out(person, settings, prove):
    """Many wrong passwords from another address: the person still gets in from their own."""
    settings.AXES_FAILURE_LIMIT = 5
    with time_machine.travel(factories.NOON, tick=False):
        refused = [knock("/accounts/login/", {"login": KNOWN, "password": f"wrong-{n}"}, THERE) for n in range(30)]
        client = Client()
        client.post("/accounts/login/", {"login": KNOWN, "password": factories.PASSWORD}, REMOTE_ADDR=HERE)
        inside = "_auth_user_id" in client.session
    assert refused[-1].status_code == 429
    prove("no one locks somebody else out", len(refused), [] if inside else [KNOWN])


@pytest.mark.parametrize("address", ["/accounts/2fa/authenticate/", "/accounts/2fa/reauthenticate/"])
def test_codes_of_a_second_factor_cannot_be_guessed(address, person, prove):
    """From any number of addresses and sessions by somebody who has the password; not even the right one then helps."""
    TOTP.activate(person, SEED)
    wrong = []
    with time_machine.travel(factories.NOON, tick=False):
        right = format_hotp_value(hotp_value(SEED, next(yield_hotp_counters_from_time())))
        guesses = [f"{number:06}" for number in range(CODES.limit) if f"{number:06}" != right]
        for number, code in enumerate([*guesses, *["000000"] * 5, right]):
            client = Client(REMOTE_ADDR=f"192.0.2.{number}")
            if "reauth" in address:
                client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
            else:
                client.post("/accounts/login/", {"login": KNOWN, "password": factories.PASSWORD})
            answer = client.post(address, {"code": code})
        told = answer.status_code == 429 or "Too many codes were tried" in answer.content.decode()
        wrong += [] if told else [f"{answer.status_code}: not stopped"]
    with time_machine.travel(factories.NOON + timedelta(minutes=6), tick=False):
        later = format_hotp_value(hotp_value(SEED, next(yield_hotp_counters_from_time())))
        wrong += [] if client.post(address, {"code": later}).status_code == 302 else ["locked out"]
    prove("codes of second factors cannot be guessed", len(guesses) + 6, wrong)


def test_a_forged_forwarded_address_neither_resets_nor_spreads_the_count(person, settings, prove):
    settings.AXES_FAILURE_LIMIT = 5
    statuses = []
    with time_machine.travel(factories.NOON, tick=False):
        for number in range(10):
            forged = {
                "X-Forwarded-For": f"192.0.2.{number}",
                "X-Real-IP": f"192.0.2.{number}",
                "Forwarded": "for=1.1.1.1",
            }
            data = {"login": KNOWN, "password": "wrong"}
            statuses.append(Client().post("/accounts/login/", data, headers=forged, REMOTE_ADDR=HERE).status_code)
    prove("a forged X-Forwarded-For changes no count", 10, [] if statuses[-1] == 429 else statuses)


def test_each_door_says_when_to_come_again(person, organization, settings, prove):
    """Sign-up, log-in, password reset, webhook, API: 429 with Retry-After."""
    settings.AXES_FAILURE_LIMIT = 3
    settings.API_RATE = "3/min"
    key = {"Authorization": f"Api-Key {factories.api_key(organization, 'viewer')}"}
    webhook = f"/webhooks/basware/{factories.IntegrationFactory(organization=organization).webhook_id}/"

    def sign_up(number: int) -> Any:
        return knock("/accounts/signup/", {"email": f"a{number}@example.com", "password1": "x", "password2": "x"})

    doors = {
        "sign up": (sign_up, 25),
        "log in": (lambda number: knock("/accounts/login/", {"login": KNOWN, "password": "wrong"}), 5),
        "reset": (lambda number: knock("/accounts/password/reset/", {"email": KNOWN}), 25),
        "webhook": (lambda number: Client().post(webhook, b"{}", "application/json"), BAD_RATE.limit + 2),
        "API": (lambda number: Client().get("/api/v1/integrations/", headers=key), 5),
    }
    wrong = []
    with time_machine.travel(factories.NOON, tick=False):
        for name, (door, times) in doors.items():
            last = [door(number) for number in range(times)][-1]
            after = last.get("Retry-After", "")
            if last.status_code != 429 or not after.isdigit() or not 0 < int(after) <= 300:
                wrong.append(f"{name}: {last.status_code} Retry-After {after!r}")
    prove("rate limits: 429 with Retry-After", len(doors), wrong)


def test_good_notifications_pass_however_many_bad_ones_came(organization, settings, prove):
    integration = factories.IntegrationFactory(organization=organization)
    secret = factories.WebhookSecretFactory(integration=integration).secret["value"]
    path = f"/webhooks/basware/{integration.webhook_id}/"
    with time_machine.travel(factories.NOON, tick=False):
        bad = [Client().post(path, b"{}", "application/json").status_code for _ in range(BAD_RATE.limit + 5)]
        body = b'{"taskId":"1","taskStatus":"Created","taskType":"Other","documentId":"1"}'
        signature = {"X-BWAPI-Signature-256": f"sha256={_sign(body, secret)}"}
        good = Client().post(path, body, "application/json", headers=signature)
    assert bad[-1] == 429
    prove("bad signatures crowd out no good one", len(bad), [] if good.status_code == 200 else [good.status_code])


def _sign(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, "sha256").hexdigest()


def test_a_rate_counts_each_one_alone(db):
    rate = Rate(2, 60)
    assert [bool(rate.exceeded("a", 0.0)) for _ in range(3)] == [False, False, True]
    assert not rate.exceeded("b", 0.0)


def test_a_key_or_token_is_compared_in_constant_time(prove):
    """By a hash in an index, or by compare_digest: no == on a secret in the code that asks for one."""
    files = [
        "portal/health.py",
        "syncengine/connectors/basware/signature.py",
        "tenants/scoping.py",
        "tenants/services.py",
    ]
    suspects = []
    for name in files:
        for number, line in enumerate((Path(project.BASE_DIR) / name).read_text().splitlines(), 1):
            if re.search(r"(secret|token|key|signature|digest)\w*\s*==|==\s*\w*(secret|token|signature|digest)", line):
                suspects.append(f"{name}:{number} {line.strip()}")
    prove("constant-time comparison of secrets", len(files), suspects)
