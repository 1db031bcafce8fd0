"""A running identity provider, an organization that uses it, and a browser that goes there and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tenants.models import IdentityProvider
from tests.portal.accounts.identity_provider import CLIENT, SECRET, Provider, running

BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def reachable(settings) -> None:
    """The provider is on this machine."""
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
    settings.OUTBOUND_ALLOW_HTTP = True


@pytest.fixture
def idp(reachable) -> Iterator[Provider]:
    with running() as provider:
        yield provider


@pytest.fixture
def stored(organization, idp) -> IdentityProvider:
    """The organization's own sign-in."""
    return IdentityProvider.objects.create(
        organization=organization,
        issuer=idp.issuer,
        client_id=CLIENT,
        client_secret={"value": SECRET},
        changed_at=timezone.now(),
    )


@pytest.fixture
def sign_in(organization, stored, idp) -> Callable[..., Any]:
    """`sign_in(client)`: press the button, go to the provider, come back; the last answer."""

    def go(client: Client, **posted: str) -> Any:
        page = client.post(f"/sign-in/at/{organization.slug}/", posted)
        if page.status_code != 200:
            return page
        return client.get(idp.authorize(page.context["url"]))

    return go


@pytest.fixture
def browser_of() -> Callable[[Any], Client]:
    """A browser in which that person has logged in by themselves."""

    def browser(user: Any) -> Client:
        client = Client()
        client.force_login(user, backend=BACKEND)
        return client

    return browser
