"""The webhook's page on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from syncengine.engine.quarantine import Refusal, Sender, count
from syncengine.models import InboxNotification, Record
from tenants.models import Integration, Organization, WebhookSecret
from tests import factories
from tests.browser.test_pages import assert_fits, integration, root, signed_in

__all__ = ["integration", "root", "signed_in"]

SIZES = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 360, "height": 780}}
RESULTS = [
    ("taken up", 0),
    ("known already", 0),
    ("not there, or not waiting for transfer", 3),
    ("unknown type: nothing to do", 0),
    ("", 1),
    ("", 0),
]


@pytest.fixture
def busy(integration: Integration) -> Integration:
    """A webhook with some of everything: rotated lately, good and bad notifications, and silent since."""
    now = timezone.now()
    old = factories.WebhookSecretFactory(integration=integration, expires_at=now + timedelta(hours=21))
    fresh = factories.WebhookSecretFactory(integration=integration, confirmed_at=now - timedelta(hours=3))
    for row, hours in ((old, 900), (fresh, 3)):
        WebhookSecret.objects.filter(pk=row.pk).update(created_at=now - timedelta(hours=hours))
    for number, (result, attempts) in enumerate(RESULTS):
        received = now - timedelta(hours=2, minutes=10 * (len(RESULTS) - number))
        key = factories.invoice(integration, title=f"RE-47{number}1 Nordic Paper Oy").key if number % 2 == 0 else None
        factories.NotificationFactory(
            integration=integration,
            **({"document_id": key} if key else {}),
            task_type="ExportedContracts" if result.startswith("unknown") else "AccountingDocuments",
            received_at=received,
            processed_at=received + timedelta(milliseconds=412) if result else None,
            result=result,
            attempts=attempts,
            next_attempt_at=now + timedelta(days=1),
        )
    for _ in range(4):
        offered = now - timedelta(hours=1)
        record = factories.invoice(integration, found_by="poll", offered_at=offered, status="done")
        Record.objects.filter(pk=record.pk).update(created_at=offered + timedelta(minutes=4))
    for days, reason in ((0, Refusal.EXPIRED_SECRET), (0, Refusal.NO_SIGNATURE), (3, Refusal.UNREADABLE_SIGNATURE)):
        for _ in range(3):
            at = now - timedelta(days=days, minutes=1)
            count(integration, reason, at, Sender("198.51.100.7", 412), now - timedelta(days=9))
    return integration


@pytest.mark.parametrize("size", SIZES)
def test_the_page_fits_shows_all_of_it_and_the_console_stays_quiet(
    page: Page, root: str, busy: Integration, complaints: list[str], shot: Callable[[str], None], size: str
) -> None:
    page.set_viewport_size(SIZES[size])
    page.goto(f"{root}webhook/")
    expect(page.get_by_role("heading", name="Webhook", exact=True)).to_be_visible()
    expect(page.get_by_text("The webhook is silent")).to_be_visible()
    expect(page.get_by_text("Signed with a secret that expired on").last).to_be_visible()
    assert_fits(page)
    shot(f"webhook-{size}")
    page.goto(root)
    expect(page.get_by_text("The webhook is silent")).to_be_visible()
    assert_fits(page)
    shot(f"webhook-dashboard-{size}")
    record = Record.objects.filter(found_by="poll").first()
    page.goto(f"{root.split('integrations/', maxsplit=1)[0]}records/{record.pk}/")
    expect(page.get_by_text("Found by a run 4 min after approval.")).to_be_visible()
    shot(f"webhook-record-{size}")
    assert complaints == []


@pytest.mark.parametrize("size", SIZES)
def test_without_a_subscription_the_page_says_what_to_do(
    page: Page, root: str, integration: Integration, shot: Callable[[str], None], size: str
) -> None:
    page.set_viewport_size(SIZES[size])
    page.goto(f"{root}webhook/")
    expect(page.get_by_role("button", name="Subscribe")).to_be_visible()
    expect(page.get_by_text("No notification yet")).to_be_visible()
    assert_fits(page)
    shot(f"webhook-empty-{size}")


def test_rotating_asks_first_and_no_means_no(page: Page, root: str, busy: Integration) -> None:
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.goto(f"{root}webhook/")
    page.get_by_role("button", name="Rotate the secret").click()
    assert asked == ["Rotate the secret? Basware signs with a new one from now on; the old one stays valid for a day."]
    assert WebhookSecret.objects.count() == 2


def test_looking_again_puts_a_notification_back_to_work(page: Page, root: str, signed_in: Organization) -> None:
    row = factories.NotificationFactory(integration=Integration.objects.get(), result="known already")
    page.goto(f"{root}webhook/")
    page.get_by_role("button", name=f"Look again at {row.document_id}").click()
    expect(page.get_by_text("It is looked at again, as if it had just come.")).to_be_visible()
    assert InboxNotification.objects.filter(pk=row.pk, processed_at=None).exists()
