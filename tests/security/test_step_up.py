"""A session that was left open: every deed that `permissions.STEP_UP` names asks who is there, and no other does."""

from __future__ import annotations

import time
from typing import Any

import pytest
from allauth.account.models import EmailAddress

from portal import proof
from tests import factories
from tests.security.conftest import Prove
from tests.security.permissions import PERMISSIONS, STEP_UP
from tests.security.test_walk import ALL, nothing_is_called, visit
from tests.security.world import Visitor, one_of_everything, signed_in

__all__ = ["nothing_is_called"]

ASKS = ("/accounts/reauthenticate/", "/accounts/2fa/reauthenticate/", "/sign-in/again/")
ABOUT_US = ("portal:", "organization-api:", "account_", "mfa_", "usersessions_")
NOT_LOGGED_IN_FOR = ("account_login", "account_logout", "account_signup", "mfa_login_webauthn", "mfa_authenticate")


@pytest.fixture
def left_open(db: None) -> dict[str, Any]:
    """An owner who logged in an hour ago, with a second factor and a password, at a machine that anybody may use."""
    organization = factories.OrganizationFactory(name="Nordic Paper", slug="nordic-paper")
    values = one_of_everything(organization)
    owner = factories.member(organization, "owner", email="anna@example.com")
    values["pk"] = factories.second_factor(owner, "webauthn").pk
    for kind in ("totp", "recovery_codes"):
        factories.second_factor(owner, kind)
    client = signed_in(owner)
    session = client.session
    session[proof._SHOWN_AT] = time.time() - proof.GOOD_FOR - 1
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() - 3_600}]
    session.save()
    return {"visitor": Visitor("left open", 5, client), "values": values, "owner": owner}  # type: ignore[arg-type]  # OWNER


def asks(answer: Any, text: str) -> bool:
    return answer.get("Location", "").startswith(ASKS) or '"step_up"' in text


def test_every_deed_of_the_table_asks_who_is_there_and_no_other(left_open, nothing_is_called, prove: Prove):
    wrong, tried = [], 0
    for address in ALL:
        if not address.name.startswith(ABOUT_US) or address.name in NOT_LOGGED_IN_FOR:
            continue
        for method in ("GET", "POST") if "api:" not in address.name else ("GET", "POST", "PUT", "PATCH", "DELETE"):
            wanted = method in STEP_UP.get(address.name, ())
            answer, text = visit(left_open["visitor"], method, address, left_open["values"])
            tried += 1
            if asks(answer, text) != wanted:
                wrong.append(f"{address.name} {method}: {answer.status_code} {'does not ask' if wanted else 'asks'}")
    prove("step-up: a deed asks who is there", tried, wrong)


def test_the_table_names_addresses_that_there_are():
    assert not STEP_UP.keys() - PERMISSIONS.keys()


def test_no_address_is_added_to_an_account_by_a_session_that_was_left_open(left_open, prove: Prove):
    """It would be the way to another password."""
    client = left_open["visitor"].client
    wrong = []
    for action in ("action_add", "action_primary", "action_remove", "action_send"):
        client.post("/accounts/email/", {"email": "mallory@example.com", action: ""})
        wrong += [action] if EmailAddress.objects.filter(email="mallory@example.com").exists() else []
    another = f"{factories.PASSWORD}x"
    client.post("/accounts/password/set/", {"password1": another, "password2": another})
    left_open["owner"].refresh_from_db()
    wrong += [] if left_open["owner"].check_password(factories.PASSWORD) else ["password"]
    prove("step-up: a deed asks who is there", 5, wrong)
