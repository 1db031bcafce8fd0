"""Looks at a page as a strict reader would: with axe, by keyboard, on a scale, and for whatever moves or complains."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, BrowserContext, Request, Response

from tests.browser.pages import View, World

Theme = Literal["light", "dark"]
SIZES: dict[str, Any] = {"phone": {"width": 360, "height": 780}, "desk": {"width": 1440, "height": 900}}
MOST_BYTES = 150_000
MOST_SHIFT = 0.01  # a tenth of what counts as good
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
# `CRAFT_SCREENSHOTS=folder pytest …` keeps a picture of each page.
PICTURES = os.environ.get("CRAFT_SCREENSHOTS")

RUN_AXE = """async () => {
  const values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const found = await axe.run(document, {resultTypes: ["violations"], runOnly: {type: "tag", values}});
  return found.violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.target} ${node.any[0]?.message ?? ""}`));
}"""
WATCH = """
  window.shifts = [];
  window.shiftWatch = new PerformanceObserver((list) => window.shifts.push(...list.getEntries()));
  window.shiftWatch.observe({type: "layout-shift", buffered: true});
"""
SETTLED = "() => document.readyState === 'complete' && !document.querySelector('.htmx-request')"
SHIFTS = """async () => {
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  window.shifts.push(...window.shiftWatch.takeRecords());
  const moved = window.shifts.filter((entry) => !entry.hadRecentInput);
  return {
    sum: moved.reduce((sum, entry) => sum + entry.value, 0),
    what: moved.flatMap((entry) => entry.sources.map(({node}) => node?.className || node?.nodeName)),
  };
}"""
# Every stop that Tab should make, with its looks before; a group of radio buttons is one stop.
BEFORE_TABBING = """() => {
  const look = (one) => {
    const {outlineStyle, outlineWidth, boxShadow} = getComputedStyle(one);
    return {outline: outlineStyle === "none" ? 0 : parseFloat(outlineWidth), boxShadow};
  };
  const alone = (one) => one.type !== "radio" || one.checked
    || ![...document.getElementsByName(one.name)].some((other) => other !== one && other.type === "radio"
        && (other.checked || other.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING));
  const stops = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")]
    .filter((one) => one.tabIndex >= 0 && !one.matches(":disabled") && one.type !== "hidden" && alone(one))
    .filter((one) => one.checkVisibility({visibilityProperty: true}));
  window.tabbing = new Map(stops.map((one) => [one, look(one)]));
  window.unringed = [];
  document.addEventListener("focusin", ({target}) => {
    const before = window.tabbing.get(target);
    if (before) {
      window.tabbing.delete(target);
      const after = look(target);
      if (!(after.outline >= 2 && after.outline > before.outline) && after.boxShadow === before.boxShadow) {
        window.unringed.push(target.outerHTML.slice(0, 120));
      }
    }
  });
  return stops.length;
}"""
AFTER_TABBING = """() => ({
  unringed: window.unringed,
  unreached: [...window.tabbing.keys()].filter((one) => one.isConnected).map((one) => one.outerHTML.slice(0, 120)),
})"""
SKIPS = """() => {
  const link = document.activeElement;
  return link.matches(".skip-link") && document.querySelector(link.getAttribute("href")) !== null;
}"""


class Inspector:
    """Opens pages in one tab and tells what is wrong with each."""

    def __init__(self, context: BrowserContext, site: str, theme: Theme) -> None:
        self.site = site
        self.theme = theme
        self.page = context.new_page()
        self.complaints: list[str] = []
        self.weights: dict[str, int] = {}  # by page
        self.shifts: dict[str, float] = {}
        self._sizes: dict[str, int] = {}
        self.page.add_init_script(WATCH)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"console: {error}"))
        self.page.on("request", self._asked)
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._answered)
        self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")

    def _heard(self, message: Any) -> None:
        """A failed request is told once, by `_answered`."""
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.complaints.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.site, "data:")):
            self.complaints.append(f"asks another host: {request.url}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # left by going to the next page
            self.complaints.append(f"no answer: {request.url} {request.failure}")

    def _answered(self, answer: Response) -> None:
        if answer.status >= 400 and answer.request.resource_type != "document":
            self.complaints.append(f"answer {answer.status}: {answer.url}")

    def faults(self, view: View) -> list[str]:
        """Everything that is wrong with a page in this theme."""
        found = [f"{size}: {fault}" for size in SIZES for fault in self._faults(view, size)]
        return [f"{view.name}, {self.theme}, {fault}" for fault in found]

    def _faults(self, view: View, size: str) -> Iterator[str]:
        self.page.set_viewport_size(SIZES[size])
        self.complaints.clear()
        answer = self.page.goto(self.site + view.path)
        assert answer is not None
        if answer.status != view.status:
            yield f"answer {answer.status}"
        self.page.wait_for_function(SETTLED)
        yield from self._moved(view)
        if PICTURES:
            name = f"{view.shot}-{size}-{self.theme}.png"
            self.page.screenshot(path=Path(PICTURES) / name, full_page=True)
        yield from self._fits()
        self.page.evaluate(AXE)
        yield from self.page.evaluate(RUN_AXE)
        if size == "desk":
            yield from self._weighed(view, answer)
            yield from self._tabbed()
        yield from self.complaints

    def _moved(self, view: View) -> Iterator[str]:
        shift = self.page.evaluate(SHIFTS)
        self.shifts[view.name] = max(shift["sum"], self.shifts.get(view.name, 0))
        if shift["sum"] >= MOST_SHIFT:
            yield f"moves while it loads: {shift['sum']:.3f} {shift['what']}"

    def _fits(self) -> Iterator[str]:
        width = self.page.evaluate("document.documentElement.scrollWidth")
        if width > self.page.viewport_size["width"]:  # type: ignore[index]  # it was set before
            yield f"{width} px wide"
        if self.page.locator("h1").count() != 1:
            yield "has not one heading of the first level"

    def _weighed(self, view: View, answer: Response) -> Iterator[str]:
        """The page and all that it loads, each gzipped."""
        parts = set(self.page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)"))
        weight = len(gzip.compress(answer.body())) + sum(map(self._size, parts))
        self.weights[view.name] = weight
        if weight > MOST_BYTES:
            yield f"weighs {weight} bytes gzipped"

    def _size(self, url: str) -> int:
        if url not in self._sizes:
            self._sizes[url] = len(gzip.compress(self.page.request.get(url).body()))
        return self._sizes[url]

    def _tabbed(self) -> Iterator[str]:
        """Tab reaches all that can be used, with a ring that shows where one is, and can skip the navigation first."""
        starts_in_a_field = self.page.evaluate("document.activeElement !== document.body")
        stops = self.page.evaluate(BEFORE_TABBING)
        self.page.keyboard.press("Tab")
        if not starts_in_a_field and not self.page.evaluate(SKIPS):
            yield "the first stop does not lead past the navigation"
        for _ in range(4):  # fields of dates have several stops each, and so have parts that scroll
            for _ in range(stops):
                self.page.keyboard.press("Tab")
            found = self.page.evaluate(AFTER_TABBING)
            if not found["unreached"]:
                break
        yield from (f"no ring of focus: {html}" for html in found["unringed"])
        yield from (f"not reached by Tab: {html}" for html in found["unreached"])


def inspectors(browser: Browser, site: str, world: World, theme: Theme) -> dict[str, Inspector]:
    """A tab for each person of the world, with that person's session."""
    found = {}
    for person in world.people:
        context = browser.new_context()
        session = world.client(person).cookies.get("sessionid")
        if session is not None:
            context.add_cookies([{"name": "sessionid", "value": session.value, "url": site}])
        found[person] = Inspector(context, site, theme)
    return found


def inspect_every_page(browser: Browser, site: str, world: World, theme: Theme) -> None:
    """All pages, one after the other; what is wrong is told of all of them together."""
    if PICTURES:
        Path(PICTURES).mkdir(parents=True, exist_ok=True)
    by_person = inspectors(browser, site, world, theme)
    views = world.views()
    faults = [fault for view in views for fault in by_person[view.person].faults(view)]
    weights = {name: weight for one in by_person.values() for name, weight in one.weights.items()}
    shifts = {name: shift for one in by_person.values() for name, shift in one.shifts.items()}
    heaviest, restless = max(weights, key=weights.__getitem__), max(shifts, key=shifts.__getitem__)
    print(f"{len(views)} pages; heaviest {heaviest} {weights[heaviest]} bytes")  # noqa: T201  # for `pytest -s`
    print(f"largest shift {restless} {shifts[restless]:.4f}; {len(faults)} findings")  # noqa: T201
    assert not faults, "\n".join(faults)
