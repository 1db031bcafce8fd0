"""Every page on a desk and on a phone: fits, stays quiet, works without waiting for anything from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect

from syncengine.engine import flow_states
from tenants.models import Integration, Organization
from tests import factories

SIZES = {"desk": {"width": 1280, "height": 860}, "phone": {"width": 360, "height": 780}}
PAGES = {
    "dashboard": "",
    "connections": "connections/",
    "connect-sap": "connections/sap_b1/",
    "flows": "flows/",
    "flow": "flows/vendors/",
    "runs": "runs/",
    "records": "records/",
    "failed": "records/?status=failed",
    "nothing-found": "records/?search=nothing",
    "mapping": "mappings/vendors/",
    "settings": "settings/",
}
ORGANIZATION_PAGES = {"audit": "audit/", "members": "members/", "api-keys": "api-keys/", "new": "integrations/new/"}


@pytest.fixture
def integration(site: str) -> Integration:
    """An integration with a bit of everything, hostile text among it."""
    organization = factories.OrganizationFactory(name="Nordic Paper", slug="nordic-paper")
    made: Integration = factories.IntegrationFactory(organization=organization, name="Finland")
    factories.connect(made)
    flow_states.apply(made, {"vendors": {"schedule": "*/15 * * * *"}}, "owner@example.com")
    run = factories.RunFactory(integration=made, status="partial", read=12, sent=4, failed=1)
    for number in range(6):
        factories.FailedRecordFactory(integration=made, run=run, title=f"V{number} <script>alert(1)</script> Oy")
    invoice = factories.invoice(made, title="Nordic RE-4711", status="failed", stage="checked", run=run)
    factories.CallFactory(integration=made, record=invoice, response_body='{"error": "frozen"}')
    factories.AuditEventFactory(organization=organization, record=invoice, message="asked accounting")
    return made


@pytest.fixture
def signed_in(context: BrowserContext, site: str, integration: Integration) -> Organization:
    """The owner's session in the browser."""
    organization: Organization = integration.organization
    client = Client()
    owner = factories.member(organization, "owner")
    client.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": site}])
    return organization


@pytest.fixture
def root(site: str, signed_in: Organization, integration: Integration) -> str:
    return f"{site}/o/{signed_in.slug}/integrations/{integration.pk}/"


def assert_fits(page: Page) -> None:
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"], f"{page.url} is {width} px wide"


@pytest.mark.parametrize("size", SIZES)
def test_every_page_fits_and_the_console_stays_quiet(
    page: Page, root: str, signed_in: Organization, complaints: list[str], shot: Callable[[str], None], size: str
) -> None:
    page.set_viewport_size(SIZES[size])
    base = root.split("integrations/", maxsplit=1)[0]
    record = factories.Record.objects.get(flow="invoices")
    paths = {name: root + path for name, path in PAGES.items()}
    paths |= {name: base + path for name, path in ORGANIZATION_PAGES.items()}
    paths |= {"record": f"{base}records/{record.pk}/", "run": f"{base}runs/{record.run_id}/"}
    for name, address in paths.items():
        page.goto(address)
        expect(page.locator("main h1")).to_be_visible()
        assert_fits(page)
        shot(f"page-{name}-{size}")
    assert complaints == []


def test_nothing_is_asked_of_any_other_host(page: Page, root: str, site: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(root)
    page.goto(f"{root}mappings/vendors/")
    assert [address for address in asked if not address.startswith((site, "data:"))] == []


def test_ticking_records_counts_them_and_shows_the_number_before_replaying(page: Page, root: str) -> None:
    page.goto(f"{root}records/?status=failed&flow=vendors")
    replay = page.get_by_role("button", name="Replay selected")
    expect(replay).to_be_disabled()
    page.get_by_label("Select all on this page").check()
    expect(page.get_by_text("6 selected")).to_be_visible()
    replay.click()
    expect(page.get_by_role("heading", name="Replay 6 records?")).to_be_visible()
    page.get_by_role("button", name="Replay 6").click()
    expect(page.get_by_text("6 records are on their way again.")).to_be_visible()


def test_a_schedule_is_told_in_words_while_one_types(page: Page, root: str, complaints: list[str]) -> None:
    page.goto(f"{root}flows/vendors/")
    expect(page.get_by_text("Every 15 minutes.")).to_be_visible()
    page.locator("#id_schedule").fill("5 4 * * *")
    expect(page.get_by_text("At 04:05 every day.")).to_be_visible()
    page.get_by_label("Common schedules: Read everything").select_option("0 2 * * *")
    expect(page.get_by_text("Every night at 2.")).to_be_visible()
    page.locator("#id_schedule").fill("nonsense")
    expect(page.get_by_text("This is no cron expression")).to_be_visible()
    assert complaints == []


def test_a_rule_is_added_refused_with_its_position_and_mended(page: Page, root: str, complaints: list[str]) -> None:
    page.goto(f"{root}mappings/vendors/")
    page.get_by_role("button", name="Add a rule").click()
    page.get_by_label("Target").last.fill("description")
    page.get_by_label("What fills it").last.select_option(label="An expression (advanced)")
    page.get_by_label("Source", exact=True).last.fill("Notes ||| x")
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.locator(".field-error", has_text="Character ")).to_be_visible()
    complaints.clear()  # the console reports the 400 that was the point
    page.locator("input[value='Notes ||| x']").fill("Notes")
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_text("Saved as version 1.")).to_be_visible()
    assert complaints == []


def test_a_call_shows_its_bodies_when_it_is_opened(page: Page, root: str) -> None:
    page.goto(f"{root}records/?flow=invoices")
    page.get_by_role("link", name="Nordic RE-4711").click()
    page.locator("details summary", has_text="POST").click()
    expect(page.get_by_text('{"error": "frozen"}')).to_be_visible()


def test_the_region_fills_in_the_address(page: Page, root: str) -> None:
    page.goto(f"{root}connections/basware/")
    page.get_by_label("Region").select_option(label="United States, test")
    expect(page.locator("#id_base_url")).to_have_value("https://test-api.us.basware.com")


def test_the_keyboard_reaches_the_content_first_and_the_focus_is_seen(page: Page, root: str) -> None:
    page.goto(root)
    page.keyboard.press("Tab")
    skip: Any = page.locator(".skip-link")
    expect(skip).to_be_focused()
    assert skip.bounding_box()["y"] >= 0
    assert skip.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"


def test_without_javascript_the_main_things_still_work(
    browser: Any, site: str, signed_in: Organization, root: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    client = Client()
    client.force_login(factories.member(signed_in, "operator"), backend="django.contrib.auth.backends.ModelBackend")
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])
    page = context.new_page()
    page.goto(f"{root}flows/")
    page.get_by_role("button", name="Run now: Vendors").click()
    expect(page.get_by_text("Waiting to run")).to_be_visible()
    context.close()


def test_a_menu_in_the_last_row_of_a_table_is_not_cut_off(page: Page, root: str, complaints: list[str]) -> None:
    page.goto(f"{root}flows/")
    page.get_by_role("button", name="Other ways to run Payments").click()
    dry_run = page.get_by_role("button", name="Dry run: look, change nothing").last
    expect(dry_run).to_be_visible()
    dry_run.click()
    expect(page.get_by_role("heading", name="What if: Payments")).to_be_visible()
    assert complaints == []
