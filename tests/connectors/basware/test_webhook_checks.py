"""The round trip of notifications as far as it can be told from this side (contracts: Basware §16)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from syncengine.connectors.basware import DEFAULT_SCOPES
from syncengine.connectors.basware.ping import checks
from syncengine.connectors.basware.webhook_checks import WebhookFacts, webhook_checks

from .conftest import Said, granted

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
URL = "https://bridge.example.com/webhooks/basware/opaque/"
FACTS = WebhookFacts(
    url=URL,
    task_type="AccountingDocuments",
    task_sub_type="WaitingForTransfer",
    now=NOW,
    subscribed_at=NOW - timedelta(days=3),
    confirmed_at=NOW - timedelta(days=3),
    received_at=NOW - timedelta(hours=1),
)
OURS = {
    "taskType": "AccountingDocuments",
    "taskSubType": "WaitingForTransfer",
    "notificationWebhookURL": URL,
    "webhookAuthenticationToken": "canary-secret",
}


@pytest.fixture
def subscribed(api):
    api.on("GET", "/v1/subscriptions", Said(200, {"subscriptions": [OURS]}))
    api.on("GET", "/v1/tasks", Said(404))
    return api


def found(client, facts=FACTS):
    return {check.name: check for check in webhook_checks(client, facts)}


def test_a_subscription_that_is_well_passes_and_says_what_cannot_be_tried(subscribed, basware):
    lines = found(basware)
    assert list(lines) == ["webhook:subscription", "webhook:test", "webhook:delivery"]
    assert not [line for line in lines.values() if line.wants_a_look]
    assert "cannot be tried from here" in lines["webhook:delivery"].detail
    assert "canary-secret" not in str(lines)


def test_without_a_subscription_nothing_is_asked_and_nothing_is_wrong(api, basware):
    lines = found(basware, replace(FACTS, subscribed_at=None))
    assert list(lines) == ["webhook:subscription"]
    assert lines["webhook:subscription"].ok
    assert not api.requests("GET", "/v1/subscriptions")


def test_a_subscription_that_is_gone_is_a_failure(subscribed, basware):
    subscribed.on("GET", "/v1/subscriptions", Said(404))
    (line,) = found(basware).values()
    assert (line.ok, line.code) == (False, "no_subscription")
    assert "Subscribe again" in line.hint


def test_a_subscription_that_notifies_somebody_else_names_the_address(subscribed, basware):
    other = OURS | {"notificationWebhookURL": "https://old.example.com/hook/"}
    subscribed.on("GET", "/v1/subscriptions", Said(200, {"subscriptions": [other]}))
    (line,) = found(basware).values()
    assert "https://old.example.com/hook/" in line.detail


def test_a_connection_test_that_never_came_is_a_warning(subscribed, basware):
    line = found(basware, replace(FACTS, confirmed_at=None))["webhook:test"]
    assert (line.ok, line.warning) == (True, True)
    assert "SITE_URL" in line.hint


def test_failed_deliveries_since_the_last_that_arrived_are_a_warning(subscribed, basware):
    task = {"taskId": "t", "taskStatus": "Failed", "taskType": "AccountingDocuments"}
    subscribed.on("GET", "/v1/tasks", Said(200, {"taskStatus": [task, task]}))
    line = found(basware)["webhook:delivery"]
    assert (line.ok, line.warning) == (True, True)
    assert "2 notifications" in line.detail
    assert dict(subscribed.requests("GET", "/v1/tasks")[0].query)["lastUpdated"] == "2026-11-20T07:00:00Z"


def test_the_history_is_left_alone_where_its_scope_was_not_granted(subscribed, basware):
    subscribed.on("POST", "/v1/tokens", granted(scope=" ".join(set(DEFAULT_SCOPES) - {"tasks.read"})))
    line = found(basware)["webhook:delivery"]
    assert line.ok
    assert "scope tasks.read" in line.detail
    assert not subscribed.requests("GET", "/v1/tasks")


def test_the_ping_ends_with_the_webhook_and_gives_the_text_for_basware(subscribed, basware):
    subscribed.on("GET", "/v1/subscriptions", Said(404))
    last = list(checks(basware, reads=(), writes=(), webhook=FACTS))[-1]
    assert last.name == "webhook:subscription"
    assert "push subscription of the API client" in last.request


def test_each_scope_that_is_missing_has_its_own_text(api, basware):
    lacking = {"vendors.write", "projects.write"}
    api.on("POST", "/v1/tokens", granted(scope=" ".join(scope for scope in DEFAULT_SCOPES if scope not in lacking)))
    lines = {check.name: check for check in checks(basware, reads=(), writes=("vendors", "projects"))}
    assert "these scopes: vendors.write, projects.write" in lines["scopes"].request
    assert "the scope vendors.write" in lines["write:vendors"].request
    assert "the scope projects.write" in lines["write:projects"].request
