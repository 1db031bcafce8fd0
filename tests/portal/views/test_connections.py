"""Entering connections, never seeing a secret again, and the ping with a line per check."""

from __future__ import annotations

import json

import pytest

from syncengine.engine import webhooks
from syncengine.engine.webhooks import SubscriptionRefused
from syncengine.models import AuditEvent
from tenants.models import Connection
from tests.factories import BASWARE, BASWARE_SECRET, SAP, SAP_OAUTH, SAP_PASSWORD

SECRETS = (SAP_PASSWORD, BASWARE_SECRET)


def lines_of(answer):
    return [json.loads(line) for line in b"".join(answer.streaming_content).decode().splitlines()]


def ping(client, root):
    return lines_of(client.post(f"{root}ping/", headers={"Accept": "application/x-ndjson"}))


@pytest.fixture
def bare_root(organization, integration):
    return f"/o/{organization.slug}/integrations/{integration.pk}/"


@pytest.mark.parametrize(("system", "data"), [("sap_b1", SAP), ("basware", BASWARE)])
def test_a_connection_is_entered(bare_root, integration, people, system, data):
    answer = people["admin"].post(f"{bare_root}connections/{system}/", data)
    assert answer["Location"] == f"{bare_root}connections/"
    stored = Connection.objects.get(integration=integration, system=system)
    assert stored.settings["base_url"] == data["base_url"]
    assert AuditEvent.objects.get(action="connection.saved").actor == "admin@nordic-paper.example.com"


@pytest.mark.parametrize("system", ["sap_b1", "basware"])
def test_no_page_ever_shows_a_secret(root, people, system):
    for page in (f"{root}connections/", f"{root}connections/{system}/"):
        text = people["owner"].get(page).content.decode()
        assert not [secret for secret in SECRETS if secret in text]
    assert "Set on 4 May 2026" in text


def test_an_empty_secret_keeps_the_stored_one(root, connected, people):
    data = {**SAP, "password": "", "username": "other"}
    assert people["admin"].post(f"{root}connections/sap_b1/", data).status_code == 302
    stored = connected.connections.get(system="sap_b1")
    assert stored.secrets["password"] == SAP_PASSWORD
    assert stored.settings["username"] == "other"


def test_a_changed_host_asks_for_the_secret_again_at_its_field(root, connected, people):
    data = {**SAP, "password": "", "base_url": "https://other.example.com:50000/b1s/v2"}
    answer = people["admin"].post(f"{root}connections/sap_b1/", data)
    assert "enter the secret again" in answer.context["form"].errors["password"][0]
    assert connected.connections.get(system="sap_b1").settings["base_url"] == SAP["base_url"]


@pytest.mark.parametrize(
    ("system", "field", "value", "sentence"),
    [
        ("sap_b1", "base_url", "https://sap.example.com:50000/", "whole service root"),
        ("sap_b1", "base_url", "ftp://sap.example.com/b1s/v2", "starts with https"),
        ("sap_b1", "company_db", "", "required"),
        ("sap_b1", "user_defined_id_field", "BaswareId", "with its U_"),
        ("sap_b1", "ca_certificate", "no certificate", "PEM"),
        ("basware", "base_url", "https://api.basware.com/v1", "without a path"),
        ("basware", "base_url", "https://169.254.169.254", "not"),
        ("basware", "token_url", "nonsense", "URL"),
    ],
)
def test_a_wrong_field_is_named_with_a_sentence(bare_root, people, system, field, value, sentence):
    data = {**(SAP if system == "sap_b1" else BASWARE), field: value}
    answer = people["admin"].post(f"{bare_root}connections/{system}/", data)
    assert answer.status_code == 200
    assert sentence in answer.context["form"].errors[field][0]
    assert not Connection.objects.exists()


def test_what_was_typed_stays_but_the_secret_does_not_come_back(bare_root, people):
    answer = people["admin"].post(f"{bare_root}connections/basware/", {**BASWARE, "base_url": "nonsense"})
    text = answer.content.decode()
    assert BASWARE["client_id"] in text
    assert BASWARE_SECRET not in text


def test_the_region_fills_in_the_address(bare_root, people):
    page = people["admin"].get(f"{bare_root}connections/basware/").content.decode()
    assert 'data-fill="id_base_url"' in page
    assert "https://test-api.us.basware.com" in page


def test_a_system_that_does_not_exist_is_404(root, people):
    assert people["owner"].get(f"{root}connections/oracle/").status_code == 404


def test_scopes_are_shown_as_one_line(root, connected, people):
    stored = connected.connections.get(system="basware")
    stored.settings["scopes"] = ["vendors.read", "vendors.write"]
    stored.save()
    assert 'value="vendors.read vendors.write"' in people["admin"].get(f"{root}connections/basware/").content.decode()


def test_ping_sends_a_line_for_each_check_as_it_completes(root, people, checks):
    lines = ping(people["operator"], root)
    appended = [line for line in lines if not line["replace"]]
    assert [line["place"] for line in appended] == [
        "ping-sap_b1", "ping-sap_b1-network", "ping-basware", "ping-basware-setup",
    ]  # fmt: skip
    assert "12 ms" in appended[1]["html"]
    assert "Check the secret." in appended[3]["html"]


def test_ping_escapes_what_the_systems_say(root, people, checks):
    sent = "".join(line["html"] for line in ping(people["operator"], root))
    assert "&lt;b&gt;invalid_client&lt;/b&gt;" in sent
    assert "<b>invalid_client" not in sent


def test_ping_ends_with_a_verdict_for_each_system_and_for_both(root, people, checks):
    verdicts = {line["place"]: line["html"] for line in ping(people["operator"], root)}
    assert "All checks passed" in verdicts["ping-status-sap_b1"]
    assert "Ping failed" in verdicts["ping-status-basware"]
    assert "1 check failed" in verdicts["ping-summary"]


def test_a_good_ping_says_what_to_do_next(root, people, checks):
    del checks[1:]
    verdicts = {line["place"]: line["html"] for line in ping(people["operator"], root)}
    assert "Look at a dry run next" in verdicts["ping-summary"]


def test_proxies_are_told_not_to_collect_the_lines(root, people, checks):
    answer = people["operator"].post(f"{root}ping/", headers={"Accept": "application/x-ndjson"})
    assert answer["X-Accel-Buffering"] == "no"
    assert answer["Cache-Control"] == "no-store"


def test_without_javascript_the_page_shows_the_result_afterwards(root, connected, people, checks):
    page = people["operator"].post(f"{root}ping/", follow=True).content.decode()
    assert "sap.example.com answers." in page
    assert "Check the secret." in page
    assert AuditEvent.objects.get(action="integration.pinged").actor == "operator@nordic-paper.example.com"


def test_subscribing_says_whether_the_test_came(root, people, subscribed):
    assert "Basware tested the subscription" in people["admin"].post(f"{root}webhook/", follow=True).content.decode()
    subscribed["confirmed"] = False
    assert "SITE_URL is reachable" in people["admin"].post(f"{root}webhook/", follow=True).content.decode()


def test_a_refused_subscription_says_why(root, people, monkeypatch):
    def refuse(integration, actor):
        raise SubscriptionRefused("Basware refused the scope subscriptions.write.", "Ask your consultant for it.")

    monkeypatch.setattr(webhooks, "subscribe", refuse)
    page = people["admin"].post(f"{root}webhook/", follow=True).content.decode()
    assert "Ask your consultant for it." in page


def test_the_log_in_by_oauth_is_entered_with_its_own_fields(bare_root, integration, people):
    data = {**SAP_OAUTH, "username": "left over", "password": "left over"}
    assert people["admin"].post(f"{bare_root}connections/sap_b1/", data).status_code == 302
    stored = Connection.objects.get(integration=integration, system="sap_b1")
    assert stored.settings["auth"] == "oauth"
    assert "username" not in stored.settings
    assert stored.secrets == {"client_secret": SAP_OAUTH["client_secret"]}


def test_a_log_in_by_oauth_without_its_fields_names_them(bare_root, people):
    answer = people["admin"].post(f"{bare_root}connections/sap_b1/", {**SAP, "auth": "oauth"})
    assert {*answer.context["form"].errors} == {"client_id", "token_url", "client_secret"}
