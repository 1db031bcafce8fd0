"""Do notifications get from Basware to us? What can be told of the round trip from this side (contracts: Basware §16).

That our address is reachable for Basware cannot be tried from here, only seen by what has arrived: the ConnectionTest
that Basware sends while we subscribe, and notifications since.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from syncengine.connectors.basware.client import Basware, Subscription
from syncengine.connectors.checks import Check, Finding, run_check
from syncengine.connectors.outcomes import Rejected

LOOK_BACK = timedelta(days=7)


@dataclass(frozen=True)
class WebhookFacts:
    """What we know ourselves; the moments are None for what has not happened."""

    url: str
    task_type: str
    task_sub_type: str
    now: datetime
    subscribed_at: datetime | None = None
    confirmed_at: datetime | None = None
    received_at: datetime | None = None


def webhook_checks(client: Basware, facts: WebhookFacts) -> Iterator[Check]:
    """`webhook:subscription`, `webhook:test` and `webhook:delivery`; without a subscription only the first."""
    subscription = run_check("webhook:subscription", partial(_subscription, client, facts))
    yield subscription
    if facts.subscribed_at is None or not subscription.ok:
        return
    yield run_check("webhook:test", partial(_test, facts))
    yield run_check("webhook:delivery", partial(_delivery, client, facts))


def _subscription(client: Basware, facts: WebhookFacts) -> Finding:
    if facts.subscribed_at is None:
        return Finding("Not subscribed: the schedule alone finds approved invoices.", fact="none")
    held = [one for one in client.subscriptions(facts.task_type) if one.task_sub_type == facts.task_sub_type]
    if any(one.url == facts.url for one in held):
        return Finding(f"Basware notifies {facts.url}.", fact=facts.url)
    raise Rejected(
        f"Basware holds no subscription for our address any more.{_elsewhere(held)}",
        code="no_subscription",
        hint="Subscribe again on the page of the webhook. Until then the schedule alone finds approved invoices.",
    )


def _elsewhere(held: list[Subscription]) -> str:
    return f" It notifies {held[0].url}." if held else ""


def _test(facts: WebhookFacts) -> Finding:
    if facts.confirmed_at is not None:
        moment = f"{facts.confirmed_at:%Y-%m-%d %H:%M} UTC"
        return Finding(f"Basware's ConnectionTest confirmed address and secret on {moment}.", fact="confirmed")
    return Finding(
        f"Basware's ConnectionTest has not arrived at {facts.url}.",
        "Check that SITE_URL is an address which Basware reaches from the internet, then subscribe again.",
        warning=True,
        code="no_connection_test",
        fact="not confirmed",
    )


def _delivery(client: Basware, facts: WebhookFacts) -> Finding:
    """Failed deliveries as Basware's own history has them, newer than the last that arrived (§16.5)."""
    arrived = f"{facts.received_at:%Y-%m-%d %H:%M} UTC" if facts.received_at else "none yet"
    sentence = f"Whether Basware reaches this portal cannot be tried from here. Last notification: {arrived}."
    if "tasks.read" not in client.granted_scopes():
        return Finding(f"{sentence} Basware's history of deliveries may not be read (scope tasks.read).")
    since = max(facts.now - LOOK_BACK, facts.received_at or facts.now - LOOK_BACK)
    failed = next(client.tasks(task_type=facts.task_type, task_status="Failed", last_updated=since), [])
    if not failed:
        return Finding(f"{sentence} Basware notes no failed delivery since.")
    return Finding(
        f"Basware could not deliver {len(failed)} notification{'s' if len(failed) > 1 else ''}. {sentence}",
        "Check that SITE_URL is reachable for Basware; the schedule finds what was missed.",
        warning=True,
        code="deliveries_failed",
    )
