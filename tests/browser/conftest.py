"""Real Chromium against a live server, with both sandboxes and a worker in threads of this process."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.db import connection
from playwright.sync_api import Browser, BrowserContext, Page

from syncengine.engine import due
from syncengine.engine.work import Deadline
from tests.engine.world import quick, running_sandboxes, sandboxes

__all__ = ["quick", "running_sandboxes", "sandboxes"]

SCREENSHOTS = Path(project.BASE_DIR) / "var" / "screenshots"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium on this machine"))


@pytest.fixture(scope="session", autouse=True)
def _playwright_beside_django() -> Iterator[None]:
    """Playwright keeps an event loop in this thread, so Django must not take the tests for asynchronous code."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return {"executable_path": CHROMIUM, "args": ARGUMENTS}


@pytest.fixture(scope="session")
def browser(launch_browser: Callable[[], Browser]) -> Iterator[Browser]:
    """Playwright's own fixture of this name, which the API's callers hide outside this folder."""
    launched = launch_browser()
    yield launched
    launched.close()


@pytest.fixture
def complaints(context: BrowserContext) -> list[str]:
    """What the browser's console complained about: scripts, styles that the policy refused, pages that broke."""
    found: list[str] = []
    context.on("console", lambda message: message.type in {"error", "warning"} and found.append(message.text))
    context.on("weberror", lambda error: found.append(str(error.error)))
    return found


@pytest.fixture
def site(live_server: Any, quick: Any) -> str:
    """The address of the running portal."""
    quick.SITE_URL = live_server.url
    return str(live_server.url)


@pytest.fixture
def worker(site: str) -> Iterator[None]:
    """Somebody who does what is due, as `manage.py worker` does, until the test ends."""
    stop = threading.Event()

    def work() -> None:
        try:
            while not stop.is_set():
                due.work_off(Deadline(2))
                stop.wait(0.05)
        finally:
            connection.close()

    thread = threading.Thread(target=work, name="worker")
    thread.start()
    yield
    stop.set()
    thread.join()


@pytest.fixture
def shot(page: Page) -> Callable[[str], None]:
    """`shot("ping")`: the whole page as var/screenshots/ping.png."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)

    def take(name: str) -> None:
        page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    return take
