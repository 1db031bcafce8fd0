"""The pictures of the tutorial: each page that it shows opens quietly. `make docs-images` takes them anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page

from tests.browser.conftest import SCREENSHOTS
from tests.browser.test_dashboard import month
from tests.browser.test_pages import integration, root, signed_in
from tests.factories import Record

__all__ = ["integration", "month", "root", "signed_in"]

FOLDER = Path(settings.BASE_DIR) / "docs" / "images" if os.environ.get("DOCS_IMAGES") else SCREENSHOTS
SIZE = {"width": 1120, "height": 720}


@pytest.mark.usefixtures("month")
def test_the_pages_that_the_tutorial_shows_open_quietly(page: Page, root: str, complaints: list[str]) -> None:
    record = Record.objects.filter(flow="invoices", status="failed").latest("pk")
    home = root.split("integrations/", maxsplit=1)[0]
    FOLDER.mkdir(parents=True, exist_ok=True)
    page.set_viewport_size(SIZE)
    pages = {
        "overview": root,
        "record": f"{home}records/{record.pk}/",
        "inbox": f"{root}repairs/",
        "connections": f"{root}connections/",
    }
    for name, address in pages.items():
        page.goto(address)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=FOLDER / f"{name}.png")
    assert complaints == []
