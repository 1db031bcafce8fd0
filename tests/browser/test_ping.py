"""The ping on a desk and on a phone, of systems that are well and of systems that are badly broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from syncengine.engine.ping import ping
from syncengine.models import Ping
from syncengine.sandbox.launch import Sandboxes
from tenants.models import Connection, Integration
from tests import factories
from tests.engine.world import connect

SIZES = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 360, "height": 780}}
SOON = 20_000


@pytest.fixture
def integration(site: str, sandboxes: Sandboxes) -> Integration:
    organization = factories.OrganizationFactory(name="Nordic Paper", slug="nordic-paper")
    made: Integration = factories.IntegrationFactory(organization=organization, name="Finland")
    connect(made, sandboxes)
    return made


@pytest.fixture
def address(context: BrowserContext, site: str, integration: Integration) -> str:
    """The connections page, with the owner's session in the browser."""
    client = Client()
    owner = factories.member(integration.organization, "owner")
    client.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])
    return f"{site}/o/{integration.organization.slug}/integrations/{integration.pk}/connections/"


@pytest.fixture
def broken(integration: Integration, sandboxes: Sandboxes) -> Iterator[None]:
    """Well for some nights, and then half of it falls."""
    factories.WebhookSecretFactory(integration=integration, confirmed_at=None)
    for nights in range(14, 0, -1):
        list(ping(integration, trigger="nightly"))
        Ping.objects.filter(at__gte=timezone.now() - timedelta(minutes=5)).update(
            at=timezone.now() - timedelta(days=nights)
        )
    Connection.objects.update(last_ping_at=timezone.now() - timedelta(days=1))
    for name in ("sap-read-vendors", "sap-add-invoices", "sap-approval", "sap-branches"):
        sandboxes.seeds.plant(name)
    for name in ("basware-scope", "basware-documents", "basware-throttled"):
        sandboxes.seeds.plant(name)
    yield
    sandboxes.seeds.clear()


def press(page: Page) -> None:
    page.get_by_role("button", name="Ping systems").click()
    expect(page.locator("#ping-summary strong")).to_be_visible(timeout=SOON)


def assert_fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


@pytest.mark.parametrize("size", SIZES)
def test_a_good_ping_shows_every_check_in_its_group(
    page: Page, address: str, complaints: list[str], shot: Callable[[str], None], size: str
) -> None:
    page.set_viewport_size(SIZES[size])
    page.goto(address)
    press(page)
    expect(page.locator("#ping-sap_b1-network li")).to_have_count(5)
    expect(page.locator("#ping-basware-write li")).to_have_count(9)
    expect(page.locator("#ping-summary")).to_contain_text("Both systems answer")
    shot(f"ping-good-{size}")
    page.reload()
    shot(f"ping-good-later-{size}")
    assert_fits(page)
    assert complaints == []


@pytest.mark.parametrize("size", SIZES)
def test_a_bad_ping_says_what_changed_and_gives_the_text_to_send(
    page: Page, address: str, broken: None, complaints: list[str], shot: Callable[[str], None], size: str
) -> None:
    page.set_viewport_size(SIZES[size])
    page.goto(address)
    press(page)
    expect(page.locator("#ping-changes-sap_b1")).to_contain_text("Changed since the ping")
    page.reload()
    shot(f"ping-bad-{size}")
    lines = page.locator("#ping-sap_b1-write li.check-bad")
    lines.get_by_text("What to ask the administrator").click()
    expect(lines.get_by_role("textbox")).to_contain_text("Please grant user basware_if the authorization")
    lines.get_by_role("button", name="Copy the request").click()
    expect(lines.get_by_role("button", name="Copied")).to_be_visible()
    shot(f"ping-bad-request-{size}")
    page.goto(address.removesuffix("connections/"))
    expect(page.get_by_text("is not as it was").first).to_be_visible()
    shot(f"dashboard-drift-{size}")
    assert_fits(page)
    assert complaints == []


def test_without_scripts_the_result_shows_after_the_press(browser: Any, address: str, context: BrowserContext) -> None:
    plain = browser.new_context(java_script_enabled=False, storage_state=context.storage_state())
    page = plain.new_page()
    page.goto(address)
    page.get_by_role("button", name="Ping systems").click()
    expect(page.locator("#ping-sap_b1-network")).to_be_attached(timeout=SOON)
    plain.close()
