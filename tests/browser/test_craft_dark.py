"""Every page in the dark theme; a file of its own so that another worker can take it."""

from __future__ import annotations

from playwright.sync_api import Browser

from tests.browser.inspector import inspect_every_page
from tests.browser.pages import World, everything
from tests.browser.test_dashboard import month, runs
from tests.browser.test_pages import integration
from tests.browser.test_webhook import busy

__all__ = ["busy", "everything", "integration", "month", "runs"]


def test_every_page_is_well_made_in_the_dark(browser: Browser, site: str, everything: World) -> None:
    inspect_every_page(browser, site, everything, "dark")
