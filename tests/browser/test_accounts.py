"""Second factors, passkeys and sessions in a real browser; the policy must let their scripts work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.utils import timezone
from playwright.sync_api import Page, expect

from tenants.models import Invitation, Role
from tenants.services import create_invitation, verify_email
from tests import factories
from tests.factories import PASSWORD

EMAIL = "anna@example.com"


@pytest.fixture
def address(site: str) -> str:
    """Passkeys belong to a name: browsers take none for an address of numbers."""
    return site.replace("127.0.0.1", "localhost")


@pytest.fixture
def authenticator(page: Page) -> Any:
    """A security key that says yes."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    return session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


@pytest.fixture
def anna(organization: Any) -> Any:
    person = factories.member(organization, "owner", email=EMAIL)
    verify_email(person)
    return person


def log_in(page: Page, address: str) -> None:
    page.goto(f"{address}/accounts/login/")
    page.locator("#id_login").fill(EMAIL)
    page.locator("#id_password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()


def test_a_passkey_is_added_and_logs_in_without_a_password(
    page: Page, anna: Any, address: str, authenticator: Any, complaints: list[str], shot: Callable[[str], None]
) -> None:
    log_in(page, address)
    page.goto(f"{address}/accounts/2fa/webauthn/add/")
    page.locator("#id_passwordless").check()
    shot("accounts-passkey")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    shot("accounts-recovery-codes")
    assert Authenticator.objects.filter(user=anna, type="webauthn").count() == 1
    page.goto(f"{address}/accounts/logout/")
    page.get_by_role("button", name="Log out").click()
    page.goto(f"{address}/accounts/login/")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{address}/o/**")
    log_out_and_use_it_as_second_factor(page, address)
    assert complaints == []


def log_out_and_use_it_as_second_factor(page: Page, address: str) -> None:
    page.goto(f"{address}/accounts/logout/")
    page.get_by_role("button", name="Log out").click()
    log_in(page, address)
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    page.get_by_role("button", name="Use a passkey or security key").click()
    page.wait_for_url(f"{address}/o/**")


PAGES = {
    "login": "/accounts/login/",
    "factors": "/accounts/2fa/",
    "totp": "/accounts/2fa/totp/activate/",
    "sessions": "/accounts/sessions/",
    "email": "/accounts/email/",
    "needed": "/second-factor/",
    "sign-in-find": "/sign-in/",
    "sign-in-again": "/sign-in/again/",
    "reauthenticate": "/accounts/reauthenticate/?next=/",
    "settings": "/o/nordic-paper/organization/",
    "own-sign-in": "/o/nordic-paper/organization/sign-in/",
    "delete": "/o/nordic-paper/organization/delete/",
    "members": "/o/nordic-paper/members/",
}


@pytest.mark.parametrize("width", [1440, 360])
def test_every_page_fits_and_says_nothing_bad(
    page: Page, anna: Any, connected: Any, address: str, complaints: list[str], shot: Callable[[str], None], width: int
) -> None:
    create_invitation(connected.organization, "new@example.com", Role.VIEWER, anna, timezone.now())
    create_invitation(connected.organization, "late@example.com", Role.OPERATOR, anna, timezone.now())
    Invitation.objects.filter(email="late@example.com").update(expires_at=timezone.now())
    factories.RecordFactory(integration=connected, flow="invoices", status="failed")
    factories.member(connected.organization, "admin")
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{address}/accounts/login/")
    shot(f"accounts-login-{width}")
    log_in(page, address)
    pages = {**PAGES, "remove": f"/o/nordic-paper/integrations/{connected.pk}/remove/"}
    for name, path in pages.items():
        page.goto(f"{address}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        if name != "login":
            shot(f"accounts-{name}-{width}")
    assert complaints == []
