"""What if: from pressing the button to a plan that was looked at, applied, and is told of."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from syncengine.models import Plan, PlanItem, PostedDocument, Run
from syncengine.sandbox.launch import Sandboxes
from tenants.models import Integration
from tests.browser.test_pages import assert_fits, integration, root, signed_in
from tests.engine.test_dry_runs import writes
from tests.engine.world import World, connect

__all__ = ["integration", "root", "signed_in"]

SIZES = {"1440": {"width": 1440, "height": 900}, "360": {"width": 360, "height": 780}}
PATIENCE = 120_000


@pytest.fixture
def world(integration: Integration, sandboxes: Sandboxes) -> World:
    """The integration between both sandboxes."""
    Run.objects.filter(integration=integration).delete()
    connect(integration, sandboxes)
    found = World(integration, sandboxes)
    found.quiet()
    return found


def look_at_all(page: Page, root: str) -> None:
    page.goto(root)
    page.get_by_role("link", name="What if").click()
    expect(page.get_by_role("heading", name="What if")).to_be_visible()
    page.get_by_role("button", name="Look at all flows").click()
    expect(page.get_by_text("Being made").first).to_be_visible()
    expect(page.get_by_text("Being made")).to_have_count(0, timeout=PATIENCE)


def test_from_what_if_to_applied(
    page: Page, root: str, world: World, worker: None, complaints: list[str], shot: Callable[[str], None]
) -> None:
    page.set_viewport_size(SIZES["1440"])
    look_at_all(page, root)
    expect(page.get_by_text("Ready to apply").first).to_be_visible()
    shot("what-if-all-1440")
    assert writes(world) == []
    page.get_by_role("link", name="Invoices").click()
    expect(page.get_by_role("heading", name="What if: Invoices")).to_be_visible()
    expect(page.get_by_role("heading", name="What would fail, and why")).to_be_visible()
    plan = Plan.objects.get(run__flow="invoices")
    wanted = PlanItem.objects.filter(plan=plan, action__in=["post", "credit"]).count()

    page.get_by_label("Action").select_option(label="Post")
    page.get_by_role("button", name="Filter").click()
    expect(page).to_have_url(re.compile(r"action=post"))
    first = page.locator(".plan-items > li").first
    first.locator("summary").click()
    expect(first.get_by_role("columnheader", name="Would be sent")).to_be_visible()
    expect(first.get_by_text("CardCode", exact=True)).to_be_visible()
    assert_fits(page)
    shot("what-if-plan-1440")

    page.get_by_text("Apply this plan …").click()
    expect(page.get_by_text(f"Yes, send these {wanted}")).to_be_visible()
    shot("what-if-confirm-1440")
    page.get_by_role("button", name=f"Yes, send these {wanted}").click()
    expect(page.get_by_text("The plan is being applied.")).to_be_visible()
    expect(page.get_by_text("Succeeded").first).to_be_visible(timeout=PATIENCE)
    shot("what-if-applied-run-1440")
    assert PostedDocument.objects.count() == wanted

    page.get_by_role("link", name="The plan that this run sends").click()
    expect(page.get_by_text("This plan was applied")).to_be_visible()
    expect(page.get_by_text("Sent", exact=True).first).to_be_visible()
    expect(page.get_by_text("Apply this plan …")).to_have_count(0)
    assert complaints == []


def test_a_phone_shows_all_of_it_and_a_stale_plan_is_refused(
    page: Page, root: str, world: World, worker: None, complaints: list[str], shot: Callable[[str], None]
) -> None:
    page.set_viewport_size(SIZES["360"])
    look_at_all(page, root)
    assert_fits(page)
    shot("what-if-all-360")
    page.get_by_role("link", name="Invoices").click()
    page.locator(".plan-items summary").first.click()
    assert_fits(page)
    shot("what-if-plan-360")
    page.get_by_text("Apply this plan …").click()
    shot("what-if-confirm-360")
    Plan.objects.update(created_at=timezone.now() - timedelta(hours=25))
    page.get_by_role("button", name=re.compile("Yes, send these")).click()
    expect(page.get_by_text("The plan is older than 24 hours. Start another dry run")).to_be_visible()
    expect(page.get_by_text("It cannot be applied any more.")).to_be_visible()
    assert_fits(page)
    shot("what-if-stale-360")
    assert writes(world) == []
    page.get_by_role("button", name="Look again").click()
    expect(page.get_by_text("Apply this plan …")).to_be_visible(timeout=PATIENCE)
    assert complaints == []


def test_all_plans_are_applied_by_one_click_and_what_changed_is_told(
    page: Page, root: str, world: World, worker: None, complaints: list[str], shot: Callable[[str], None]
) -> None:
    page.set_viewport_size(SIZES["1440"])
    look_at_all(page, root)
    changed = PlanItem.objects.filter(plan__run__flow="projects").first()
    assert changed is not None
    world.change("Projects", changed.key, Name="Renamed after the plan")
    page.get_by_text("Apply all …").click()
    shot("what-if-apply-all-1440")
    page.get_by_role("button", name=re.compile("Yes, send all")).click()
    expect(page.get_by_text("plans are being applied")).to_be_visible()
    run = Run.objects.get(mode="apply", flow="projects")
    for _ in range(60):
        if Run.objects.get(pk=run.pk).is_final:
            break
        page.wait_for_timeout(1000)
    page.get_by_role("link", name="Projects").click()
    expect(page.get_by_text("Changed since: look again").first).to_be_visible()
    shot("what-if-changed-1440")
    page.get_by_role("link", name="The run that sends it").click()
    expect(page.get_by_text("items changed since the plan was made and were not sent")).to_be_visible()
    assert complaints == []
