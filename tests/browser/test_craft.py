"""Every page in light, and what the theme, the keyboard and parts that renew themselves do. See `inspector`."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.inspector import SHIFTS, WATCH, inspect_every_page
from tests.browser.pages import World, everything
from tests.browser.test_dashboard import month, runs
from tests.browser.test_pages import integration, root, signed_in
from tests.browser.test_webhook import busy

__all__ = ["busy", "everything", "integration", "month", "root", "runs", "signed_in"]


def test_every_page_is_well_made_in_light(browser: Browser, site: str, everything: World) -> None:
    inspect_every_page(browser, site, everything, "light")


def ground(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


LIGHT, DARK = "rgb(245, 247, 249)", "rgb(14, 19, 26)"


def test_the_theme_is_the_systems_until_one_is_chosen_by_keyboard_and_then_it_stays(
    page: Page, root: str, complaints: list[str]
) -> None:
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.goto(root)
    assert ground(page) == DARK
    page.get_by_role("button", name="Your account").focus()
    page.keyboard.press("Enter")
    light = page.get_by_role("button", name="Light", exact=True)
    expect(light).to_be_visible()
    light.focus()
    with page.expect_response(re.compile("/theme/$")):
        page.keyboard.press("Enter")
    assert ground(page) == LIGHT
    page.reload()
    assert ground(page) == LIGHT
    assert page.locator("html").get_attribute("data-bs-theme") == "light"
    assert complaints == []


def test_without_scripts_the_theme_is_chosen_too(browser: Browser, context: BrowserContext, root: str) -> None:
    plain = browser.new_context(java_script_enabled=False, storage_state=context.storage_state())
    page = plain.new_page()
    page.goto(root)
    page.get_by_role("button", name="Your account").focus()
    page.get_by_role("button", name="Dark", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    assert page.url == root
    plain.close()


def test_a_menu_opens_moves_and_closes_by_keyboard(page: Page, root: str) -> None:
    page.goto(root)
    menu = page.get_by_role("button", name="Your account")
    menu.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.closest('.dropdown-menu') !== null")
    page.keyboard.press("Escape")
    expect(menu).to_have_attribute("aria-expanded", "false")
    expect(menu).to_be_focused()


def test_the_skip_link_leads_past_the_navigation(page: Page, root: str) -> None:
    page.goto(root)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.getElementById('main').contains(document.activeElement)")


def test_nothing_moves_when_parts_renew_themselves(page: Page, root: str, month: Any, busy: Any) -> None:
    page.add_init_script(WATCH)
    page.goto(root)
    page.evaluate(SHIFTS)  # what moved while it loaded is judged with every page
    page.evaluate("window.shifts = []")
    for path in ("live/", "figures/"):
        # as htmx itself does it every few seconds
        page.evaluate(
            "path => { const part = document.querySelector(`[hx-get$='${path}']`);"
            " return htmx.ajax('GET', part.getAttribute('hx-get'), part); }",
            path,
        )
    assert page.evaluate(SHIFTS) == {"sum": 0, "what": []}
