"""The main path in German and Finnish, on a phone and at a desk: nothing of it is left in English, cut or too wide."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tenants.models import User
from tests import messages
from tests.browser.inspector import PICTURES, SETTLED, SIZES, inspectors
from tests.browser.pages import View, World, everything
from tests.browser.test_dashboard import month, runs
from tests.browser.test_pages import integration
from tests.browser.test_webhook import busy

__all__ = ["busy", "everything", "integration", "month", "runs"]

MAIN_PATH = {
    *("portal:landing", "account_signup", "account_login", "account_reset_password", "portal:organization-create"),
    *("portal:organizations", "portal:organization", "portal:preferences", "portal:invitation"),
    *("empty-overview", "empty-start", "empty-connections", "empty-records", "empty-repairs"),
    *("portal:start", "portal:connections", "portal:connection", "connection-to-basware", "portal:flows"),
    *("portal:dashboard", "portal:search", "portal:records", "records-failed", "records-nothing-found"),
    *("portal:record", "record-that-is-done", "portal:repairs", "portal:repair", "portal:run"),
    *("portal:notices", "portal:notice-settings", "not-found", "forbidden"),
    *("run-dry", "plan", "portal:period-end", "portal:settings", "portal:webhook", "mapping-of-invoices"),
}
# What people and the two systems wrote is shown as it is.
VISIBLE_TEXTS = """() => {
  const outside = "pre, code, textarea, [lang]:not(html), option[value]:not([value=''])";
  const found = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const {parentElement: parent, data} = walker.currentNode;
    const text = data.replace(/\\s+/g, " ").trim();
    if (text && !parent.closest(outside) && parent.checkVisibility()) found.add(text);
  }
  for (const one of document.querySelectorAll("[aria-label], [placeholder], [data-label]")) {
    if (!one.closest(outside)) {
      for (const name of ["aria-label", "placeholder", "data-label"]) found.add(one.getAttribute(name) ?? "");
    }
  }
  return [...found];
}"""
CUT = """() => [...document.querySelectorAll("button, .btn, .status, .nav-link, th, label, h1, h2, h3")]
  .filter((one) => one.checkVisibility() && one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 1)
  .filter((one) => getComputedStyle(one).display !== "inline" && getComputedStyle(one).overflowX !== "visible")
  .map((one) => one.textContent.trim().slice(0, 80))"""


class English:
    """The English of the catalogue, as far as the language says it in other words."""

    def __init__(self, language: str) -> None:
        self._texts: set[str] = set()
        self._patterns: list[re.Pattern[str]] = []
        for message in messages.read(language):
            for english, other in zip(_forms(message.id), _forms(message.string), strict=False):
                for piece in set(_pieces(english)) - set(_pieces(other)):
                    self._remember(piece)

    def _remember(self, piece: str) -> None:
        words = re.sub(r"%\(\w+\)s", " ", piece)
        if words.strip() == piece:
            self._texts.add(piece)
        elif len(re.findall(r"[a-z]{3,}", words)) >= 2:
            self._patterns.append(re.compile(".+".join(map(re.escape, re.split(r"%\(\w+\)s", piece)))))

    def of(self, texts: list[str]) -> list[str]:
        """Those of the texts that are English."""
        return [text for text in texts if text in self._texts or any(one.fullmatch(text) for one in self._patterns)]


def _forms(message: Any) -> tuple[str, ...]:
    return (message,) if isinstance(message, str) else tuple(message)


def _pieces(text: str) -> list[str]:
    """What of a text becomes one text in the page: markup stands between."""
    return [piece.strip() for piece in re.split(r"<[^>]+>", text) if re.search(r"[A-Za-z]{2}", piece)]


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_the_main_path_speaks_the_language_of_the_viewer(
    browser: Browser, site: str, everything: World, language: str
) -> None:
    views = [view for view in everything.views() if view.name in MAIN_PATH]
    assert {view.name for view in views} == MAIN_PATH
    User.objects.update(language=language)
    english = English(language)
    tabs = {person: one.page for person, one in inspectors(browser, site, everything, "light").items()}
    for page in tabs.values():
        page.context.add_cookies([{"name": "django_language", "value": language, "url": site}])
    faults = [
        f"{view.name}, {size}: {fault}"
        for view in views
        for size in SIZES
        for fault in _faults(tabs[view.person], site, view, size, english, language)
    ]
    assert not faults, "\n".join(faults)


def _faults(page: Page, site: str, view: View, size: str, english: English, language: str) -> list[str]:
    page.set_viewport_size(SIZES[size])
    page.goto(site + view.path)
    page.wait_for_function(SETTLED)
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{language}-{view.shot}-{size}.png", full_page=True)
    texts = page.evaluate(VISIBLE_TEXTS)
    width = page.evaluate("document.documentElement.scrollWidth")
    return [
        *([] if page.locator(f"html[lang={language}]").count() else ["the page does not name its language"]),
        *(f"English: {text}" for text in english.of(texts)),
        *(f"cut: {text}" for text in page.evaluate(CUT)),
        *([f"{width} px wide"] if width > SIZES[size]["width"] else []),
    ]
