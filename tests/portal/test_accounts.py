"""Signing up, logging in, and guessing passwords."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from tenants.services import verify_email
from tests import factories


@pytest.fixture
def person(db):
    made = factories.UserFactory(email="clerk@example.com")
    verify_email(made)
    return made


@pytest.fixture
def log_in(client):
    def attempt(email="clerk@example.com", password=factories.PASSWORD, address="198.51.100.7"):
        client.logout()
        client.post("/accounts/login/", {"login": email, "password": password}, REMOTE_ADDR=address)
        return "_auth_user_id" in client.session

    return attempt


def test_the_right_password_logs_in(person, log_in):
    assert log_in()
    assert log_in(email="Clerk@Example.com")
    assert not log_in(password="wrong")


def test_guessing_is_stopped_for_this_person_from_this_address_only(person, log_in, settings):
    settings.AXES_FAILURE_LIMIT = 3
    colleague = factories.UserFactory(email="colleague@example.com")
    verify_email(colleague)
    with time_machine.travel(factories.NOON, tick=False):
        assert not any(log_in(password="wrong") for _ in range(3))
        assert not log_in()
        assert log_in(address="203.0.113.9")
        assert log_in(email="colleague@example.com")
    with time_machine.travel(factories.NOON + timedelta(minutes=2), tick=False):
        assert log_in()


@pytest.mark.parametrize(("signup", "open_"), [("open", True), ("invite", False), ("closed", False)])
def test_the_operator_decides_who_may_sign_up(signup, open_, rf, settings):
    from portal.accounts import AccountAdapter

    settings.SIGNUP = signup
    request = rf.get("/")
    request.session = {}
    assert AccountAdapter().is_open_for_signup(request) is open_
    request.session = {"invitation": "token"}
    assert AccountAdapter().is_open_for_signup(request) is (signup != "closed")
