"""The month-end guard in a browser: read by the button, on a desk, on a phone and on paper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from syncengine.period_end import service
from tests.browser.test_pages import assert_fits, integration, root, signed_in
from tests.period_end.test_core import invoice, right
from tests.portal.views.test_period_end import remembered

__all__ = ["integration", "root", "signed_in"]

SIZES = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 360, "height": 780}}


def test_the_button_reads_and_the_evidence_fits(
    page: Page, root: str, complaints: list[str], shot: Callable[[str], None], monkeypatch: Any
) -> None:
    def read(integration: Any, *_: Any) -> Any:
        return remembered(integration, [invoice(), invoice(failed=True)], [right(branch="2", documents=())])

    page.goto(f"{root}period-end/")
    expect(page.get_by_role("heading", name="No period has been read yet")).to_be_visible()
    shot("period-end-empty")
    monkeypatch.setattr(service, "read", read)
    page.get_by_role("button", name="Read both systems").click()
    expect(page.get_by_text("Not yet:")).to_be_visible()
    for size, viewport in SIZES.items():
        page.set_viewport_size(viewport)  # type: ignore[arg-type]  # width and height
        page.reload()
        expect(page.get_by_role("button", name="Print")).to_be_visible()
        assert_fits(page)
        shot(f"period-end-{size}")
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
    expect(page.get_by_role("heading", name="Evidence")).to_be_visible()
    assert complaints == []
